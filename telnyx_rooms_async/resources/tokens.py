"""Client tokens, with which a client SDK joins a room. They are secrets, and in no repr, log or error."""

import asyncio
import math
import re
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from contextvars import copy_context
from typing import Any, Final, cast

from attrs import evolve

from telnyx_rooms_async.core.endpoints import CREATE_TOKEN, REFRESH_TOKEN, Endpoint
from telnyx_rooms_async.core.http_messages import Call
from telnyx_rooms_async.core.protocol import build
from telnyx_rooms_async.core.requests import RefreshBody, TokenBody
from telnyx_rooms_async.core.secret import Secret, hidden
from telnyx_rooms_async.core.validators import UNSET, Id, RoomId, UnsetType, exact_room_id
from telnyx_rooms_async.errors import (
    AuthenticationError,
    ClientClosedError,
    InvalidArgumentError,
    PermissionDeniedError,
    TelnyxRoomsError,
    UnprocessableEntityError,
)
from telnyx_rooms_async.http.api_session import ApiSession
from telnyx_rooms_async.http.attempt_log import logger
from telnyx_rooms_async.http.clock import Clock
from telnyx_rooms_async.http.in_flight import running_loop
from telnyx_rooms_async.models import AccessToken, ClientToken

# The API reference has no refresh token in this response, but a server may replace it.
_REFRESH_TOKEN: Final = Endpoint(
    REFRESH_TOKEN.operation,
    REFRESH_TOKEN.method,
    REFRESH_TOKEN.path,
    REFRESH_TOKEN.status,
    ClientToken,
    REFRESH_TOKEN.retry_safety,
)
_REFRESH_AFTER: Final = 0.9
"""Share of the lifetime of a token after which it is refreshed."""
_REFRESH_WAIT: Final = 0.3
"""Seconds from the start of a refresh for which callers wait although their token is still valid."""
_UUID: Final = re.compile("[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_JWT: Final = re.compile(r"eyJ[^.]*\..*|[^.]+\.[^.]+\.[^.]+", re.DOTALL)
_MIN_TOKEN_LENGTH: Final = 8


class Tokens:
    """Client tokens of rooms: ``client.tokens``.

    Example:
        >>> async def join_token(client, room):
        ...     return (await client.tokens.create(room, token_ttl_secs=60)).token
    """

    def __init__(self, api: ApiSession) -> None:
        self._api = api

    async def create(
        self,
        room_id: RoomId,
        *,
        token_ttl_secs: int | UnsetType = UNSET,
        refresh_token_ttl_secs: int | UnsetType = UNSET,
    ) -> ClientToken:
        """Create a token with which one client can join a room, and a refresh token for the next tokens.

        One request, repeated on failure: a token whose response is lost does no harm.

        Args:
            room_id: a `Room` or its id.
            token_ttl_secs: 10 to 3600 seconds; Telnyx's default is 600.
            refresh_token_ttl_secs: 60 to 86400 seconds; Telnyx's default is 3600.

        Raises:
            InvalidArgumentError: an argument is invalid; nothing was sent.
            PermissionDeniedError: the account may not join rooms.
            NotFoundError: there is no such room.

        Telnyx operation: CreateRoomClientToken.
        """
        body = TokenBody(token_ttl_secs=token_ttl_secs, refresh_token_ttl_secs=refresh_token_ttl_secs)
        return await self._api.call(build(CREATE_TOKEN, room_id=room_id, body=body))

    # Not a coroutine function: a task that is cancelled before it starts keeps the arguments in its frame.
    def refresh(
        self, room_id: RoomId, refresh_token: str, *, token_ttl_secs: int | UnsetType = UNSET
    ) -> Coroutine[Any, Any, AccessToken]:
        """Get the next access token for a refresh token.

        One request, repeated on failure. The refresh token stays valid. If the response replaces it, the
        result is a `ClientToken` with the new one.

        Args:
            room_id: a `Room` or its id.
            refresh_token: from a `ClientToken`.
            token_ttl_secs: 10 to 3600 seconds; Telnyx's default is 600.

        Raises:
            InvalidArgumentError: an argument is invalid, or the first two are swapped; nothing was sent.
            PermissionDeniedError: the refresh token has expired, or belongs to another room.

        Telnyx operation: RefreshRoomClientToken.
        """
        if isinstance(room_id, str) and not _UUID.fullmatch(room_id):
            room_id = hidden(room_id)  # it may be the refresh token
        return self._refresh(room_id, RefreshBody(refresh_token=refresh_token, token_ttl_secs=token_ttl_secs))

    async def _refresh(self, room_id: RoomId, body: RefreshBody) -> AccessToken:
        refreshed = await self._api.call(_refresh_call(room_id, body))
        if refreshed.refresh_token:
            return refreshed
        return AccessToken(token=refreshed.token, token_expires_at=refreshed.token_expires_at)

    @asynccontextmanager
    async def keep(
        self,
        room_id: RoomId,
        *,
        token_ttl_secs: int = 600,
        refresh_token_ttl_secs: int = 3600,
    ) -> AsyncGenerator["AutoRefreshedToken", None]:
        """Provide a token that is refreshed when needed, for the duration of the block.

        One request at the start. There is no background task: the first call of `AutoRefreshedToken.token`
        after nine tenths of the token's lifetime starts a refresh, and the end of the block cancels it.

        Args:
            room_id: a `Room` or its id.
            token_ttl_secs: 10 to 3600 seconds.
            refresh_token_ttl_secs: 60 to 86400 seconds.

        Raises:
            InvalidArgumentError: an argument is invalid; nothing was sent.
            PermissionDeniedError: the account may not join rooms.
            NotFoundError: there is no such room.

        Example:
            >>> async def send_tokens(client, room, send):
            ...     async with client.tokens.keep(room) as token:
            ...         await send(await token.token())

        Telnyx operations: CreateRoomClientToken, RefreshRoomClientToken.
        """
        body = TokenBody(token_ttl_secs=token_ttl_secs, refresh_token_ttl_secs=refresh_token_ttl_secs)
        build(CREATE_TOKEN, room_id=room_id, body=body)  # validates the arguments
        token = AutoRefreshedToken(self, room_id, token_ttl_secs, refresh_token_ttl_secs, self._api.clock)
        try:
            await token.token()
            yield token
        finally:
            await token._close()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - of this module


def _refresh_call(room_id: RoomId, body: RefreshBody) -> Call[ClientToken]:
    if not isinstance(room_id, Secret):
        return build(_REFRESH_TOKEN, room_id=room_id, body=body)
    if _JWT.fullmatch(room_id) or _UUID.fullmatch(body.refresh_token):
        raise InvalidArgumentError(("room_id must be an id, not a token: the arguments seem to be swapped",))
    call = build(_REFRESH_TOKEN, room_id=room_id, body=body)
    if len(room_id) >= _MIN_TOKEN_LENGTH:  # hidden in an error response that repeats it
        call = evolve(call, request=evolve(call.request, secrets=(*call.request.secrets, room_id)))
    return call


class AutoRefreshedToken:
    """A client token that is refreshed when it is read. Tasks of one event loop can share it.

    At most one refresh runs at a time. While the token is valid, it is returned although its refresh fails or
    takes long.
    """

    def __init__(
        self, tokens: Tokens, room_id: RoomId, token_ttl_secs: int, refresh_token_ttl_secs: int, clock: Clock
    ) -> None:
        self._tokens = tokens
        self._room_id = cast("Id", exact_room_id(room_id))
        self._token_ttl_secs = token_ttl_secs
        self._refresh_token_ttl_secs = refresh_token_ttl_secs
        self._clock = clock
        self._token = self._refresh_token = Secret()
        self._refresh_at = self._replace_at = self._expires_at = -math.inf
        self._task: asyncio.Task[TelnyxRoomsError | None] | None = None
        self._wait_until = 0.0
        """When callers with a valid token stop waiting for the refresh, by the clock of the event loop."""
        # A refresh serves all callers, so it runs in the context of the block: in the trace of no caller.
        self._context = copy_context()
        self._is_closed = False

    def __repr__(self) -> str:
        return f"<AutoRefreshedToken for room {self._room_id}>"

    async def token(self) -> str:
        """Return a valid token, a secret.

        A tenth of its lifetime is left unless its refresh fails or is slow. No request, or one when a refresh
        is due; two if the refresh token is rejected. While the token is valid, a failed refresh is logged,
        and the next call tries again.

        Raises:
            TelnyxRoomsError: the token has expired and could not be refreshed; the next call tries again.
            ClientClosedError: the token has expired, and the block has ended.
        """
        # By the monotonic clock only: the wall clock may jump, and the server's clock may differ.
        now = self._clock.monotonic()
        if now < self._refresh_at:
            return str(self._token)
        task = self._start_refresh()
        if now < self._expires_at:
            await asyncio.wait([task], timeout=self._wait_until - asyncio.get_running_loop().time())
        if self._clock.monotonic() >= self._expires_at:
            await asyncio.wait([task])  # the cancellation of one caller does not cancel it for the others
            if self._is_closed:
                raise ClientClosedError
            error = task.result()
            if error is not None:
                raise error
        return str(self._token)

    def _start_refresh(self) -> "asyncio.Task[TelnyxRoomsError | None]":
        """Return the running refresh, or start one."""
        if self._task is None or (self._task.done() and not self._is_closed):
            loop = running_loop()
            self._task = loop.create_task(self._try_refresh(), context=self._context.copy())
            self._wait_until = loop.time() + _REFRESH_WAIT
        return self._task

    async def _close(self) -> None:
        """Cancel a running refresh, and prevent another."""
        self._is_closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _try_refresh(self) -> TelnyxRoomsError | None:
        """Refresh the token; return the error if that fails."""
        now = self._clock.monotonic()
        try:
            await (self._replace(now) if now >= self._replace_at else self._refresh(now))
        except TelnyxRoomsError as error:
            time_left = self._expires_at - self._clock.monotonic()
            if time_left > 0:
                logger.warning(
                    "client token not refreshed (%s); it is valid for another %.0f s",
                    type(error).__name__,
                    time_left,
                )
            return error
        return None

    async def _replace(self, now: float) -> None:
        token = await self._tokens.create(
            self._room_id,
            token_ttl_secs=self._token_ttl_secs,
            refresh_token_ttl_secs=self._refresh_token_ttl_secs,
        )
        self._replace_at = now + _REFRESH_AFTER * self._token_ttl_secs
        self._store(token, now)

    async def _refresh(self, now: float) -> None:
        try:
            token = await self._tokens.refresh(
                self._room_id, self._refresh_token, token_ttl_secs=self._token_ttl_secs
            )
        except (AuthenticationError, PermissionDeniedError, UnprocessableEntityError):
            await self._replace(now)
        else:
            self._store(token, now)

    def _store(self, token: AccessToken, now: float) -> None:
        self._token = Secret(token.token)
        self._refresh_at = now + _REFRESH_AFTER * self._token_ttl_secs
        self._expires_at = now + self._token_ttl_secs
        if isinstance(token, ClientToken) and token.refresh_token:
            self._refresh_token = Secret(token.refresh_token)
            self._replace_at = now + _REFRESH_AFTER * self._refresh_token_ttl_secs
