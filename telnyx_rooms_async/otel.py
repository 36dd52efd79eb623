"""Former path of `telnyx_rooms_async.integrations.opentelemetry`."""

from telnyx_rooms_async.integrations.opentelemetry import traced

__all__ = ["traced"]
