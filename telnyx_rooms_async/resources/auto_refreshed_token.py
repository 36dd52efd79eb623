"""A client token that is refreshed when it is read."""

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from typing import TYPE_CHECKING, Final, cast

from telnyx_rooms_async.core.secret import Secret
from telnyx_rooms_async.core.validators import RoomId, exact_room_id
from telnyx_rooms_async.errors import (
    AuthenticationError,
    ClientClosedError,
    PermissionDeniedError,
    UnprocessableEntityError,
)
from telnyx_rooms_async.http.attempt_log import logger
from telnyx_rooms_async.http.in_flight import running_loop
from telnyx_rooms_async.models import AccessToken, ClientToken
from telnyx_rooms_async.shield import wait_until_done

if TYPE_CHECKING:
    from telnyx_rooms_async.resources.tokens import Tokens

_REFRESH_AFTER: Final = 0.9
"""Share of the lifetime of a token after which it is refreshed."""
_REFRESH_WAIT: Final = 0.3
"""Seconds from the start of a refresh for which callers wait although their token is still valid."""


class AutoRefreshedToken:
    """A client token that is refreshed when it is read. Tasks of one event loop can share it.

    At most one refresh runs at a time. While the token is valid, it is returned although its refresh fails or
    takes long.

    Example:
        >>> async with client.tokens.auto_refresh(room_id) as refreshed:
        ...     token = await refreshed.token()
    """

    def __init__(
        self,
        tokens: "Tokens",
        monotonic: Callable[[], float],
        room_id: RoomId,
        *,
        token_ttl_secs: int,
        refresh_token_ttl_secs: int,
    ) -> None:
        self._tokens = tokens
        self._monotonic = monotonic  # the wall clock may jump, and the server's clock may differ
        self._room_id = cast("RoomId", exact_room_id(room_id))
        self._token_ttl_secs = token_ttl_secs
        self._refresh_token_ttl_secs = refresh_token_ttl_secs
        self._token = self._refresh_token = Secret()
        self._refresh_at = self._replace_at = self._expires_at = -math.inf
        self._task: asyncio.Task[None] | None = None
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
            self._task.add_done_callback(self._log_failure)
            self._wait_until = loop.time() + _REFRESH_WAIT
        task = self._task
        if now < self._expires_at:
            await asyncio.wait([task], timeout=self._wait_until - loop.time())
        if self._monotonic() >= self._expires_at:
            await asyncio.wait([task])  # the cancellation of one caller does not cancel it for the others
            if self._is_closed:
                raise ClientClosedError
            task.result()
        return str(self._token)

    async def close(self) -> None:
        """Cancel a running refresh, and prevent another."""
        self._is_closed = True
        if self._task is not None:
            self._task.cancel()
            await wait_until_done(self._task)

    async def _refresh(self) -> None:
        """Refresh the token, or replace it with its refresh token."""
        now = self._monotonic()
        token: AccessToken | None = None
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
        self._token = Secret(token.token)
        self._refresh_at = now + _REFRESH_AFTER * self._token_ttl_secs
        self._expires_at = now + self._token_ttl_secs
        if isinstance(token, ClientToken) and token.refresh_token:
            self._refresh_token = Secret(token.refresh_token)
            self._replace_at = now + _REFRESH_AFTER * self._refresh_token_ttl_secs

    def _log_failure(self, task: asyncio.Task[None]) -> None:
        """Log the error of a refresh while the token is valid. It is raised later, or not at all."""
        error = None if task.cancelled() else task.exception()
        if error is not None and (time_left := self._expires_at - self._monotonic()) > 0:
            logger.warning(
                "client token not refreshed (%s); it is valid for another %.0f s",
                type(error).__name__,
                time_left,
            )
