"""Tokens: what a client SDK joins a room with. They are secrets, and appear in no repr, log or error."""

import asyncio
import math
import re
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final, cast

from attrs import evolve

from telnyx_rooms_async.caller import Caller
from telnyx_rooms_async.clock import Clock
from telnyx_rooms_async.core.endpoints import CREATE_TOKEN, REFRESH_TOKEN
from telnyx_rooms_async.core.errors import InvalidArgumentError
from telnyx_rooms_async.core.messages import Call
from telnyx_rooms_async.core.models import AccessToken, ClientToken
from telnyx_rooms_async.core.params import RefreshBody, TokenBody
from telnyx_rooms_async.core.protocol import build
from telnyx_rooms_async.core.rules import UNSET, Id, RoomId, UnsetType, exact_room_id
from telnyx_rooms_async.core.secret import Secret, hidden
from telnyx_rooms_async.core.statuses import (
    AuthenticationError,
    PermissionDeniedError,
    UnprocessableEntityError,
)

_SHARE_OF_LIFE: Final = 0.9
_UUID: Final = re.compile("[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_JWT: Final = re.compile(r"eyJ[^.]*\..*|[^.]+\.[^.]+\.[^.]+", re.DOTALL)
_TOKEN_LENGTH_MIN: Final = 8


class Tokens:
    """``client.tokens``."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def create(
        self,
        room_id: RoomId,
        *,
        token_ttl_secs: int | UnsetType = UNSET,
        refresh_token_ttl_secs: int | UnsetType = UNSET,
    ) -> ClientToken:
        """Make a token that lets one client join a room, and the refresh token that gets the next.

        One request, repeated on failure: a token that nobody received does no harm.

        Args:
            room_id: the id that Telnyx gave the room, or the room.
            token_ttl_secs: 10 to 3600 seconds; Telnyx's default is 600.
            refresh_token_ttl_secs: 60 to 86400 seconds; Telnyx's default is 3600.

        Raises:
            InvalidArgumentError: a value is out of its bounds, or not an id; nothing was sent.
            PermissionDeniedError: the account may not join rooms.
            NotFoundError: there is no such room, or no longer.

        Telnyx operation: CreateRoomClientToken.
        """
        body = TokenBody(token_ttl_secs=token_ttl_secs, refresh_token_ttl_secs=refresh_token_ttl_secs)
        return await self._caller.ask(build(CREATE_TOKEN, room_id=room_id, body=body))

    # No coroutine function: a task that is cancelled before it starts keeps the arguments in its frame.
    def refresh(
        self, room_id: RoomId, refresh_token: str, *, token_ttl_secs: int | UnsetType = UNSET
    ) -> Coroutine[Any, Any, AccessToken]:
        """Get the next access token; the refresh token stays the same.

        One request, repeated on failure.

        Args:
            room_id: the id that Telnyx gave the room, or the room.
            refresh_token: that of a `ClientToken`.
            token_ttl_secs: 10 to 3600 seconds; Telnyx's default is 600.

        Raises:
            InvalidArgumentError: a value is out of its bounds, not an id, or the two arguments are swapped;
                nothing was sent.
            PermissionDeniedError: the refresh token has expired, or is not of this room.

        Telnyx operation: RefreshRoomClientToken.
        """
        if isinstance(room_id, str) and not _UUID.fullmatch(room_id):
            room_id = hidden(room_id)  # it may be the refresh token
        return self._refresh(room_id, RefreshBody(refresh_token=refresh_token, token_ttl_secs=token_ttl_secs))

    async def _refresh(self, room_id: Id, body: RefreshBody) -> AccessToken:
        return await self._caller.ask(_refresh_call(room_id, body))

    @asynccontextmanager
    async def keep(
        self,
        room_id: RoomId,
        *,
        token_ttl_secs: int = 600,
        refresh_token_ttl_secs: int = 3600,
    ) -> AsyncGenerator["KeptToken", None]:
        """Keep a token good for as long as the block lasts: ``await kept.token()`` whenever one is needed.

        One request at the start. A call to `KeptToken.token` that finds nine tenths of the token's time
        gone makes one more; nothing runs in between. Arguments and errors are those of `create`.

        Telnyx operations: CreateRoomClientToken, RefreshRoomClientToken.
        """
        wanted = TokenBody(token_ttl_secs=token_ttl_secs, refresh_token_ttl_secs=refresh_token_ttl_secs)
        build(CREATE_TOKEN, room_id=room_id, body=wanted)  # refuses at once what cannot be kept
        kept = KeptToken(self, room_id, token_ttl_secs, refresh_token_ttl_secs, self._caller.clock)
        await kept.token()
        yield kept


def _refresh_call(room_id: Id, body: RefreshBody) -> Call[AccessToken]:
    if not isinstance(room_id, Secret):
        return build(REFRESH_TOKEN, room_id=room_id, body=body)
    if _JWT.fullmatch(room_id) or _UUID.fullmatch(body.refresh_token):
        raise InvalidArgumentError(("room_id must be an id, not a token: the arguments seem to be swapped",))
    call = build(REFRESH_TOKEN, room_id=room_id, body=body)
    if len(room_id) >= _TOKEN_LENGTH_MIN:
        # Removed from an answer that repeats it.
        call = evolve(call, request=evolve(call.request, secrets=(*call.request.secrets, room_id)))
    return call


class KeptToken:
    """A token that is renewed by whoever asks for it in time; any number of tasks may."""

    def __init__(
        self, tokens: Tokens, room_id: RoomId, token_ttl_secs: int, refresh_token_ttl_secs: int, clock: Clock
    ) -> None:
        self._tokens = tokens
        self._room_id = cast("Id", exact_room_id(room_id))
        self._token_ttl_secs = token_ttl_secs
        self._refresh_token_ttl_secs = refresh_token_ttl_secs
        self._clock = clock
        self._lock = asyncio.Lock()
        self._token = self._refresh_token = Secret()
        self._renew_at = self._replace_at = -math.inf

    def __repr__(self) -> str:
        return f"<KeptToken for room {self._room_id}>"

    async def token(self) -> str:
        """Return a token that has a tenth of its time left at least: a secret.

        No request, or one when it is time; two when the refresh token turns out to be no good.

        Raises:
            TelnyxRoomsError: the request failed; the next call tries again.
        """
        async with self._lock:
            # Neither the server's clock is asked, which may not be ours, nor the wall's, which may jump.
            now = self._clock.monotonic()
            if now >= self._renew_at:
                await (self._replace(now) if now >= self._replace_at else self._renew(now))
            return str(self._token)

    async def _replace(self, now: float) -> None:
        pair = await self._tokens.create(
            self._room_id,
            token_ttl_secs=self._token_ttl_secs,
            refresh_token_ttl_secs=self._refresh_token_ttl_secs,
        )
        self._take(pair, now)
        self._refresh_token = Secret(pair.refresh_token or "")
        life = self._refresh_token_ttl_secs if pair.refresh_token else self._token_ttl_secs
        self._replace_at = now + _SHARE_OF_LIFE * life

    async def _renew(self, now: float) -> None:
        try:
            renewed = await self._tokens.refresh(
                self._room_id, self._refresh_token, token_ttl_secs=self._token_ttl_secs
            )
        except (AuthenticationError, PermissionDeniedError, UnprocessableEntityError):
            await self._replace(now)
        else:
            self._take(renewed, now)

    def _take(self, token: AccessToken, now: float) -> None:
        self._token = Secret(token.token)
        self._renew_at = now + _SHARE_OF_LIFE * self._token_ttl_secs
