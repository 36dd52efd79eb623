"""Receiver: from a request to the status of its response. Shared by the adapters for web frameworks."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from http import HTTPStatus
from typing import Final

from attrs import frozen

from telnyx_rooms_async.errors import WebhookError, WebhookPayloadError, WebhookSignatureError
from telnyx_rooms_async.http.attempt_log import logger
from telnyx_rooms_async.settings import check_positive
from telnyx_rooms_async.webhooks.router import EventRouter, log_name
from telnyx_rooms_async.webhooks.signature import Headers, Webhooks, header_pairs

BODY_LIMIT: Final = 1024 * 1024
"""Largest body in bytes; a larger one is answered with 413 and not read to its end."""
BODY_TIMEOUT: Final = 10.0
"""Default seconds for a body to arrive; a slower one is answered with 408."""
SHUTDOWN_GRACE: Final = 10.0
"""Seconds that calls of a client may continue while its app shuts down."""
_CHUNK_SIZE: Final = 64 * 1024
_UNCOMPRESSED: Final = ("", "identity")
_CONTENT_LENGTH: Final = re.compile("0*([0-9]{1,18})")


class RejectedRequestError(Exception):
    """A request whose body was not read completely, with the status of the response."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


@frozen
class Receiver:
    """Receives webhooks for an adapter, which passes it requests and sends the statuses that it returns.

    Only a status is returned, so that a forged request learns nothing from the response.
    """

    router: EventRouter
    webhooks: Webhooks
    background: bool = False
    body_timeout: float = BODY_TIMEOUT

    def __attrs_post_init__(self) -> None:
        check_positive(body_timeout=self.body_timeout)

    async def receive(self, method: str, headers: Headers, body: AsyncGenerator[bytes]) -> HTTPStatus:
        """Read, verify and dispatch a webhook, and return the status. Telnyx sends it again unless it is 200.

        `body` yields chunks. It may raise a `RejectedRequestError`; any other exception leaves this method.
        """
        pairs = header_pairs(headers)
        try:
            _check_head(method, pairs)
            content = await self._read(body)
        except RejectedRequestError as error:
            logger.info("webhook rejected with status %d: its body was not read", error.status)
            return error.status
        try:
            event = self.webhooks.unwrap(content, pairs)
        except WebhookSignatureError as error:
            logger.info("webhook rejected: %s", error)
            return HTTPStatus.BAD_REQUEST
        except WebhookPayloadError as error:
            logger.warning("webhook rejected: %s", error)
            return HTTPStatus.BAD_REQUEST
        del content, headers, pairs  # reports of a handler's error show the locals of this frame
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

    async def _read(self, chunks: AsyncGenerator[bytes]) -> bytes:
        body = bytearray()
        try:
            async with aclosing(chunks), asyncio.timeout(self.body_timeout):
                async for chunk in chunks:
                    body += chunk
                    if len(body) > BODY_LIMIT:
                        raise RejectedRequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
                    del chunk
            return bytes(body)
        except TimeoutError:
            raise RejectedRequestError(HTTPStatus.REQUEST_TIMEOUT) from None
        finally:
            body.clear()  # error reports show the locals of this frame


async def chunks_of(read: Callable[[int], bytes], *errors: type[Exception]) -> AsyncGenerator[bytes]:
    """Yield the body that a blocking function reads; `errors` mean that it did not arrive completely."""
    try:
        while chunk := read(_CHUNK_SIZE):
            yield chunk
            del chunk  # error reports show the locals of this frame
    except errors:
        raise RejectedRequestError(HTTPStatus.BAD_REQUEST) from None


def response_headers(status: HTTPStatus) -> dict[str, str]:
    """Return the headers of a response with this status."""
    return {"Allow": "POST"} if status is HTTPStatus.METHOD_NOT_ALLOWED else {}


def _check_head(method: str, headers: list[tuple[str, str]]) -> None:
    """Check a request before its body is read.

    Telnyx does not compress bodies, and decompression would cost time before the signature is verified.
    """
    if method != "POST":
        raise RejectedRequestError(HTTPStatus.METHOD_NOT_ALLOWED)
    for name, value in headers:
        if name == "content-encoding" and value.strip().lower() not in _UNCOMPRESSED:
            raise RejectedRequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        if name == "content-length":
            length = _CONTENT_LENGTH.fullmatch(value.strip())
            if length is None or int(length[1]) > BODY_LIMIT:
                raise RejectedRequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
