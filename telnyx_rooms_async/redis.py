"""Former path of `telnyx_rooms_async.webhooks.redis`."""

from telnyx_rooms_async.webhooks.redis import SeenInRedis

__all__ = ["SeenInRedis"]
