"""Tokens: what a client SDK joins a room with. They are secrets, and appear in no repr, log or error."""

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

# The API reference has no refresh token in this answer. A server that replaces it must be heard all the same.
_REFRESH_TOKEN: Final = Endpoint(
    REFRESH_TOKEN.operation,
    REFRESH_TOKEN.method,
    REFRESH_TOKEN.path,
    REFRESH_TOKEN.status,
    ClientToken,
    REFRESH_TOKEN.repeat,
)
_SHARE_OF_LIFE: Final = 0.9
_UUID: Final = re.compile("[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_JWT: Final = re.compile(r"eyJ[^.]*\..*|[^.]+\.[^.]+\.[^.]+", re.DOTALL)
_TOKEN_LENGTH_MIN: Final = 8
_RENEWAL_WAIT: Final = 0.3
"""Seconds from the start of a renewal for which callers wait although their token is still valid."""


class Tokens:
    """``client.tokens``."""

    def __init__(self, api: ApiSession) -> None:
        self._api = api

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
        return await self._api.call(build(CREATE_TOKEN, room_id=room_id, body=body))

    # No coroutine function: a task that is cancelled before it starts keeps the arguments in its frame.
    def refresh(
        self, room_id: RoomId, refresh_token: str, *, token_ttl_secs: int | UnsetType = UNSET
    ) -> Coroutine[Any, Any, AccessToken]:
        """Get the next access token.

        One request, repeated on failure. The refresh token stays the same. If an answer replaces it all the
        same, a `ClientToken` is returned, with the refresh token to use from then on.

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

    async def _refresh(self, room_id: RoomId, body: RefreshBody) -> AccessToken:
        renewed = await self._api.call(_refresh_call(room_id, body))
        if renewed.refresh_token:
            return renewed
        return AccessToken(token=renewed.token, token_expires_at=renewed.token_expires_at)

    @asynccontextmanager
    async def keep(
        self,
        room_id: RoomId,
        *,
        token_ttl_secs: int = 600,
        refresh_token_ttl_secs: int = 3600,
    ) -> AsyncGenerator["AutoRefreshedToken", None]:
        """Keep a token good for as long as the block lasts: ``await kept.token()`` whenever one is needed.

        One request at the start. The first call to `AutoRefreshedToken.token` that finds nine tenths of the token's
        time gone starts a renewal; nothing runs in between, and the end of the block ends a renewal that is
        still running. Arguments and errors are those of `create`.

        Telnyx operations: CreateRoomClientToken, RefreshRoomClientToken.
        """
        wanted = TokenBody(token_ttl_secs=token_ttl_secs, refresh_token_ttl_secs=refresh_token_ttl_secs)
        build(CREATE_TOKEN, room_id=room_id, body=wanted)  # refuses at once what cannot be kept
        kept = AutoRefreshedToken(self, room_id, token_ttl_secs, refresh_token_ttl_secs, self._api.clock)
        try:
            await kept.token()
            yield kept
        finally:
            await kept._close()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - one of us


def _refresh_call(room_id: RoomId, body: RefreshBody) -> Call[ClientToken]:
    if not isinstance(room_id, Secret):
        return build(_REFRESH_TOKEN, room_id=room_id, body=body)
    if _JWT.fullmatch(room_id) or _UUID.fullmatch(body.refresh_token):
        raise InvalidArgumentError(("room_id must be an id, not a token: the arguments seem to be swapped",))
    call = build(_REFRESH_TOKEN, room_id=room_id, body=body)
    if len(room_id) >= _TOKEN_LENGTH_MIN:
        # Removed from an answer that repeats it.
        call = evolve(call, request=evolve(call.request, secrets=(*call.request.secrets, room_id)))
    return call


class AutoRefreshedToken:
    """A token that is renewed in time, when a call asks for it. Any number of tasks may share it.

    There is at most one renewal at a time. A token that is still valid is returned although its renewal
    fails or takes long.
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
        self._renew_at = self._replace_at = self._expires_at = -math.inf
        self._renewal: asyncio.Task[TelnyxRoomsError | None] | None = None
        self._wait_until = 0.0
        """When callers stop waiting for the renewal if their token is valid, by the clock of the loop."""
        # A renewal serves all callers. In the context of the block it is part of no single caller's trace.
        self._context = copy_context()
        self._is_closed = False

    def __repr__(self) -> str:
        return f"<AutoRefreshedToken for room {self._room_id}>"

    async def token(self) -> str:
        """Return a valid token, a secret; a tenth of its time is left unless its renewal fails or is slow.

        No request, or one when it is time; two when the refresh token turns out to be no good. While the
        token is valid, a renewal that fails is logged, and the next call tries again.

        Raises:
            TelnyxRoomsError: the token has expired, and the request for another failed; the next call tries
                again.
            ClientClosedError: the token has expired, and the block has ended.
        """
        # The server's clock may differ from ours, and the wall clock may jump: only this one counts.
        now = self._clock.monotonic()
        if now < self._renew_at:
            return str(self._token)
        renewal = self._start_renewal()
        if now < self._expires_at:
            await asyncio.wait([renewal], timeout=self._wait_until - asyncio.get_running_loop().time())
        if self._clock.monotonic() >= self._expires_at:
            await asyncio.wait([renewal])  # a caller that is cancelled does not cancel it for the others
            if self._is_closed:
                raise ClientClosedError
            error = renewal.result()
            if error is not None:
                raise error
        return str(self._token)

    def _start_renewal(self) -> "asyncio.Task[TelnyxRoomsError | None]":
        """Return the renewal that is running, or start one."""
        renewal = self._renewal
        if renewal is None or (renewal.done() and not self._is_closed):
            loop = running_loop()
            renewal = loop.create_task(self._try_to_renew(), context=self._context.copy())
            self._renewal = renewal
            self._wait_until = loop.time() + _RENEWAL_WAIT
        return renewal

    async def _close(self) -> None:
        """End a renewal that is running, and start no other."""
        self._is_closed = True
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.wait([self._renewal])

    async def _try_to_renew(self) -> TelnyxRoomsError | None:
        """Renew the token, or return why it could not be renewed."""
        now = self._clock.monotonic()
        try:
            await (self._replace(now) if now >= self._replace_at else self._renew(now))
        except TelnyxRoomsError as error:
            left = self._expires_at - self._clock.monotonic()
            if left > 0:
                logger.warning(
                    "client token not renewed (%s); it is valid for another %.0f s",
                    type(error).__name__,
                    left,
                )
            return error
        return None

    async def _replace(self, now: float) -> None:
        pair = await self._tokens.create(
            self._room_id,
            token_ttl_secs=self._token_ttl_secs,
            refresh_token_ttl_secs=self._refresh_token_ttl_secs,
        )
        self._replace_at = now + _SHARE_OF_LIFE * self._token_ttl_secs
        self._take(pair, now)

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
        self._expires_at = now + self._token_ttl_secs
        if isinstance(token, ClientToken) and token.refresh_token:
            self._refresh_token = Secret(token.refresh_token)
            self._replace_at = now + _SHARE_OF_LIFE * self._refresh_token_ttl_secs
