"""What the adapters for web frameworks share: from a request to the status of its response."""

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
from telnyx_rooms_async.webhooks.router import EventRouter, log_name
from telnyx_rooms_async.webhooks.signature import Headers, Text

BODY_LIMIT: Final = 1024 * 1024
"""Largest body in bytes; a larger one is answered with 413 and not read to its end."""
BODY_TIMEOUT: Final = 10.0
"""Default seconds for a body to arrive; a slower one is answered with 408."""
SHUTDOWN_GRACE: Final = 10.0
"""Seconds that calls of a client may continue while its app shuts down."""
_UNCOMPRESSED: Final = ("", "identity")
_CONTENT_LENGTH: Final = re.compile("0*([0-9]{1,18})")


@frozen
class WebhookReceiver:
    """Returns only a status code, so that a forged request learns nothing from the response."""

    router: EventRouter
    webhooks: Webhooks
    background: bool
    body_timeout: float = BODY_TIMEOUT

    def __attrs_post_init__(self) -> None:
        check_positive(body_timeout=self.body_timeout)

    def reject_early(self, method: str, headers: Iterable[tuple[Text, Text]]) -> HTTPStatus | None:
        """Return the status for a request whose body should not be read; None for other requests.

        Telnyx does not compress bodies, and decompression would cost time before the signature is verified.
        """
        status = _early_status(method, headers)
        if status is not None:
            self.log_rejection(status)
        return status

    def log_rejection(self, status: HTTPStatus) -> None:
        """Log that a request was rejected before its body was read completely."""
        logger.info("webhook rejected with status %d: its body was not read", status)

    async def receive(self, body: bytes, headers: Headers) -> HTTPStatus:
        """Verify and dispatch a webhook, and return the status. Telnyx sends it again unless it is 200."""
        event = self._unwrap(body, headers)
        del body, headers  # reports of a handler's error show the locals of this frame
        if event is None:
            return HTTPStatus.BAD_REQUEST
        dispatch = self.router.dispatch_in_background if self.background else self.router.dispatch
        try:
            await dispatch(event)
        except WebhookError as error:  # expected, for example while another worker handles the event
            logger.warning("%s was not handled, Telnyx will send it again: %s", log_name(event), error)
            return HTTPStatus.INTERNAL_SERVER_ERROR
        except Exception:  # of a user's handler or store
            logger.exception("%s was not handled, Telnyx will send it again", log_name(event))
            return HTTPStatus.INTERNAL_SERVER_ERROR
        return HTTPStatus.OK

    def _unwrap(self, body: bytes, headers: Headers) -> Event | None:
        try:
            return self.webhooks.unwrap(body, headers)
        except WebhookSignatureError as error:
            logger.info("webhook rejected: %s", error)
        except WebhookPayloadError as error:
            logger.warning("webhook rejected: %s", error)
        return None


def _early_status(method: str, headers: Iterable[tuple[Text, Text]]) -> HTTPStatus | None:
    if method != "POST":
        return HTTPStatus.METHOD_NOT_ALLOWED
    for name, value in headers:
        lower_name, lower_value = _lower(name), _lower(value)
        if lower_name == "content-encoding" and lower_value not in _UNCOMPRESSED:
            return HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        if lower_name == "content-length":
            length = _CONTENT_LENGTH.fullmatch(lower_value)
            if length is None or int(length[1]) > BODY_LIMIT:
                return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return None


def _lower(text: Text) -> str:
    return (text.decode("latin-1") if isinstance(text, bytes) else text).strip().lower()
