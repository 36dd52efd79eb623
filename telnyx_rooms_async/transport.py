"""Carry one request over aiohttp and bring back a `Response` or a `Failure`.

The only client-side room that knows aiohttp. What aiohttp raises ends here and is never chained: its
exceptions hold the request's headers, and those hold the key. Cancellation passes untouched.
"""

import asyncio
import math
import platform
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final, NoReturn, TypeAlias
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError
from yarl import URL

from telnyx_rooms_async.core.errors import ClientClosedError, ConfigurationError, WrongEventLoopError
from telnyx_rooms_async.core.messages import Failure, Reason, Request, Response
from telnyx_rooms_async.core.secret import Secret

Session: TypeAlias = aiohttp.ClientSession
"""What a user may lend a client."""

_CONNECT_SECONDS: Final = 5.0
_BODY_LIMIT: Final = 8 * 2**20
_ERROR_BODY_LIMIT: Final = 64 * 2**10


class AiohttpTransport:
    """Sends requests through a session that is borrowed, or opened before the first of them.

    Args:
        api_key: sent as a bearer token.
        base_url: absolute, without a slash at its end.
        session: a session to use and never to close.
        max_connections: how many at once, in a session of our own.
        trust_env: whether a session of our own minds the proxy variables of the environment.
    """

    def __init__(
        self,
        *,
        api_key: Secret,
        base_url: str,
        session: Session | None,
        max_connections: int,
        trust_env: bool,
    ) -> None:
        self._base_url = base_url
        self._headers = {
            "Accept": "application/json",
            "Authorization": Secret(f"Bearer {api_key}"),
            "User-Agent": _user_agent(),
        }
        self._headers_with_body = self._headers | {"Content-Type": "application/json"}
        self._session = session
        self._owned = session is None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._middlewares: tuple[aiohttp.ClientMiddlewareType, ...] = (_send_once,)
        if session is not None:
            # Those of one request replace those of its session, so the session's go first.
            self._middlewares = (*session._middlewares, _send_once)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - there is no public way
            self._loop = session._loop  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - the public way is deprecated
        self._max_connections = max_connections
        self._trust_env = trust_env
        self._closed = False

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client cannot be pickled: it holds the API key; make one where it is needed")

    @property
    def closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._closed or (self._session is not None and self._session.closed)

    async def send(self, request: Request, seconds: float) -> Response | Failure:
        """Make one try, within `seconds` from the wait for a connection to the last byte.

        Raises:
            ClientClosedError: the transport is closed, or the borrowed session is.
            ConfigurationError: the borrowed session has a password of its own for this host.
            WrongEventLoopError: an earlier request was made in another event loop.
        """
        session = self._ready()
        try:
            async with session.request(
                request.method,
                URL(self._base_url + request.target, encoded=True),
                data=request.body,
                headers=self._headers if request.body is None else self._headers_with_body,
                timeout=_timeout(seconds),
                allow_redirects=False,
                raise_for_status=False,
                auto_decompress=True,
                middlewares=self._middlewares,
            ) as response:
                return await _read(response)
        except (aiohttp.ClientError, OSError) as error:
            return _failure(error)
        except ValueError:  # of aiohttp's own, before it connects
            pass
        except asyncio.CancelledError:
            # Closing cancels who waits for a connection: that is no cancellation of the task.
            if not self._closed or _is_cancelled():
                raise
        if self._closed:
            raise ClientClosedError
        raise ConfigurationError("the session has a password for this host, from netrc perhaps")

    async def open(self, url: Secret, *, offset: int, seconds: float) -> "Stream | Failure":
        """Begin to read a file from a URL that is its own key: ours is not sent there.

        Args:
            url: presigned by Telnyx; it appears in no failure.
            offset: how many bytes to leave out at the beginning.
            seconds: how long to wait for a connection, and then for each piece.

        Raises:
            ClientClosedError: the transport is closed, or the borrowed session is.
            WrongEventLoopError: an earlier request was made in another event loop.
        """
        headers = {"Accept-Encoding": "identity", "User-Agent": _user_agent()}
        try:
            response = await self._ready().get(
                URL(url, encoded=True),
                headers=headers | ({"Range": f"bytes={offset}-"} if offset else {}),
                timeout=_idle_timeout(seconds),
                allow_redirects=False,
                raise_for_status=False,
                auto_decompress=False,
                middlewares=self._middlewares,
            )
        except (aiohttp.ClientError, OSError) as error:
            return _failure(error, tell=False)
        return Stream(response)

    async def close(self) -> None:
        """Send no more, and close the session if it is our own."""
        self._closed = True
        if self._owned and self._session is not None:
            await self._session.close()

    def _ready(self) -> Session:
        loop = asyncio.get_running_loop()
        if self.closed:
            raise ClientClosedError
        if self._loop is not loop:
            if self._loop is not None:
                raise WrongEventLoopError
            self._loop = loop
        if self._session is None:
            self._session = self._open()
        return self._session

    def _open(self) -> Session:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._max_connections),
            cookie_jar=aiohttp.DummyCookieJar(),
            # Not aiohttp's own trust_env: it asks a thread before each request, and fails on a netrc.
            proxy=_environment_proxy(URL(self._base_url)) if self._trust_env else None,
        )


def check_session(session: object) -> None:
    """Check a session that a user lends.

    Raises:
        ConfigurationError: it is none, or has an auth of its own.
    """
    if session is None:
        return
    if not isinstance(session, Session):
        raise ConfigurationError(f"session must be an aiohttp.ClientSession, not {session!r}")
    if session.auth is not None:
        raise ConfigurationError("the session has an auth of its own, which would displace the API key")


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class Stream:
    """The body of an answer, read piece by piece."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.head = Response(status=response.status, raw_headers=response.raw_headers)
        """Status and headers."""

    async def read(self) -> bytes | Failure:
        """Return what has arrived, ``b""`` at the end."""
        try:
            return await self._response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            return _failure(error, tell=False)

    def close(self) -> None:
        """Let go of the connection; it is used again if all was read."""
        self._response.release()


@cache
def _user_agent() -> str:
    try:
        own = f"telnyx-rooms-async/{version('telnyx-rooms-async')}"
    except PackageNotFoundError:  # in a frozen program, or straight from a folder
        own = "telnyx-rooms-async"
    return f"{own} Python/{platform.python_version()} aiohttp/{aiohttp.__version__}"


@lru_cache(maxsize=16)
def _timeout(seconds: float) -> aiohttp.ClientTimeout:
    # The wait for a connection ends before the attempt does: then it is certain that nothing was sent.
    # Without the threshold aiohttp rounds what is longer than 5 s up to a whole second.
    return aiohttp.ClientTimeout(
        total=seconds, connect=min(_CONNECT_SECONDS, 0.9 * seconds), ceil_threshold=math.inf
    )


@lru_cache(maxsize=16)
def _idle_timeout(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(
        total=None, connect=min(_CONNECT_SECONDS, seconds), sock_read=seconds, ceil_threshold=math.inf
    )


def _environment_proxy(url: URL) -> str | None:
    return None if proxy_bypass(url.host or "") else getproxies().get(url.scheme)


async def _send_once(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a GET or a DELETE again on its own when a kept connection was dead.

    It does so for two kinds of error; told by another kind, it leaves the decision to us.
    """
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise aiohttp.ClientConnectionError(str(error)) from None


async def _read(response: aiohttp.ClientResponse) -> Response | Failure:
    """Read the whole body while the attempt's time runs; a body without end is cut off."""
    if response.status < 200:  # noqa: PLR2004 - a 101 that nobody asked for
        return Failure(reason=Reason.MALFORMED, sent=True, detail=f"unexpected status {response.status}")
    refusal = response.status >= 400  # noqa: PLR2004 - 4xx and 5xx
    limit = _ERROR_BODY_LIMIT if refusal else _BODY_LIMIT
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in response.content.iter_any():
            chunks.append(chunk)
            size += len(chunk)
            if size > limit:
                break
    except (aiohttp.ClientError, OSError):
        # The status of a refusal says enough, and its body may be of any kind.
        if not refusal:
            raise
    if size > limit and not refusal:
        return Failure(reason=Reason.TOO_LARGE, sent=True, detail=f"more than {limit} bytes")
    return Response(status=response.status, raw_headers=response.raw_headers, body=b"".join(chunks)[:limit])


# The first row that fits tells the reason, and whether the server may have seen the request.
_REASONS: Final[tuple[tuple[tuple[type[Exception], ...], Reason, bool], ...]] = (
    ((aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch), Reason.TLS, False),
    ((aiohttp.ClientConnectorError, aiohttp.ClientHttpProxyError), Reason.CONNECT, False),
    ((aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL), Reason.CONNECT, False),
    ((TimeoutError,), Reason.TIMEOUT, True),
    ((aiohttp.ClientResponseError,), Reason.MALFORMED, True),
)


def _failure(error: Exception, *, tell: bool = True) -> Failure:
    # Some of aiohttp's messages hold the whole URL, and some what was received.
    said = error.message.partition(":")[0] if isinstance(error, aiohttp.ClientResponseError) else str(error)
    detail = (tell and said) or type(error).__name__
    if isinstance(error.__cause__, ContentEncodingError):
        return Failure(reason=Reason.UNREADABLE, sent=True, detail=detail)
    for kinds, reason, sent in _REASONS:
        if isinstance(error, kinds):
            return Failure(reason=reason, sent=sent, detail=detail)
    return Failure(reason=Reason.LOST, sent=True, detail=detail)
