"""The transport: one request through aiohttp, to a `Response` or a `Failure`.

Exceptions of aiohttp end here and are never chained: they hold the headers of the request, and these hold the
API key.
"""

import asyncio
import json
import math
import re
import ssl
import warnings
import zlib
from collections.abc import AsyncGenerator, Sequence
from functools import partial
from io import BytesIO
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

import aiohttp
from aiohttp import hdrs
from attrs import evolve
from multidict import CIMultiDict
from yarl import URL

from telnyx_rooms_async.core.error_mapping import redacted_headers
from telnyx_rooms_async.core.http_messages import Failure, Request, Response
from telnyx_rooms_async.core.secret import Secret, without_async_frames
from telnyx_rooms_async.core.validators import is_loopback
from telnyx_rooms_async.errors import ClientClosedError, ConfigurationError, FailureKind
from telnyx_rooms_async.http.connection import (
    CONNECT_TIMEOUT,
    Proxies,
    Session,
    TLSOption,
    TraceConfig,
    UnsentError,
    attempt_timeout,
    load_tls,
    own_session,
)
from telnyx_rooms_async.http.credentials import Credentials
from telnyx_rooms_async.http.in_flight import InFlightCalls

_MAX_BODY: Final = 8 * 2**20
_MAX_ERROR_BODY: Final = 64 * 2**10
_MAX_HEADERS: Final = 64 * 2**10
_LARGE_BODY: Final = 2**20
_MAX_MEMBERS: Final = 16
"""Members of a gzip file, each of which can be tiny."""
_PROXY_AUTHENTICATION_REQUIRED: Final = 407
"""Only a proxy sends this status."""
_REFUSED_BY_PROXY: Final = Failure(
    reason=FailureKind.PROXY_AUTHENTICATION,
    sent=False,
    detail="it sent status 407: check the user and the password in http://USER:PASSWORD@HOST:PORT",
)
_REFUSED_CERTIFICATE: Final = "_ALERT_.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)"


class AiohttpTransport:
    """Sends requests through a session that is opened before the first request, or borrowed.

    A borrowed session is never closed here; `tls`, `proxies` and `trace_configs` are not for it. There are up
    to `max_connections` for calls, and as many for downloads.
    """

    _owned: AsyncGenerator[Session, None] | None = None  # a class attribute, for an __init__ that raises

    def __init__(
        self,
        *,
        base_url: str,
        session: Session | None,
        in_flight_calls: InFlightCalls,
        max_connections: int,
        tls: TLSOption,
        proxies: Proxies | None,
        trace_configs: Sequence[TraceConfig],
        user_agent: str,
    ) -> None:
        self._base = URL(base_url, encoded=True)
        self._path_prefix = self._base.raw_path.rstrip("/")
        self._in_flight_calls = in_flight_calls
        self._session = session
        self._is_borrowed: Final = session is not None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._max_connections = max_connections
        self._download_slots: asyncio.Semaphore  # made with the session
        self._shared_headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": user_agent,
        }
        self._open_session = partial(
            own_session,
            headers=self._shared_headers,
            max_connections=max_connections,
            trace_configs=list(trace_configs),
            response_class=_Response,
            has_proxy=proxies is not None and not proxies.is_empty,
        )
        self._tls = tls
        self._proxies = proxies
        self._proxy = None if proxies is None else proxies.choose(self._base)

    def __del__(self) -> None:
        if self._owned is not None:
            message = "a RoomsClient was never closed: use `async with`, or await its close()"
            warnings.warn(message, ResourceWarning, source=self, stacklevel=1)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client cannot be pickled: it holds the API key; make one where it is needed")

    @property
    def is_https(self) -> bool:
        """Whether the base URL is one of https."""
        return self._base.scheme == "https"

    @property
    def is_loopback(self) -> bool:
        """Whether the base URL leads to this machine, judged by its host."""
        return is_loopback(self._base.raw_host or "")

    @property
    def base_url(self) -> str:
        """The base URL in a normal form."""
        parts = urlsplit(str(self._base))
        return parts._replace(netloc=parts.netloc.lower()).geturl()

    async def send(self, request: Request, credentials: Credentials, seconds: float) -> Response | Failure:
        """Send a request once, within `seconds` from the wait for a connection to the last byte.

        Raises:
            ClientClosedError: the borrowed session is closed.
            ConfigurationError: the borrowed session has credentials of its own for this host.
        """
        session = self._session
        if session is None or session.closed or self._loop is not self._in_flight_calls.loop:
            session = await self._open_or_reopen()
        url = self._base.with_path(self._path_prefix + request.path, encoded=True)
        if request.query:
            url = URL(f"{url}?{request.query_string}", encoded=True)
        key = credentials.key
        try:
            response = await session.request(
                request.method,
                url,
                data=None if request.body is None and not self._is_borrowed else self._payload(request),
                headers=self._headers(request, credentials),
                timeout=attempt_timeout(seconds),
                allow_redirects=False,
                raise_for_status=False,
                auto_decompress=False,
                proxy=self._proxy,
                max_line_size=_MAX_HEADERS,
                max_field_size=_MAX_HEADERS,
            )
            if response.closed:  # the body came with the headers
                body = response.content.read_nowait()
                if request.body is not None:
                    await response.wait_for_close()  # the request may still be being sent
            else:
                async with response:
                    body = await _read_body(response)
            return _to_response(response, body, key, request.secrets)
        except (aiohttp.ClientError, OSError) as error:
            return self._with_hint(_to_failure(error), self._base)
        except asyncio.CancelledError:
            if not self._was_session_closed():
                raise
            raise ClientClosedError from None
        except ValueError:
            if not session.trust_env:  # else aiohttp has read a password for the host from netrc
                raise
        raise ConfigurationError("the session has a password for this host, from netrc perhaps")

    @without_async_frames
    async def open(
        self, url: Secret, *, offset: int, if_range: str | None, seconds: float
    ) -> "Stream | Failure":
        """Start the download of a file from `offset` on, if it is still the version `if_range`.

        Neither is the API key sent, nor does the presigned URL appear in a failure. The headers of the
        response are waited for up to `seconds`, and so is each chunk of the body.

        Raises:
            ClientClosedError: the borrowed session is closed.
        """
        headers = {**self._shared_headers, "Accept": "*/*", "Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
            if if_range is not None:
                headers["If-Range"] = if_range
        target = URL(url, encoded=True)
        session = await self._current_session()
        try:
            async with asyncio.timeout(seconds):
                response = await session.get(
                    target,
                    headers=headers,
                    timeout=aiohttp.ClientTimeout(
                        total=None, sock_connect=min(CONNECT_TIMEOUT, seconds), ceil_threshold=math.inf
                    ),
                    allow_redirects=False,
                    raise_for_status=False,
                    auto_decompress=False,
                    middlewares=(_without_authorization,) if "Authorization" in session.headers else None,
                    proxy=None if self._proxies is None else self._proxies.choose(target),
                    max_line_size=_MAX_HEADERS,
                    max_field_size=_MAX_HEADERS,
                )
        except (aiohttp.ClientError, OSError) as error:
            return self._with_hint(_to_failure(error, show_message=False), target)
        except asyncio.CancelledError:
            if not self._was_session_closed():
                raise
            raise ClientClosedError from None
        if response.status == _PROXY_AUTHENTICATION_REQUIRED:
            response.close()
            return _REFUSED_BY_PROXY
        return Stream(response)

    async def download_slots(self) -> asyncio.Semaphore:
        """Return the semaphore that a download holds while it is connected; it has one slot per connection.

        So the wait for a free connection does not count as time that the server takes.

        Raises:
            ClientClosedError: the client is closed, or the borrowed session is.
        """
        await self._current_session()
        return self._download_slots

    def _with_hint(self, failure: Failure, url: URL) -> Failure:
        """Add a hint at a proxy variable that is not used: the network may need it."""
        if failure.reason is not FailureKind.CONNECT or self._proxies is None:
            return failure
        return evolve(failure, detail=failure.detail + self._proxies.hint(url))

    async def close(self) -> None:
        """Close the session, unless it is borrowed."""
        owned, self._owned = self._owned, None
        if owned is not None:
            await owned.aclose()

    async def _current_session(self) -> Session:
        session = self._session
        if session is None or session.closed or self._loop is not self._in_flight_calls.loop:
            return await self._open_or_reopen()
        return session

    async def _open_or_reopen(self) -> Session:
        """Open a session, for the first request or in another event loop; check a borrowed session."""
        loop = self._in_flight_calls.loop
        tls = await load_tls(self._tls)
        if self._in_flight_calls.is_closed:
            raise ClientClosedError
        session = self._session
        if session is not None and not session.closed and self._loop is loop:
            return session  # another call has opened it meanwhile
        self._loop = loop
        self._download_slots = asyncio.Semaphore(self._max_connections)
        if not self._is_borrowed:
            self._owned = self._open_session(tls=tls)
            self._session = session = await anext(self._owned)
        elif session is None or session.closed:
            raise ClientClosedError
        return session

    def _headers(self, request: Request, credentials: Credentials) -> CIMultiDict[str]:
        """Return the headers of a request, without those that the session adds."""
        # For a POST without a body too, to which aiohttp would add another content type.
        has_json = request.body is not None or request.method == "POST"
        headers = credentials.json_headers if has_json else credentials.headers
        if request.headers or self._is_borrowed:
            headers = headers.copy()
            if self._is_borrowed:
                headers.update(self._shared_headers)
            headers.update(request.headers)
        return headers

    def _payload(self, request: Request) -> bytes | BytesIO | aiohttp.Payload | None:
        if request.body is None:
            is_resent = self._is_borrowed and request.method == "DELETE"
            return _SingleUsePayload(b"", content_type="application/json") if is_resent else None
        # aiohttp warns of a large body of bytes.
        return request.body if len(request.body) <= _LARGE_BODY else BytesIO(request.body)

    def _was_session_closed(self) -> bool:
        """Return whether a CancelledError comes from the closing of a borrowed session, not from a user."""
        task = asyncio.current_task()
        is_closed = self._is_borrowed and self._session is not None and self._session.closed
        return is_closed and (task is None or task.cancelling() == 0)


class Stream:
    """The body of a download, read in chunks."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.head: Response = Response(response.status, response.raw_headers)
        """Status and headers."""

    @without_async_frames
    async def read(self, *, seconds: float) -> bytes | Failure:
        """Return the bytes that arrive within `seconds`, ``b""`` at the end."""
        try:
            # aiohttp has a timer of its own, but stops it when its session is closed.
            async with asyncio.timeout(seconds):
                return await self._response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            return _to_failure(error, show_message=False)

    def close(self) -> None:
        """Release the connection; it is reused if the whole body was read."""
        self._response.release()


def is_usable_url(url: Secret) -> bool:
    """Return whether a URL can be requested: aiohttp raises a `ValueError` for any other."""
    try:
        return bool(URL(url, encoded=True).host) and not re.search(r"[\x00-\x20\x7f\\]", url)
    except ValueError:
        return False


# --- for sessions of our own ------------------------------------------------------------------------------


class _Response(aiohttp.ClientResponse):
    """Response that leaves it to the retry policy whether a request is sent again.

    aiohttp resends a GET or DELETE by itself when a kept-alive connection was dead: at errors of two classes,
    for which errors of other classes stand here. After a 101, which no request asks for, it would reuse the
    connection, and take what follows for the response to the next request.
    """

    async def start(self, connection: Any) -> aiohttp.ClientResponse:  # noqa: ANN401 - not exported
        """Read the headers."""
        protocol = connection.protocol
        try:
            await super().start(connection)
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
            cause = error.__cause__
            alert = cause.reason if isinstance(cause, ssl.SSLError) else None
            is_refusal = re.search(_REFUSED_CERTIFICATE, alert or "")
            error_class = _ClientCertificateError if is_refusal else aiohttp.ClientConnectionError
            raise error_class(_message(error)) from None
        if self.status < 200:  # noqa: PLR2004 - aiohttp skips all others
            protocol.close()
        return self


class _ClientCertificateError(aiohttp.ClientConnectionError):
    """The server refused the client certificate, or its absence.

    In TLS 1.3 a server does so after the handshake, when the request is on its way.
    """


# --- for borrowed sessions --------------------------------------------------------------------------------


class _SingleUsePayload(aiohttp.BytesPayload):
    """Empty body of a DELETE through a borrowed session.

    aiohttp resends a DELETE by itself when the connection breaks, and a deletion that was done would then
    fail with 404. It does not resend a body that is consumed.
    """

    @property
    def consumed(self) -> bool:
        """Whether the body cannot be written again."""
        return True


async def _without_authorization(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Middleware: a header that a borrowed session sends with all requests must not reach a file store."""
    request.headers.popall("Authorization", None)
    return await handler(request)


# --- responses --------------------------------------------------------------------------------------------


async def _read_body(response: aiohttp.ClientResponse) -> bytes:
    """Read the body as it was sent, up to a little more than its limit."""
    if response.status < 200:  # noqa: PLR2004 - a 101 that was not asked for
        return b""
    is_error = response.status >= 400  # noqa: PLR2004 - 4xx and 5xx
    left = _MAX_ERROR_BODY if is_error else _MAX_BODY
    chunks: list[bytes] = []
    try:
        while left >= 0 and (chunk := await response.content.readany()):
            chunks.append(chunk)
            left -= len(chunk)
    except (aiohttp.ClientError, OSError):
        if not is_error:  # else the status is enough
            raise
    return b"".join(chunks)


def _to_response(
    response: aiohttp.ClientResponse, body: bytes, api_key: Secret, secrets: tuple[str, ...]
) -> Response | Failure:
    """Decompress the body, and check its size.

    An error response may repeat the request: the API key and the `secrets` of the request are removed.
    """
    raw_headers, status = response.raw_headers, response.status
    if status < 200:  # noqa: PLR2004 - a 101 that was not asked for
        return Failure(reason=FailureKind.MALFORMED, sent=True, detail=f"unexpected status {status}")
    is_error = status >= 400  # noqa: PLR2004 - 4xx and 5xx
    limit = _MAX_ERROR_BODY if is_error else _MAX_BODY
    encoding = response.headers.get(hdrs.CONTENT_ENCODING)
    if encoding and len(body) <= limit:
        try:
            body = _decompress(body, encoding.strip().lower(), limit)
        except _DecompressionError as error:
            if not is_error:
                return Failure(reason=FailureKind.UNREADABLE, sent=True, detail=f"the body is {error}")
            body = b""
    if status == _PROXY_AUTHENTICATION_REQUIRED:
        return _REFUSED_BY_PROXY
    if not is_error and len(body) > limit:
        return Failure(reason=FailureKind.TOO_LARGE, sent=True, detail=f"more than {limit} bytes")
    if status >= 300:  # noqa: PLR2004 - no success
        raw_headers = redacted_headers(raw_headers, (api_key,))
        body = _redacted_body(body[:limit], (api_key, *secrets))
    return Response(status, raw_headers, body)


def _redacted_body(body: bytes, secrets: tuple[str, ...]) -> bytes:
    """Return a body without secrets in each way that JSON can write them."""
    for secret in secrets:
        forms = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
        for form in forms | {form.replace("/", r"\/") for form in forms}:
            body = body.replace(form.encode(), b"***")
    return body


class _DecompressionError(Exception):
    """The body is not compressed as its header says, or is truncated."""


def _decompress(body: bytes, encoding: str, limit: int) -> bytes:
    """Return the decompressed body, or a little more than `limit` bytes of a larger one.

    aiohttp would accept a truncated body as complete.

    Raises:
        _DecompressionError: it is corrupt or truncated, or has an encoding that was not accepted.
    """
    if not body or encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise _DecompressionError("in a content encoding that was not accepted")
    is_gzip = encoding != "deflate"
    # Some servers leave out the zlib header that the standard asks for.
    is_raw = not is_gzip and body[0] & 0x0F != zlib.DEFLATED
    wbits = 16 + zlib.MAX_WBITS if is_gzip else -zlib.MAX_WBITS if is_raw else zlib.MAX_WBITS
    result = b""
    for _ in range(_MAX_MEMBERS):
        decompressor = zlib.decompressobj(wbits)
        try:
            result += decompressor.decompress(body, limit + 1 - len(result))
        except zlib.error:
            raise _DecompressionError("corrupt") from None
        if len(result) > limit:
            return result
        if not decompressor.eof:
            raise _DecompressionError("cut off")
        body = decompressor.unused_data
        if not (is_gzip and body.startswith(b"\x1f\x8b")):  # no further member
            return result
    raise _DecompressionError("in too many parts")


# --- failures ---------------------------------------------------------------------------------------------

_FAILURES: Final[tuple[tuple[tuple[type[Exception], ...], FailureKind, bool], ...]] = (
    (
        (aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch, _ClientCertificateError),
        FailureKind.TLS,
        False,
    ),
    ((aiohttp.ClientConnectorError, aiohttp.ClientHttpProxyError, UnsentError), FailureKind.CONNECT, False),
    ((aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL), FailureKind.CONNECT, False),
    ((TimeoutError,), FailureKind.TIMEOUT, True),
    ((aiohttp.ClientResponseError,), FailureKind.MALFORMED, True),
)
"""The first row that matches gives the reason, and whether the server may have received the request."""


def _to_failure(error: Exception, *, show_message: bool = True) -> Failure:
    """Return the failure that an exception of aiohttp stands for."""
    if isinstance(error, aiohttp.ClientHttpProxyError) and error.status == _PROXY_AUTHENTICATION_REQUIRED:
        return _REFUSED_BY_PROXY
    detail = (show_message and _message(error)) or type(error).__name__
    for types, reason, sent in _FAILURES:
        if isinstance(error, types):
            return Failure(reason=reason, sent=sent, detail=detail)
    return Failure(reason=FailureKind.LOST, sent=True, detail=detail)


def _message(error: Exception) -> str:
    """Return the message of an exception without the part that repeats what was received."""
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the server closed the connection"
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return f"the proxy {error.host}:{error.port} cannot be reached: {error.os_error}"
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"the proxy refused the connection with status {error.status}"
    return error.message.partition(":")[0] if isinstance(error, aiohttp.ClientResponseError) else str(error)
