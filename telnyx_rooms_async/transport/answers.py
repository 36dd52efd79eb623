"""What came back: a whole body, a body piece by piece, or the reason why there is none.

What aiohttp raises ends here and is never chained: its exceptions hold the request's headers, and those
hold the key.
"""

import asyncio
import json
from collections.abc import Iterable
from typing import Final

import aiohttp

from telnyx_rooms_async.core.frames import without_async_frames
from telnyx_rooms_async.core.messages import Failure, Reason, Response
from telnyx_rooms_async.core.secret import Secret
from telnyx_rooms_async.transport.unpacking import PackingError, unpack

_BODY_LIMIT: Final = 8 * 2**20
_ERROR_BODY_LIMIT: Final = 64 * 2**10


async def read_whole(
    response: aiohttp.ClientResponse, key: Secret, secrets: tuple[str, ...]
) -> Response | Failure:
    """Read the whole body while the attempt's time runs; a body without end is cut off."""
    if _is_interim(response):
        return whole(response, b"", key, secrets)
    limit = _limit(response)
    chunks: list[bytes] = []
    size = 0
    try:
        while chunk := await response.content.readany():
            chunks.append(chunk)
            size += len(chunk)
            if size > limit:
                break
    except (aiohttp.ClientError, OSError):
        # The status of a refusal says enough, and its body may be of any kind.
        if not _is_refusal(response):
            raise
    return whole(response, b"".join(chunks), key, secrets)


def whole(
    response: aiohttp.ClientResponse, raw: bytes, key: Secret, secrets: tuple[str, ...]
) -> Response | Failure:
    """Unpack a body, and judge its size.

    A refusal may repeat what it refuses: the `key` and the `secrets` of the request are taken out of it.
    """
    if _is_interim(response):
        return Failure(reason=Reason.MALFORMED, sent=True, detail=f"unexpected status {response.status}")
    refusal, limit = _is_refusal(response), _limit(response)
    packing = response.headers.get("Content-Encoding")
    body = raw
    if packing and len(raw) <= limit:
        try:
            body = unpack(raw, packing, limit)
        except PackingError as error:
            if not refusal:
                return Failure(reason=Reason.UNREADABLE, sent=True, detail=f"the body is {error}")
            body = b""
    if refusal:
        body = _redacted(body[:limit], (key, *secrets))
    elif len(body) > limit:
        return Failure(reason=Reason.TOO_LARGE, sent=True, detail=f"more than {limit} bytes")
    return Response(status=response.status, raw_headers=response.raw_headers, body=body)


def _redacted(body: bytes, secrets: Iterable[str]) -> bytes:
    """Take secrets out of a body, however its JSON spells them."""
    for secret in secrets:
        spellings = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
        for spelling in spellings | {each.replace("/", r"\/") for each in spellings}:
            body = body.replace(spelling.encode(), b"***")
    return body


def _is_interim(response: aiohttp.ClientResponse) -> bool:
    return response.status < 200  # noqa: PLR2004 - a 101 that nobody asked for


def _is_refusal(response: aiohttp.ClientResponse) -> bool:
    return response.status >= 400  # noqa: PLR2004 - 4xx and 5xx


def _limit(response: aiohttp.ClientResponse) -> int:
    return _ERROR_BODY_LIMIT if _is_refusal(response) else _BODY_LIMIT


class Stream:
    """The body of an answer, read piece by piece."""

    def __init__(self, response: aiohttp.ClientResponse, seconds: float) -> None:
        self._response = response
        self.seconds: float = seconds
        """How long to wait for each piece."""
        self.head: Response = Response(status=response.status, raw_headers=response.raw_headers)
        """Status and headers."""

    @without_async_frames
    async def read(self) -> bytes | Failure:
        """Return what has arrived, ``b""`` at the end."""
        try:
            # aiohttp has a timer of its own, but stops it when its session is closed.
            async with asyncio.timeout(self.seconds):
                return await self._response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            return failure(error, tell=False)

    def close(self) -> None:
        """Let go of the connection; it is used again if all was read."""
        self._response.release()


def _words(error: Exception) -> str:
    """Return what aiohttp says, but for what it repeats of what was received."""
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the server closed the connection"
    return error.message.partition(":")[0] if isinstance(error, aiohttp.ClientResponseError) else str(error)


class TunnelError(aiohttp.ClientConnectionError):
    """A proxy failed before there was a connection to the server."""


# The first row that fits tells the reason, and whether the server may have seen the request.
_REASONS: Final[tuple[tuple[tuple[type[Exception], ...], Reason, bool], ...]] = (
    ((aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch), Reason.TLS, False),
    ((aiohttp.ClientConnectorError, aiohttp.ClientHttpProxyError, TunnelError), Reason.CONNECT, False),
    ((aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL), Reason.CONNECT, False),
    ((TimeoutError,), Reason.TIMEOUT, True),
    ((aiohttp.ClientResponseError,), Reason.MALFORMED, True),
)


def failure(error: Exception, *, tell: bool = True) -> Failure:
    """Turn what aiohttp raised into a value; `tell` allows its own words in it."""
    detail = (tell and _words(error)) or type(error).__name__
    for kinds, reason, sent in _REASONS:
        if isinstance(error, kinds):
            return Failure(reason=reason, sent=sent, detail=detail)
    return Failure(reason=Reason.LOST, sent=True, detail=detail)
