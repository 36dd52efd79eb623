"""The session: borrowed from the user, or opened by us; and what every request of it has in common."""

import asyncio
import math
import platform
from collections.abc import AsyncGenerator, Sequence
from functools import cache, lru_cache
from typing import Final, TypeAlias
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from telnyx_rooms_async.core.errors import ConfigurationError

Session: TypeAlias = aiohttp.ClientSession
"""What a user may lend a client."""
TraceConfig: TypeAlias = aiohttp.TraceConfig
"""What listens to a session."""

_CONNECT_SECONDS: Final = 5.0


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


def check_hooks(session: Session | None, on_attempt: object, trace_configs: Sequence[object]) -> None:
    """Check what listens to the attempts and to the session.

    Raises:
        ConfigurationError: it cannot.
    """
    if on_attempt is not None and not callable(on_attempt):
        raise ConfigurationError(f"on_attempt must be callable, not {on_attempt!r}")
    if not all(isinstance(each, TraceConfig) for each in trace_configs):
        raise ConfigurationError("trace_configs must be aiohttp.TraceConfig objects")
    if session is not None and trace_configs:
        raise ConfigurationError("trace_configs are for a session of our own: give yours its own")


def loop_of(session: Session | None) -> asyncio.AbstractEventLoop | None:
    """Return the event loop that a borrowed session belongs to."""
    return None if session is None else session._loop  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - the public way is deprecated


def capacity_of(session: Session | None, max_connections: int) -> int:
    """Return how many connections there can be at once, as far as a borrowed session tells."""
    connector = session.connector if session else None
    told = (connector.limit, connector.limit_per_host) if connector else ()
    return min((max_connections, *filter(None, told)))


def open_session(*, max_connections: int, trace_configs: list[aiohttp.TraceConfig]) -> Session:
    """Open a session of our own: it keeps no cookies, and knows of no proxy."""
    session = aiohttp.ClientSession(
        # A host each: whoever downloads must not keep the calls waiting.
        connector=aiohttp.TCPConnector(limit=0, limit_per_host=max_connections),
        trace_configs=trace_configs,
        cookie_jar=aiohttp.DummyCookieJar(),
    )
    session._retry_connection = False  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - a tenth cheaper than `send_once`
    return session


async def closed_with_loop(session: Session) -> AsyncGenerator[Session, None]:
    """Yield a session once, and close it when the generator is closed.

    The event loop closes generators that it leaves behind, and so does the collector of garbage: a
    client that is forgotten leaves no connection open.
    """
    connector = session.connector
    try:
        yield session
    finally:
        # What is being sent is of no use any more, and a server that does not read would keep it for ever.
        for connection in tuple(getattr(connector, "_acquired", ())):
            connection.abort()
        await session.close()


def environment_proxy(url: URL) -> str | None:
    """Return the proxy that the environment has for a URL: its own trust_env has aiohttp ask a thread.

    That it does before each request, and it fails on a netrc.
    """
    return None if proxy_bypass(url.host or "") else getproxies().get(url.scheme)


async def send_once(
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


async def without_authorization(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep a header that a borrowed session has for all its requests from a store of files."""
    request.headers.popall("Authorization", None)
    return await send(request)


@cache
def user_agent() -> str:
    """Name this library, Python and aiohttp."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - slow, and first needed here

    try:
        own = f"telnyx-rooms-async/{version('telnyx-rooms-async')}"
    except PackageNotFoundError:  # in a frozen program, or straight from a folder
        own = "telnyx-rooms-async"
    return f"{own} Python/{platform.python_version()} aiohttp/{aiohttp.__version__}"


@lru_cache(maxsize=16)
def attempt_timeout(seconds: float) -> aiohttp.ClientTimeout:
    """Bound an attempt. The wait for a connection ends before it: then certainly nothing was sent."""
    # Without the threshold aiohttp rounds what is longer than 5 s up to a whole second.
    return aiohttp.ClientTimeout(
        total=seconds, connect=min(_CONNECT_SECONDS, 0.9 * seconds), ceil_threshold=math.inf
    )


@lru_cache(maxsize=16)
def connect_timeout(seconds: float) -> aiohttp.ClientTimeout:
    """Bound the connecting of a download. All else of it has timers of our own."""
    return aiohttp.ClientTimeout(
        total=None, sock_connect=min(_CONNECT_SECONDS, seconds), ceil_threshold=math.inf
    )
