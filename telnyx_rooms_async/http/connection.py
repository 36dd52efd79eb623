"""The `aiohttp.ClientSession` of a client, borrowed or opened here; its timeouts, TLS and proxies."""

import asyncio
import math
import os
import platform
import socket
import ssl
from collections.abc import AsyncGenerator, Coroutine, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache, partial
from pathlib import Path
from threading import Lock
from typing import Any, Final, NamedTuple, TypeAlias, cast
from urllib.request import getproxies_environment, proxy_bypass
from weakref import WeakSet

import aiohttp
from yarl import URL

from telnyx_rooms_async.core.http_messages import checked_headers
from telnyx_rooms_async.core.secret import Secret
from telnyx_rooms_async.core.validators import has_valid_labels, is_loopback, short_repr
from telnyx_rooms_async.errors import ConfigurationError
from telnyx_rooms_async.shield import run_in_thread
from telnyx_rooms_async.version import __version__

Session: TypeAlias = aiohttp.ClientSession
TraceConfig: TypeAlias = aiohttp.TraceConfig

CONNECT_TIMEOUT: Final = 5.0


class UnsentError(aiohttp.ClientConnectionError):
    """There is no connection that a request can be sent on."""


_CONNECT_ERRORS: Final = (
    TimeoutError,
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ServerFingerprintMismatch,
    UnsentError,
)
"""Errors that mean by themselves that nothing was sent."""


# --- a borrowed session -----------------------------------------------------------------------------------


def check_session(session: object, **options: object) -> None:
    """Check a borrowed session.

    Args:
        session: the session, or None.
        options: options for a session of our own.

    Raises:
        ConfigurationError: the session is not an `aiohttp.ClientSession`, has an auth, or is given together
            with options for a session of our own.
    """
    if session is None:
        return
    if not isinstance(session, Session):
        raise ConfigurationError(f"session must be an aiohttp.ClientSession, not {session!r}")
    if session.auth is not None:
        raise ConfigurationError("the session has an auth of its own, which would displace the API key")
    if names := [name for name, value in options.items() if value]:
        raise ConfigurationError(f"{names[0]} is for the client's own session: pass it to aiohttp for yours")


def check_trace_configs(configs: Sequence[object]) -> None:
    """Raise a `ConfigurationError` for anything but a sequence of `aiohttp.TraceConfig`."""
    is_sequence = isinstance(cast("object", configs), Sequence)
    if not is_sequence or not all(isinstance(config, TraceConfig) for config in configs):
        raise ConfigurationError("trace_configs must be aiohttp.TraceConfig objects")


def borrowed_loop(session: Session | None) -> asyncio.AbstractEventLoop | None:
    """Return the event loop of a borrowed session, which is made in its event loop."""
    with suppress(RuntimeError):  # no running loop
        return asyncio.get_running_loop() if session is not None else None
    return None


def capacity(session: Session | None, max_connections: int) -> int:
    """Return how many connections can be open at once, as far as a borrowed session shows."""
    if session is None or session.connector is None:
        return max_connections
    limits = session.connector.limit, session.connector.limit_per_host
    return min((max_connections, *filter(None, limits)))


# --- a session of our own ---------------------------------------------------------------------------------


class _Request(aiohttp.ClientRequest):
    """Request that refuses a connection on which bytes came while no request was under way.

    aiohttp would take them for the response to the request, and each response for that of a later one.
    """

    def send(  # pyright: ignore[reportIncompatibleMethodOverride] - it expects the class of coroutines
        self,
        conn: Any,  # noqa: ANN401 - aiohttp does not export the class
    ) -> Coroutine[Any, Any, aiohttp.ClientResponse]:
        """Send the request.

        Raises:
            UnsentError: the server sent bytes before the request. The next attempt has another connection.
        """
        if conn.protocol is None or conn.protocol.should_close:
            raise UnsentError("the server sent bytes without a request")
        return super().send(conn)


class _ProxyConnector(aiohttp.TCPConnector):
    """Connector that distinguishes a proxy that fails before its tunnel is open from a lost request."""

    async def connect(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - as the base class has them
        """Open a connection, through the proxy if the request has one.

        Raises:
            UnsentError: the proxy closed the connection, or did not answer in HTTP: nothing was sent.
        """
        try:
            return await super().connect(*args, **options)
        except _CONNECT_ERRORS:
            raise
        except (aiohttp.ClientError, OSError) as error:
            name = type(error).__name__
        raise UnsentError(f"the proxy opened no connection to the server: {name}")


async def own_session(
    *,
    headers: Mapping[str, str],
    max_connections: int,
    trace_configs: list[aiohttp.TraceConfig],
    response_class: type[aiohttp.ClientResponse],
    has_proxy: bool,
    tls: ssl.SSLContext | bool,
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

    connector = _ProxyConnector if has_proxy else aiohttp.TCPConnector
    session = aiohttp.ClientSession(
        # The limit is per host, so that downloads do not take the connections of calls.
        connector=connector(limit=0, limit_per_host=max_connections, socket_factory=open_socket, ssl=tls),
        headers=headers,
        trace_configs=trace_configs,
        request_class=_Request,
        response_class=response_class,
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


# --- TLS --------------------------------------------------------------------------------------------------


class TLSFiles(NamedTuple):
    """Files that a TLS context is made of, and their versions: a certificate may be renewed."""

    ca_file: str | None
    client_cert: str | None
    versions: tuple[tuple[int, int], ...]


TLSOption: TypeAlias = ssl.SSLContext | TLSFiles | None
_loading: Final = Lock()


def find_tls(ssl_context: object, ca_file: object, client_cert: object, *, allow_insecure: bool) -> TLSOption:
    """Check the TLS options; the files are by default those of ``TELNYX_CA_FILE`` and ``TELNYX_CLIENT_CERT``.

    Raises:
        ConfigurationError: the context is not for a client, or verifies no certificate; or a file cannot be
            read, or does not hold PEM.
    """
    if ssl_context is None:
        paths = _find_path("ca_file", ca_file), _find_path("client_cert", client_cert)
        if not any(paths):
            return None
        # A context with the CAs of the system takes 20 ms: it is loaded in a thread, for the first request.
        return TLSFiles(*paths, _load_files(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), *paths))
    if ca_file is not None or client_cert is not None:
        raise ConfigurationError("ssl_context and ca_file or client_cert: load the files into the context")
    if not isinstance(ssl_context, ssl.SSLContext):
        raise ConfigurationError(f"ssl_context must be an ssl.SSLContext, not {short_repr(ssl_context)}")
    if ssl_context.verify_mode is ssl.CERT_NONE and not allow_insecure:
        raise ConfigurationError(
            "ssl_context verifies no certificate, so that any server would get the API key:"
            " use ssl.create_default_context()"
        )
    return ssl_context


async def load_tls(tls: TLSOption) -> ssl.SSLContext | bool:
    """Return the TLS context of a session; True for the default of aiohttp.

    Raises:
        ConfigurationError: a file has changed, and cannot be read any more.
    """
    if isinstance(tls, TLSFiles):
        return await run_in_thread(partial(_context_of_files, tls))
    return True if tls is None else tls


def _context_of_files(files: TLSFiles) -> ssl.SSLContext:
    with _loading:  # several first calls wait for one context
        return _cached_context(files)


@lru_cache(maxsize=16)
def _cached_context(files: TLSFiles) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    _load_files(context, files.ca_file, files.client_cert)
    return context


def _load_files(
    context: ssl.SSLContext, ca_file: str | None, client_cert: str | None
) -> tuple[tuple[int, int], ...]:
    """Add a CA file and a client certificate to a context, and return their versions."""
    versions: list[tuple[int, int]] = []
    if ca_file:
        with _file_errors("ca_file", ca_file, "CA certificates in PEM format"):
            versions.append(_version(ca_file))
            context.load_verify_locations(ca_file)
    if client_cert:
        content = "a certificate and its private key, without a password, in PEM format"
        with _file_errors("client_cert", client_cert, content):
            versions.append(_version(client_cert))
            # OpenSSL would ask for a password at the terminal.
            context.load_cert_chain(client_cert, password=lambda: "")
    return tuple(versions)


@contextmanager
def _file_errors(name: str, path: str, content: str) -> Generator[None, None, None]:
    """Raise a ConfigurationError for a file that cannot be loaded."""
    try:
        yield
    except ssl.SSLError:
        raise ConfigurationError(f"{name} must hold {content}: {short_repr(path)}") from None
    except (OSError, ValueError) as error:  # a ValueError for a NUL
        problem = getattr(error, "strerror", None) or "invalid path"
        raise ConfigurationError(f"{name} cannot be read: {short_repr(path)}: {problem}") from None


def _version(path: str) -> tuple[int, int]:
    """Return the time of the last change of a file, and its size."""
    stat = Path(path).stat()
    return stat.st_mtime_ns, stat.st_size


def _find_path(name: str, value: object) -> str | None:
    """Return the absolute path of an option, by default of its environment variable."""
    if value is None:
        value = os.environ.get(f"TELNYX_{name.upper()}") or None
    if value is None:
        return None
    is_path = isinstance(value, str | os.PathLike)
    path: object = os.fspath(cast("os.PathLike[str]", value)) if is_path else None
    if not isinstance(path, str) or not path:
        raise ConfigurationError(f"{name} must be the path of a file, not {short_repr(value)}")
    return str(Path(path).absolute())  # the file is read again for the first request


# --- proxies ----------------------------------------------------------------------------------------------


class Proxies:
    """Chooses the proxy of a request: `proxy`, else ``TELNYX_PROXY``, else with `trust_env` a proxy variable.

    The proxy variables are ``https_proxy`` or ``http_proxy``, ``all_proxy`` and ``no_proxy``. aiohttp's own
    trust_env would start a thread for each request, and fail on a netrc file. No variable, ``TELNYX_PROXY``
    included, applies to this machine.

    Raises:
        ConfigurationError: it is not an HTTP proxy. Its URL is not shown.
    """

    def __init__(self, proxy: Secret | None, *, trust_env: bool) -> None:
        self._option = None if proxy is None else _check_proxy("proxy", proxy)
        variable = Secret(os.environ.get("TELNYX_PROXY", "").strip())
        self._variable = _check_proxy("TELNYX_PROXY", variable) if variable and not proxy else None
        self._trust_env = trust_env
        self.is_empty: bool = not (proxy or variable or trust_env)
        """Whether no request can have a proxy."""

    def choose(self, url: URL) -> Secret | None:
        """Return the proxy for a URL, with its credentials.

        Raises:
            ConfigurationError: a proxy variable does not hold an HTTP proxy. Its value is not shown.
        """
        if self.is_empty:
            return None
        if self._option or is_loopback(url.host or ""):
            return self._option
        if self._variable or not self._trust_env:
            return self._variable
        name, proxy = _environment_proxy(url)
        return _check_proxy(name, proxy) if proxy else None

    def hint(self, url: URL) -> str:
        """Return a hint for a connection error, if a proxy variable is set for the URL and not used."""
        if not self.is_empty or is_loopback(url.host or ""):
            return ""
        name, proxy = _environment_proxy(url)
        return f"; {name} is set but not used: pass trust_env=True, or set TELNYX_PROXY" if proxy else ""


def _environment_proxy(url: URL) -> tuple[str, Secret]:
    """Return the name and the value of the proxy variable for a URL; an empty value for no proxy."""
    proxies = getproxies_environment()
    scheme = url.scheme if proxies.get(url.scheme) else "all"
    proxy = Secret(proxies.get(scheme, "").strip())
    # With a proxy in the environment, this reads no_proxy and nothing else of the system.
    if proxy and proxy_bypass(f"{url.host}:{url.port}"):
        proxy = Secret()
    return f"{scheme}_proxy", proxy


def _check_proxy(name: str, proxy: Secret) -> Secret:
    """Return the URL of a proxy with its scheme."""
    if "://" not in proxy:
        proxy = Secret(f"http://{proxy}")
    scheme = proxy.partition("://")[0].lower()
    if scheme.startswith("socks"):
        raise ConfigurationError(f"{name} names a SOCKS proxy, which is not supported: use an HTTP proxy")
    is_usable = False
    with suppress(ValueError):
        parts = URL(proxy)
        # A password with an unescaped slash, question mark or hash would make a part of it the host.
        is_plain = parts.raw_path in ("", "/") and not parts.raw_query_string and not parts.raw_fragment
        has_host = has_valid_labels(parts.raw_host or "") and bool(parts.port)
        is_usable = scheme in ("http", "https") and has_host and is_plain
    if not is_usable:
        raise ConfigurationError(f"{name} must be an HTTP proxy: http://HOST:PORT or HOST:PORT")
    return proxy
