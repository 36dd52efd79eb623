"""The session: borrowed from the user, or opened by us; and what every request of it has in common."""

import asyncio
import math
import platform
from collections.abc import AsyncGenerator, Sequence
from functools import cache, lru_cache
from typing import Any, Final, TypeAlias
from urllib.request import getproxies_environment, proxy_bypass

import aiohttp
from yarl import URL

from telnyx_rooms_async.core.secret import Secret
from telnyx_rooms_async.core.validators import is_async_callable, is_loopback
from telnyx_rooms_async.errors import ConfigurationError
from telnyx_rooms_async.version import __version__

Session: TypeAlias = aiohttp.ClientSession
"""What a user may lend a client."""
TraceConfig: TypeAlias = aiohttp.TraceConfig
"""What listens to a session."""

_CONNECT_SECONDS: Final = 5.0
# Each of them says by itself that nothing was sent.
_CONNECT_ERRORS: Final = (
    TimeoutError,
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ServerFingerprintMismatch,
)


class TunnelError(aiohttp.ClientConnectionError):
    """A proxy failed before there was a connection to the server."""


def check_session(session: object, *, trust_env: bool) -> None:
    """Check a session that a user lends.

    Raises:
        ConfigurationError: it is none, has an auth of its own, or is to have a proxy of ours.
    """
    if session is None:
        return
    if trust_env:
        raise ConfigurationError(
            "trust_env is for a session of our own: make yours with a proxy, or with trust_env=True"
        )
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
    if is_async_callable(on_attempt):
        raise ConfigurationError("on_attempt must be a plain function: it is called, and not awaited")
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


class _ProxyConnector(aiohttp.TCPConnector):
    """Connector that distinguishes a proxy that fails before its tunnel is open from a lost request."""

    async def connect(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - as the base class has them
        """Open a connection, through the proxy if the request has one.

        Raises:
            TunnelError: the proxy closed the connection, or did not answer in HTTP: nothing was sent.
        """
        try:
            return await super().connect(*args, **options)
        except _CONNECT_ERRORS:
            raise
        except (aiohttp.ClientError, OSError) as error:
            name = type(error).__name__
        raise TunnelError(f"the proxy opened no connection to the server: {name}")


def open_session(
    *, max_connections: int, trace_configs: list[aiohttp.TraceConfig], trust_env: bool
) -> Session:
    """Open a session of our own: it keeps no cookies, and reads no proxy variables by itself."""
    connector = _ProxyConnector if trust_env else aiohttp.TCPConnector
    session = aiohttp.ClientSession(
        # A host each: whoever downloads must not keep the calls waiting.
        connector=connector(limit=0, limit_per_host=max_connections),
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


def environment_proxy(url: URL) -> Secret | None:
    """Return the proxy that the environment names for a URL, with its credentials.

    The variables are ``https_proxy`` or ``http_proxy``, ``all_proxy`` and ``no_proxy``. aiohttp's own
    trust_env would start a thread for each request, and fail on a netrc.

    Raises:
        ConfigurationError: the variable holds no HTTP proxy. Its value is not shown.
    """
    host = url.host or ""
    if is_loopback(host):
        return None
    proxy, name = _proxy_variable(url.scheme)
    # With a proxy in the environment, this reads no_proxy and nothing else of the system.
    if not proxy or proxy_bypass(f"{host}:{url.port}"):
        return None
    scheme, is_usable = _proxy_parts(proxy)
    if scheme.startswith("socks"):
        raise ConfigurationError(f"{name} names a SOCKS proxy, which is not supported: use an HTTP proxy")
    if not is_usable:
        raise ConfigurationError(f"{name} must be an HTTP proxy: http://HOST:PORT or HOST:PORT")
    return proxy


def _proxy_variable(scheme: str) -> tuple[Secret, str]:
    """Return the proxy for URLs of a scheme, and the name of its variable."""
    proxies = getproxies_environment()
    name = scheme if proxies.get(scheme) else "all"
    proxy = proxies.get(name, "").strip()
    return Secret(proxy if "://" in proxy or not proxy else f"http://{proxy}"), f"{name}_proxy"


def _proxy_parts(proxy: str) -> tuple[str, bool]:
    """Return the scheme of a proxy's URL, and whether the rest is a host and a port, with credentials or not.

    A password with an unescaped slash, question mark or hash would make a part of it the host.
    """
    scheme = proxy.partition("://")[0].lower()
    try:
        url = URL(proxy)
        is_plain = url.raw_path in ("", "/") and not url.raw_query_string and not url.raw_fragment
        return scheme, scheme in ("http", "https") and bool(url.host and url.port) and is_plain
    except ValueError:
        return scheme, False


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
    python = platform.python_version()
    return f"telnyx-rooms-async/{__version__} Python/{python} aiohttp/{aiohttp.__version__}"


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
