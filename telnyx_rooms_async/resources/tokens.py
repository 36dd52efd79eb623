"""Client tokens, with which a client SDK joins a room. They are secrets, and in no repr, log or error."""

import asyncio
import math
import re
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager, suppress
from contextvars import copy_context
from typing import Any, Final, cast
from uuid import UUID

from attrs import evolve

from telnyx_rooms_async.core.endpoints import CREATE_TOKEN, REFRESH_TOKEN, Endpoint
from telnyx_rooms_async.core.protocol import build
from telnyx_rooms_async.core.requests import RefreshBody, TokenBody
from telnyx_rooms_async.core.secret import Secret, hidden
from telnyx_rooms_async.core.validators import UNSET, RoomId, UnsetType, exact_room_id
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
from telnyx_rooms_async.http.in_flight import running_loop
from telnyx_rooms_async.models import AccessToken, ClientToken, Room

# The API reference has no refresh token in this response, but a server may replace it.
_REFRESH_TOKEN: Final = cast("Endpoint[ClientToken]", evolve(REFRESH_TOKEN, response_type=ClientToken))
_REFRESH_AFTER: Final = 0.9
"""Share of the lifetime of a token after which it is refreshed."""
_REFRESH_WAIT: Final = 0.3
"""Seconds from the start of a refresh for which callers wait although their token is still valid."""
_UUID: Final = re.compile("[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_JWT: Final = re.compile(r"eyJ[^.]*\..*|[^.]+\.[^.]+\.[^.]+", re.DOTALL)
_MIN_TOKEN_LENGTH: Final = 8


class Tokens:
    """Client tokens of rooms: ``client.tokens``.

    Invalid arguments raise `InvalidArgumentError` before anything is sent.

    Example:
        >>> tokens = await client.tokens.create(room_id, token_ttl_secs=60)
        >>> access = await client.tokens.refresh(room_id, tokens.refresh_token)
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
            PermissionDeniedError: the account may not join rooms.
            NotFoundError: there is no such room.

        Example:
            >>> tokens = await client.tokens.create(room_id, token_ttl_secs=600)
            >>> len(tokens.token) > 0 and tokens.token not in repr(tokens)
            True

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

        Example:
            >>> tokens = await client.tokens.create(room_id)
            >>> access = await client.tokens.refresh(room_id, tokens.refresh_token, token_ttl_secs=600)

        Telnyx operation: RefreshRoomClientToken.
        """
        if not isinstance(room_id, Room | UUID) and not _UUID.fullmatch(hidden(room_id)):
            room_id = hidden(room_id)  # it may be the refresh token
        return self._refresh(room_id, RefreshBody(refresh_token=refresh_token, token_ttl_secs=token_ttl_secs))

    async def _refresh(self, room_id: RoomId, body: RefreshBody) -> AccessToken:
        # The condition has no name: a match in the frame would show the token.
        if isinstance(room_id, Secret) and (_JWT.fullmatch(room_id) or _UUID.fullmatch(body.refresh_token)):
            problem = "room_id must be an id, not a token: the arguments seem to be swapped"
            raise InvalidArgumentError((problem,))
        call = build(_REFRESH_TOKEN, room_id=room_id, body=body)
        if isinstance(room_id, Secret) and len(room_id) >= _MIN_TOKEN_LENGTH:
            # Hidden in an error response that repeats it.
            call = evolve(call, request=evolve(call.request, secrets=(*call.request.secrets, room_id)))
        refreshed = await self._api.call(call)
        if refreshed.refresh_token:
            return refreshed
        return AccessToken(token=refreshed.token, token_expires_at=refreshed.token_expires_at)

    @asynccontextmanager
    async def auto_refresh(
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
            InvalidArgumentError: an argument is invalid.
            PermissionDeniedError: the account may not join rooms.
            NotFoundError: there is no such room.

        Example:
            >>> async with client.tokens.auto_refresh(room_id) as refreshed:
            ...     token = await refreshed.token()

        Telnyx operations: CreateRoomClientToken, RefreshRoomClientToken.
        """
        body = TokenBody(token_ttl_secs=token_ttl_secs, refresh_token_ttl_secs=refresh_token_ttl_secs)
        if UNSET in (body.token_ttl_secs, body.refresh_token_ttl_secs):
            raise InvalidArgumentError(("token_ttl_secs and refresh_token_ttl_secs must be numbers",))
        build(CREATE_TOKEN, room_id=room_id, body=body)  # validates the arguments
        token = AutoRefreshedToken(self._api, room_id, token_ttl_secs, refresh_token_ttl_secs)
        try:
            await token.token()
            yield token
        finally:
            await token._close()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - of this module


class AutoRefreshedToken:
    """A client token that is refreshed when it is read. Tasks of one event loop can share it.

    At most one refresh runs at a time. While the token is valid, it is returned although its refresh fails or
    takes long.

    Example:
        >>> async with client.tokens.auto_refresh(room_id) as refreshed:
        ...     token = await refreshed.token()
    """

    def __init__(
        self, api: ApiSession, room_id: RoomId, token_ttl_secs: int, refresh_token_ttl_secs: int
    ) -> None:
        self._tokens = Tokens(api)
        self._monotonic = api.clock.monotonic  # the wall clock may jump, and the server's clock may differ
        self._room_id = cast("RoomId", exact_room_id(room_id))
        self._token_ttl_secs = token_ttl_secs
        self._refresh_token_ttl_secs = refresh_token_ttl_secs
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
        now = self._monotonic()
        if now < self._refresh_at:
            return str(self._token)
        loop = running_loop()
        if self._task is None or (self._task.done() and not self._is_closed):
            self._task = loop.create_task(self._refresh(), context=self._context.copy())
            self._wait_until = loop.time() + _REFRESH_WAIT
        task = self._task
        if now < self._expires_at:
            await asyncio.wait([task], timeout=self._wait_until - loop.time())
        if self._monotonic() >= self._expires_at:
            await asyncio.wait([task])  # the cancellation of one caller does not cancel it for the others
            if self._is_closed:
                raise ClientClosedError
            if (error := task.result()) is not None:
                raise error
        return str(self._token)

    async def _close(self) -> None:
        """Cancel a running refresh, and prevent another."""
        self._is_closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _refresh(self) -> TelnyxRoomsError | None:
        """Refresh the token, or replace it with its refresh token; return the error if that fails."""
        now = self._monotonic()
        token: AccessToken | None = None
        try:
            if now < self._replace_at:
                with suppress(AuthenticationError, PermissionDeniedError, UnprocessableEntityError):
                    token = await self._tokens.refresh(
                        self._room_id, self._refresh_token, token_ttl_secs=self._token_ttl_secs
                    )
            if token is None:
                token = await self._tokens.create(
                    self._room_id,
                    token_ttl_secs=self._token_ttl_secs,
                    refresh_token_ttl_secs=self._refresh_token_ttl_secs,
                )
        except TelnyxRoomsError as error:
            time_left = self._expires_at - self._monotonic()
            if time_left > 0:
                logger.warning(
                    "client token not refreshed (%s); it is valid for another %.0f s",
                    type(error).__name__,
                    time_left,
                )
            return error
        self._token = Secret(token.token)
        self._refresh_at = now + _REFRESH_AFTER * self._token_ttl_secs
        self._expires_at = now + self._token_ttl_secs
        if isinstance(token, ClientToken) and token.refresh_token:
            self._refresh_token = Secret(token.refresh_token)
            self._replace_at = now + _REFRESH_AFTER * self._refresh_token_ttl_secs
        return None
