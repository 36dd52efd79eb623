"""Client tokens, with which a client SDK joins a room. They are secrets, and in no repr, log or error."""

import re
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final, cast
from uuid import UUID

from attrs import evolve

from telnyx_rooms_async.core.endpoints import CREATE_TOKEN, REFRESH_TOKEN, Endpoint
from telnyx_rooms_async.core.protocol import build
from telnyx_rooms_async.core.requests import RefreshBody, TokenBody
from telnyx_rooms_async.core.secret import Secret, hidden
from telnyx_rooms_async.core.validators import UNSET, RoomId, UnsetType
from telnyx_rooms_async.errors import InvalidArgumentError
from telnyx_rooms_async.http.api_session import ApiSession
from telnyx_rooms_async.models import AccessToken, ClientToken, Room
from telnyx_rooms_async.resources.auto_refreshed_token import AutoRefreshedToken

# The API reference has no refresh token in this response, but a server may replace it.
_REFRESH_TOKEN: Final = cast("Endpoint[ClientToken]", evolve(REFRESH_TOKEN, response_type=ClientToken))
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
            call = call._replace(request=evolve(call.request, secrets=(*call.request.secrets, room_id)))
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
    ) -> AsyncGenerator[AutoRefreshedToken, None]:
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
        if body.token_ttl_secs is UNSET or body.refresh_token_ttl_secs is UNSET:
            raise InvalidArgumentError(("token_ttl_secs and refresh_token_ttl_secs must be numbers",))
        build(CREATE_TOKEN, room_id=room_id, body=body)  # validates the arguments
        token = AutoRefreshedToken(
            self,
            self._api.clock.monotonic,
            room_id,
            token_ttl_secs=token_ttl_secs,
            refresh_token_ttl_secs=refresh_token_ttl_secs,
        )
        try:
            await token.token()
            yield token
        finally:
            await token.close()
