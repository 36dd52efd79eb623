"""The `aiohttp.ClientSession` of a client, borrowed or opened here; its timeouts and proxies."""

import asyncio
import math
import platform
import socket
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from inspect import isasyncgenfunction, iscoroutinefunction
from typing import Any, Final, TypeAlias, cast
from urllib.request import getproxies_environment, proxy_bypass
from weakref import WeakSet

import aiohttp
from yarl import URL

from telnyx_rooms_async.core.http_messages import checked_headers
from telnyx_rooms_async.core.secret import Secret
from telnyx_rooms_async.core.validators import is_loopback
from telnyx_rooms_async.errors import ConfigurationError
from telnyx_rooms_async.version import __version__

Session: TypeAlias = aiohttp.ClientSession
TraceConfig: TypeAlias = aiohttp.TraceConfig

CONNECT_TIMEOUT: Final = 5.0
_CONNECT_ERRORS: Final = (
    TimeoutError,
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ServerFingerprintMismatch,
)
"""Errors that mean by themselves that nothing was sent."""


class TunnelError(aiohttp.ClientConnectionError):
    """A proxy failed before there was a connection to the server."""


# --- a borrowed session, and hooks ------------------------------------------------------------------------


def check_session(
    session: object, *, trust_env: bool, on_attempt: object, trace_configs: Sequence[object]
) -> None:
    """Check a borrowed session, and the hooks of attempts and of the session.

    Raises:
        ConfigurationError: the session is not an `aiohttp.ClientSession`, has an auth, or is given together
            with options for a session of our own; or a hook cannot be called.
    """
    if session is not None:
        if trust_env:
            raise ConfigurationError(
                "trust_env is for a session of our own: make yours with a proxy, or with trust_env=True"
            )
        if not isinstance(session, Session):
            raise ConfigurationError(f"session must be an aiohttp.ClientSession, not {session!r}")
        if session.auth is not None:
            raise ConfigurationError("the session has an auth of its own, which would displace the API key")
        if trace_configs:
            raise ConfigurationError("trace_configs are for a session of our own: give yours its own")
    is_sequence = isinstance(cast("object", trace_configs), Sequence)
    if not is_sequence or not all(isinstance(config, TraceConfig) for config in trace_configs):
        raise ConfigurationError("trace_configs must be aiohttp.TraceConfig objects")
    if on_attempt is not None and not callable(on_attempt):
        raise ConfigurationError(f"on_attempt must be callable, not {on_attempt!r}")
    if _is_async_callable(on_attempt):
        raise ConfigurationError("on_attempt must be a plain function: it is called, and not awaited")


def _is_async_callable(value: object) -> bool:
    """Return whether a call of this runs nothing by itself, and returns what must be awaited or iterated.

    A plain function that returns a coroutine cannot be recognized.
    """
    while isinstance(value, partial):
        value = value.func
    functions = (value, getattr(type(value), "__call__", None))  # noqa: B004 - what it is, not whether it is
    return any(iscoroutinefunction(function) or isasyncgenfunction(function) for function in functions)


def borrowed_loop(session: Session | None) -> asyncio.AbstractEventLoop | None:
    """Return the event loop of a borrowed session, which is made in its event loop."""
    with suppress(RuntimeError):  # no running loop
        return asyncio.get_running_loop() if session is not None else None
    return None


def capacity(session: Session | None, max_connections: int) -> int:
    """Return how many connections can be open at once, as far as a borrowed session shows."""
    connector = session.connector if session else None
    limits = (connector.limit, connector.limit_per_host) if connector else ()
    return min((max_connections, *filter(None, limits)))


# --- a session of our own ---------------------------------------------------------------------------------


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


async def own_session(
    *,
    max_connections: int,
    trace_configs: list[aiohttp.TraceConfig],
    middlewares: Sequence[aiohttp.ClientMiddlewareType],
    trust_env: bool,
) -> AsyncGenerator[Session, None]:
    """Open a session, yield it once, and close it when the generator is closed.

    The event loop closes its unfinished generators at its end, and so does the garbage collector: a client
    that is forgotten leaves no connection open. The session keeps no cookies, and reads no proxy variables.
    """
    sockets = WeakSet[socket.socket]()

    def open_socket(address: Any) -> socket.socket:  # noqa: ANN401 - a tuple of aiohappyeyeballs
        family, socket_type, protocol, _, _ = address
        opened = socket.socket(family, socket_type, protocol)
        sockets.add(opened)
        return opened

    connector = _ProxyConnector if trust_env else aiohttp.TCPConnector
    session = aiohttp.ClientSession(
        # The limit is per host, so that downloads do not take the connections of calls.
        connector=connector(limit=0, limit_per_host=max_connections, socket_factory=open_socket),
        trace_configs=trace_configs,
        middlewares=middlewares,
        cookie_jar=aiohttp.DummyCookieJar(),
    )
    try:
        yield session
    finally:
        # A transport that is closed first sends what is buffered, and a server may never read it.
        for opened in sockets:
            if opened.fileno() != -1:
                with suppress(OSError):  # not connected any more
                    opened.shutdown(socket.SHUT_RDWR)
        await session.close()


def user_agent(suffix: str | None) -> str:
    """Return the ``User-Agent`` header: this library, Python, aiohttp, and the program.

    Raises:
        ConfigurationError: the suffix cannot be sent in a header.
    """
    python = platform.python_version()
    products = f"telnyx-rooms-async/{__version__} Python/{python} aiohttp/{aiohttp.__version__}"
    if suffix is None:
        return products
    with suppress(ConfigurationError):
        return f"{products} {checked_headers({'User-Agent': suffix})['User-Agent']}"
    raise ConfigurationError("user_agent_suffix must be text such as 'my-app/1.2', of ASCII characters")


@lru_cache(maxsize=16)
def attempt_timeout(seconds: float) -> aiohttp.ClientTimeout:
    """Return the timeout of an attempt. The wait for a connection ends earlier: then nothing was sent."""
    # Without the threshold, aiohttp rounds more than 5 s up to a whole second.
    return aiohttp.ClientTimeout(
        total=None if seconds == math.inf else seconds,
        connect=min(CONNECT_TIMEOUT, 0.9 * seconds),
        ceil_threshold=math.inf,
    )


def environment_proxy(url: URL) -> Secret | None:
    """Return the proxy that the environment names for a URL, with its credentials.

    The variables are ``https_proxy`` or ``http_proxy``, ``all_proxy`` and ``no_proxy``. aiohttp's own
    trust_env would start a thread for each request, and fail on a netrc file.

    Raises:
        ConfigurationError: the variable does not hold an HTTP proxy. Its value is not shown.
    """
    host = url.host or ""
    if is_loopback(host):
        return None
    proxies = getproxies_environment()
    scheme = url.scheme if proxies.get(url.scheme) else "all"
    variable = f"{scheme}_proxy"
    proxy = Secret(proxies.get(scheme, "").strip())
    # With a proxy in the environment, this reads no_proxy and nothing else of the system.
    if not proxy or proxy_bypass(f"{host}:{url.port}"):
        return None
    if "://" not in proxy:
        proxy = Secret(f"http://{proxy}")
    proxy_scheme = proxy.partition("://")[0].lower()
    if proxy_scheme.startswith("socks"):
        raise ConfigurationError(f"{variable} names a SOCKS proxy, which is not supported: use an HTTP proxy")
    is_usable = False
    with suppress(ValueError):
        parts = URL(proxy)
        # A password with an unescaped slash, question mark or hash would make a part of it the host.
        is_plain = parts.raw_path in ("", "/") and not parts.raw_query_string and not parts.raw_fragment
        is_usable = proxy_scheme in ("http", "https") and bool(parts.host and parts.port) and is_plain
    if not is_usable:
        raise ConfigurationError(f"{variable} must be an HTTP proxy: http://HOST:PORT or HOST:PORT")
    return proxy
