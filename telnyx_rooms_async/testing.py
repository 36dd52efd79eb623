"""Former path of `telnyx_rooms_async.webhooks.testing`."""

from telnyx_rooms_async.webhooks.testing import PUBLIC_KEY, signed

__all__ = ["PUBLIC_KEY", "signed"]
