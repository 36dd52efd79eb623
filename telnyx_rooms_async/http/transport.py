"""What came back: a whole body, a body piece by piece, or the reason why there is none.

What aiohttp raises ends here and is never chained: its exceptions hold the request's headers, and those
hold the key.
"""

import asyncio
import json
import re
import warnings
from collections.abc import AsyncGenerator, Iterable, Sequence
from functools import cached_property, partial
from io import BytesIO
from typing import Final, NoReturn
from urllib.parse import urlsplit

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from telnyx_rooms_async.core.frames import without_async_frames
from telnyx_rooms_async.core.http_messages import Failure, Reason, Request, Response
from telnyx_rooms_async.core.secret import Secret
from telnyx_rooms_async.errors import ClientClosedError, ConfigurationError
from telnyx_rooms_async.http.connection import (
    Session,
    TraceConfig,
    TunnelError,
    attempt_timeout,
    capacity_of,
    check_hooks,
    check_session,
    closed_with_loop,
    connect_timeout,
    environment_proxy,
    loop_of,
    open_session,
    send_once,
    user_agent,
    without_authorization,
)
from telnyx_rooms_async.http.decompression import ACCEPTED, PackingError, unpack
from telnyx_rooms_async.http.in_flight import InFlightCalls

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


__all__ = [
    "AiohttpTransport",
    "Session",
    "Stream",
    "TraceConfig",
    "capacity_of",
    "check_hooks",
    "check_session",
    "is_usable_url",
    "loop_of",
]


_LARGE: Final = 2**20
_HEADER_LIMIT: Final = 64 * 2**10


class AiohttpTransport:
    """Sends requests through a session that is borrowed, or opened before the first of them.

    Args:
        api_key: sent as a bearer token.
        base_url: absolute, without a slash at its end.
        session: a session to use and never to close.
        lifetime: tells the event loop of the calls.
        max_connections: how many at once, in a session of our own.
        trust_env: whether a session of our own minds the proxy variables of the environment.
        trace_configs: what listens to a session of our own.
    """

    _closing: AsyncGenerator[Session, None] | None = None  # here for an __init__ that raises

    def __init__(
        self,
        *,
        api_key: Secret,
        base_url: str,
        session: Session | None,
        in_flight_calls: InFlightCalls,
        max_connections: int,
        trust_env: bool,
        trace_configs: Sequence[TraceConfig] = (),
    ) -> None:
        self._api_key = api_key
        base = URL(base_url, encoded=True)
        self.is_https: bool = base.scheme == "https"
        self._prefix = base.raw_path.rstrip("/")
        # Every request has the same beginning: taking an URL apart again costs more than the rest of it.
        self._url = partial(URL.build, scheme=base.scheme, authority=base.raw_authority, encoded=True)
        self._in_flight_calls = in_flight_calls
        self._session = session
        self._loop: asyncio.AbstractEventLoop | None = None
        self._borrowed = session is not None
        self._capacity = capacity_of(session, max_connections)
        self._download_slots = asyncio.Semaphore(self._capacity)
        # Who cannot be told otherwise; a session of our own is.
        self._middlewares: tuple[aiohttp.ClientMiddlewareType, ...] = ()
        if session is not None:
            # Those of one request replace those of its session, so the session's go first.
            self._middlewares = (*session._middlewares, send_once)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - there is no public way
        self._open_session = partial(
            open_session,
            max_connections=max_connections,
            trace_configs=list(trace_configs),
            trust_env=trust_env,
        )
        self._base = base
        self._find_proxy = environment_proxy if trust_env else _no_proxy
        self._proxy: Secret | None = self._find_proxy(base)

    @cached_property
    def _headers(self) -> CIMultiDict[str]:
        return CIMultiDict(
            {
                "Accept": "application/json",
                "Accept-Encoding": ACCEPTED,
                # A plain str: a recorder of HTTP traffic such as vcrpy can save no other type.
                "Authorization": f"Bearer {self._api_key}",
                "User-Agent": user_agent(),
            }
        )

    @cached_property
    def _json_headers(self) -> CIMultiDict[str]:
        return CIMultiDict({**self._headers, "Content-Type": "application/json"})

    def __del__(self) -> None:
        if self._closing is not None:
            told = "a RoomsClient was never closed: use `async with`, or await its close()"
            warnings.warn(told, ResourceWarning, source=self, stacklevel=1)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client cannot be pickled: it holds the API key; make one where it is needed")

    async def send(self, request: Request, seconds: float) -> Response | Failure:
        """Make one try, within `seconds` from the wait for a connection to the last byte.

        Raises:
            ClientClosedError: the borrowed session is closed.
            ConfigurationError: the borrowed session has a password of its own for this host.
        """
        session = self._ready() or await self._renewed()
        try:
            response = await session.request(
                request.method,
                self._url(path=self._prefix + request.path, query_string=request.query_string),
                data=_payload(request.body),
                # For a POST without a body too, to which aiohttp would add another content type.
                headers=self._json_headers
                if request.body is not None or request.method == "POST"
                else self._headers,
                timeout=attempt_timeout(seconds),
                allow_redirects=False,
                raise_for_status=False,
                auto_decompress=False,
                middlewares=self._middlewares,
                proxy=self._proxy,
                max_line_size=_HEADER_LIMIT,
                max_field_size=_HEADER_LIMIT,
            )
            if response.closed:
                # All of it came with its head, nothing is left to wait for: spares 5 % of instructions.
                body = response.content.read_nowait()
                if request.body is not None:
                    await response.wait_for_close()  # the end of the sending, where the answer was faster
                return whole(response, body, self._api_key, request.secrets)
            async with response:
                return await read_whole(response, self._api_key, request.secrets)
        except (aiohttp.ClientError, OSError) as error:
            return failure(error)
        except ValueError as error:
            if "AUTHORIZATION" not in str(error):  # the one that aiohttp raises before it connects
                raise
        except asyncio.CancelledError:
            if not self._is_end_of_wait():
                raise
            raise ClientClosedError from None
        raise ConfigurationError("the session has a password for this host, from netrc perhaps")

    @without_async_frames
    async def open(
        self, url: Secret, *, offset: int, if_range: str | None, seconds: float
    ) -> Stream | Failure:
        """Begin to read a file from a URL that is its own key: ours is not sent there.

        Args:
            url: presigned by Telnyx; it appears in no failure.
            offset: how many bytes to leave out at the beginning.
            if_range: the version of the file that these bytes are of, as ``If-Range`` takes it.
            seconds: how long to wait for the head of the answer.

        Raises:
            ClientClosedError: the borrowed session is closed.
        """
        headers = {"Accept-Encoding": "identity", "User-Agent": user_agent()}
        if offset:
            headers["Range"] = f"bytes={offset}-"
            if if_range is not None:
                headers["If-Range"] = if_range
        target = URL(url, encoded=True)
        session = self._ready() or await self._renewed()
        try:
            async with asyncio.timeout(seconds):
                response = await session.get(
                    target,
                    headers=headers,
                    timeout=connect_timeout(seconds),
                    allow_redirects=False,
                    raise_for_status=False,
                    auto_decompress=False,
                    middlewares=(*self._middlewares, without_authorization),
                    proxy=self._find_proxy(target),
                    max_line_size=_HEADER_LIMIT,
                    max_field_size=_HEADER_LIMIT,
                )
        except (aiohttp.ClientError, OSError) as error:
            return failure(error, tell=False)
        except asyncio.CancelledError:
            if not self._is_end_of_wait():
                raise
            raise ClientClosedError from None
        return Stream(response, seconds)

    @property
    def base_url(self) -> str:
        """The base URL in the one spelling that all its spellings have in common."""
        parts = urlsplit(str(self._base))
        return parts._replace(netloc=parts.netloc.lower()).geturl()

    def keyed_digest(self, message: bytes) -> str:
        """Return a digest of a message that only who has the API key can make: 32 hex digits."""
        import hmac  # noqa: PLC0415 - only journals need it

        return hmac.digest(self._api_key.encode(), message, "sha256")[:16].hex()

    async def download_slots(self) -> asyncio.Semaphore:
        """Return what a download must hold while it is connected: there are as many as connections.

        So the wait for a free connection is not counted as the time that a server takes.

        Raises:
            ClientClosedError: the client is closed, or the borrowed session is.
        """
        if not self._ready():
            await self._renewed()
        return self._download_slots

    async def close(self) -> None:
        """Close the session if it is our own."""
        closing, self._closing = self._closing, None
        if closing is not None:
            await closing.aclose()

    def _ready(self) -> Session | None:
        """Return the session if it can be used; only one of our own can be renewed."""
        session = self._session
        if self._borrowed:
            if session is None or session.closed:
                raise ClientClosedError
            return session
        return (
            session if self._loop is self._in_flight_calls.loop and session and not session.closed else None
        )

    async def _renewed(self) -> Session:
        if self._in_flight_calls.is_closed:
            raise ClientClosedError
        self._loop = self._in_flight_calls.loop
        self._download_slots = asyncio.Semaphore(self._capacity)
        self._closing = closed_with_loop(self._open_session())
        self._session = await anext(self._closing)
        return self._session

    def _is_end_of_wait(self) -> bool:
        """Tell the closing of a borrowed session, which cancels who waits in it, from a cancellation."""
        task = asyncio.current_task()
        closed = self._borrowed and self._session is not None and self._session.closed
        return closed and (task is None or task.cancelling() == 0)


_FORBIDDEN_IN_URL: Final = re.compile(r"[\x00-\x20\x7f\\]")


def is_usable_url(url: Secret) -> bool:
    """Return whether a URL can be requested: aiohttp raises a `ValueError` for any other."""
    try:
        return bool(URL(url, encoded=True).host) and not _FORBIDDEN_IN_URL.search(url)
    except ValueError:
        return False


def _no_proxy(_url: URL) -> None:
    return None


def _payload(body: bytes | None) -> bytes | BytesIO | None:
    """Hand a large body over as a file: aiohttp warns of large ones that are bytes."""
    return body if body is None or len(body) <= _LARGE else BytesIO(body)
