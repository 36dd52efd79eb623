"""What every receiver does with a body and its headers; it knows of no framework."""

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from attrs import frozen

from telnyx_rooms_async.errors import WebhookError, WebhookPayloadError, WebhookSignatureError
from telnyx_rooms_async.http.attempt_log import logger
from telnyx_rooms_async.settings import check_positive
from telnyx_rooms_async.webhooks.events import Event
from telnyx_rooms_async.webhooks.parsing import Webhooks
from telnyx_rooms_async.webhooks.router import EventRouter, label
from telnyx_rooms_async.webhooks.signature import Headers, Text

BODY_LIMIT: Final = 1024 * 1024
"""Bytes of a body; a longer one is refused with 413 and not read to its end."""
BODY_TIMEOUT: Final = 10.0
"""Seconds for a body to arrive; a slower one is refused with 408."""
_PLAIN: Final = ("", "identity")
_LENGTH: Final = re.compile("0*([0-9]{1,18})")
GRACE: Final = 10.0
"""Seconds that the calls of a client may go on when its app shuts down."""


@frozen
class Receiver:
    """Answers a webhook with a status and no body: who may not know why learns nothing."""

    router: EventRouter
    webhooks: Webhooks
    background: bool
    body_timeout: float = BODY_TIMEOUT

    def __attrs_post_init__(self) -> None:
        check_positive(body_timeout=self.body_timeout)

    def refusal(self, method: str, headers: Iterable[tuple[Text, Text]]) -> HTTPStatus | None:
        """Return the status of a request that is refused before its body is read; ``None`` for any other.

        Telnyx sends no compressed body: what unpacks one for whoever asks can be kept busy by anybody.
        """
        status = _refusal(method, headers)
        if status is not None:
            self.log_refusal(status)
        return status

    def log_refusal(self, status: HTTPStatus) -> None:
        """Log that a request was refused whose body was not read, or not to its end."""
        logger.info("a webhook was refused with %d: its body was not read", status)

    async def receive(self, body: bytes, headers: Headers) -> HTTPStatus:
        """Return the status to answer with: 200, and everything else is delivered again."""
        event = self._unwrap(body, headers)
        del body, headers  # tools that report the error of a handler show the locals of its frames
        if event is None:
            return HTTPStatus.BAD_REQUEST
        try:
            await (self.router.dispatch_in_background if self.background else self.router.dispatch)(event)
        except WebhookError as error:  # another worker has it in hand, say: one line tells all
            logger.warning("%s was not handled: it is to be delivered again: %s", label(event), error)
            return HTTPStatus.INTERNAL_SERVER_ERROR
        except Exception:  # of a user's handler or store: the answer tells
            logger.exception("%s was not handled: it is to be delivered again", label(event))
            return HTTPStatus.INTERNAL_SERVER_ERROR
        return HTTPStatus.OK

    def _unwrap(self, body: bytes, headers: Headers) -> Event | None:
        try:
            return self.webhooks.unwrap(body, headers)
        except WebhookSignatureError as error:
            logger.info("a webhook was refused: %s", error)
        except WebhookPayloadError as error:
            logger.warning("a webhook was refused: %s", error)
        return None


def _refusal(method: str, headers: Iterable[tuple[Text, Text]]) -> HTTPStatus | None:
    if method != "POST":
        return HTTPStatus.METHOD_NOT_ALLOWED
    for name, value in headers:
        known, said = _lower(name), _lower(value)
        if known == "content-encoding" and said not in _PLAIN:
            return HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        if known == "content-length":
            length = _LENGTH.fullmatch(said)
            if length is None or int(length[1]) > BODY_LIMIT:
                return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return None


def _lower(text: Text) -> str:
    return (text.decode("latin-1") if isinstance(text, bytes) else text).strip().lower()
