"""Carry one request over aiohttp and bring back a `Response` or a `Failure`.

The only client-side room that knows aiohttp: `session` is what it sends through, `answers` what comes
back. Cancellation passes untouched.
"""

import asyncio
from typing import NoReturn

import aiohttp
from yarl import URL

from telnyx_rooms_async.core.errors import ClientClosedError, ConfigurationError, WrongEventLoopError
from telnyx_rooms_async.core.messages import Failure, Request, Response
from telnyx_rooms_async.core.secret import Secret
from telnyx_rooms_async.transport.answers import Stream, failure, read_whole
from telnyx_rooms_async.transport.session import (
    Session,
    attempt_timeout,
    check_session,
    idle_timeout,
    open_session,
    send_once,
    user_agent,
    without_authorization,
)

__all__ = ["AiohttpTransport", "Session", "Stream", "check_session"]


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
            "User-Agent": user_agent(),
        }
        self._headers_with_body = self._headers | {"Content-Type": "application/json"}
        self._session = session
        self._owned = session is None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._middlewares: tuple[aiohttp.ClientMiddlewareType, ...] = (send_once,)
        if session is not None:
            # Those of one request replace those of its session, so the session's go first.
            self._middlewares = (*session._middlewares, send_once)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - there is no public way
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
                timeout=attempt_timeout(seconds),
                allow_redirects=False,
                raise_for_status=False,
                auto_decompress=True,
                middlewares=self._middlewares,
            ) as response:
                return await read_whole(response)
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

    async def open(self, url: Secret, *, offset: int, seconds: float) -> Stream | Failure:
        """Begin to read a file from a URL that is its own key: ours is not sent there.

        Args:
            url: presigned by Telnyx; it appears in no failure.
            offset: how many bytes to leave out at the beginning.
            seconds: how long to wait for a connection, and then for each piece.

        Raises:
            ClientClosedError: the transport is closed, or the borrowed session is.
            WrongEventLoopError: an earlier request was made in another event loop.
        """
        headers = {"Accept-Encoding": "identity", "User-Agent": user_agent()}
        try:
            response = await self._ready().get(
                URL(url, encoded=True),
                headers=headers | ({"Range": f"bytes={offset}-"} if offset else {}),
                timeout=idle_timeout(seconds),
                allow_redirects=False,
                raise_for_status=False,
                auto_decompress=False,
                middlewares=(*self._middlewares, without_authorization),
            )
        except (aiohttp.ClientError, OSError) as error:
            return failure(error, tell=False)
        except asyncio.CancelledError:
            if not self._is_end_of_wait():
                raise
            raise ClientClosedError from None
        return Stream(response, seconds)

    async def close(self) -> None:
        """Send no more, and close the session if it is our own."""
        self._closed = True
        if self._owned and self._session is not None:
            await self._session.close()

    def _is_end_of_wait(self) -> bool:
        """Tell a closing, which cancels who waits for a connection, from a cancellation of the task."""
        task = asyncio.current_task()
        return self._closed and (task is None or task.cancelling() == 0)

    def _ready(self) -> Session:
        loop = asyncio.get_running_loop()
        if self.closed:
            raise ClientClosedError
        if self._loop is not loop:
            if self._loop is not None:
                raise WrongEventLoopError
            self._loop = loop
        if self._session is None:
            self._session = open_session(
                URL(self._base_url), max_connections=self._max_connections, trust_env=self._trust_env
            )
        return self._session
