"""What every receiver does with a body and its headers; it knows of no framework."""

from http import HTTPStatus
from typing import Final

from attrs import frozen

from telnyx_rooms_async.attempts import logger
from telnyx_rooms_async.core.errors import WebhookPayloadError, WebhookSignatureError
from telnyx_rooms_async.core.webhooks import Headers
from telnyx_rooms_async.router import EventRouter
from telnyx_rooms_async.webhooks import Webhooks

BODY_LIMIT: Final = 1024 * 1024
"""Bytes of a body; a longer one is refused with 413 and not read to its end."""
GRACE: Final = 10.0
"""Seconds that the calls of a client may go on when its app shuts down."""


@frozen
class Receiver:
    """Answers a webhook with a status and no body: who may not know why learns nothing."""

    router: EventRouter
    webhooks: Webhooks
    background: bool

    async def receive(self, body: bytes, headers: Headers) -> HTTPStatus:
        """Return the status to answer with: 200, and everything else is delivered again."""
        try:
            event = self.webhooks.unwrap(body, headers)
        except WebhookSignatureError as error:
            logger.info("a webhook was refused: %s", error)
            return HTTPStatus.BAD_REQUEST
        except WebhookPayloadError as error:
            logger.warning("a webhook was refused: %s", error)
            return HTTPStatus.BAD_REQUEST
        try:
            await (self.router.dispatch_soon if self.background else self.router.dispatch)(event)
        except Exception:  # of a user's handler or store: the answer tells
            logger.exception("%s was not handled: it is to be delivered again", event.event_type)
            return HTTPStatus.INTERNAL_SERVER_ERROR
        return HTTPStatus.OK
