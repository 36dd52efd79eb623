"""What several workers know together of the events that were handled. Needs the extra ``redis``."""

import asyncio
import os
from collections.abc import Awaitable, Iterator
from secrets import token_hex
from typing import Any, Final, cast

from telnyx_rooms_async.core.validators import exact_text
from telnyx_rooms_async.errors import ConfigurationError, WebhookError
from telnyx_rooms_async.http.clock import Clock
from telnyx_rooms_async.settings import check_positive
from telnyx_rooms_async.shield import run_shielded

try:
    from redis.asyncio import Redis
    from redis.exceptions import (
        AuthenticationError,
        AuthorizationError,
        NoPermissionError,
        RedisError,
        ResponseError,
    )
except ImportError as _error:
    raise ImportError("sharing needs Redis: pip install 'telnyx-rooms-async[redis]'") from _error

_ANSWERS: Final = (ResponseError, AuthenticationError, AuthorizationError)
"""Errors that Redis sends; all others are about the connection."""
_HANDLED: Final = "handled"
_PAUSES: Final = (0.05, 0.1, 0.2, 0.4, None)
"""Seconds between the looks at an event that another worker has in hand."""
_FORGET: Final = """
if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("del", KEYS[1]) end
return 0
"""
"""Deletes what is ours only: another worker may have it by now."""
_RENEW: Final = """
if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("pexpire", KEYS[1], ARGV[2]) end
return 0
"""
"""Lets a claim of ours last as long as a new one."""


class SeenInRedis:
    """Knows the events that all workers handled which share a Redis.

    A worker claims an event before it handles it: the claim is that of this store in this process, also after
    a fork. A claim ends by itself, so that an event is not lost
    with its worker: a handler must not take longer than that. While Redis does not answer no event is
    taken: the receivers answer 500, and Telnyx delivers again. When it fails after the handlers have
    succeeded, the event counts as handled, and a delivery that follows may have it handled again. The
    commands that it sends are ``SET``, ``GET`` and ``EVAL``, in whose scripts are ``GET``, ``DEL`` and
    ``PEXPIRE``; a Redis that refuses them is a `ConfigurationError` of its methods.

    Args:
        redis: is used and never closed.
        prefix: of the keys, one for each event.
        lease: seconds that a claim lasts.
        remember: seconds that a handled event is known.
        timeout: seconds for an answer of Redis.
        clock: for tests: where the pauses come from.

    Raises:
        ConfigurationError: a number is not positive.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        prefix: str = "telnyx-rooms:event:",
        lease: float = 60.0,
        remember: float = 86_400.0,
        timeout: float = 2.0,
        clock: Clock = Clock(),
    ) -> None:
        check_positive(lease=lease, remember=remember, timeout=timeout)
        self._redis, self._prefix, self._clock = redis, exact_text(prefix), clock
        self._lease, self._remember, self._timeout = lease, remember, timeout
        self._instance = token_hex(16)
        # Each use of it is one atomic operation: a lock that another thread holds would outlive a fork.
        self._in_hand: Final[dict[tuple[int, str], object]] = {}
        """The events that somebody in a process asks for, or handles."""

    @property
    def _worker(self) -> str:
        """Who claims: a fork copies the rest of it."""
        return f"{self._instance}:{os.getpid()}"

    async def seen(self, event_id: str) -> bool:
        """Tell whether a worker handled the event; if not, claim it.

        Raises:
            WebhookError: another worker has it in hand, and still does three quarters of a second later;
                or Redis does not answer.
            ConfigurationError: Redis refuses access, or scripts.
        """
        event_id = exact_text(event_id)
        # A claim of ours that nobody here has in hand is one whose answer was lost: then it is taken up.
        mine = object()
        is_free = self._in_hand.setdefault((os.getpid(), event_id), mine) is mine
        is_ours = False
        try:
            is_ours = await self._claim(self._prefix + event_id, is_free=is_free)
        finally:
            if is_free and not is_ours:
                self._let_go(event_id)
        return not is_ours

    async def _claim(self, key: str, *, is_free: bool) -> bool:
        """Claim an event and return ``True``; ``False`` if it was handled.

        Raises:
            WebhookError: neither.
        """
        lease = _milliseconds(self._lease)
        for pause in _PAUSES:
            if is_free and await self._ask(self._redis.set(key, self._worker, nx=True, px=lease)):
                return True
            if await self._ask(self._redis.get(key)) in (_HANDLED, _HANDLED.encode()):
                return False
            if is_free and await self._ask(self._redis.eval(_RENEW, 1, key, self._worker, lease)):
                return True
            if pause is not None:
                await self._clock.sleep(pause)
        raise WebhookError(("another worker has the event in hand",))

    async def keep(self, event_id: str) -> None:
        """Remember that the event was handled.

        A cancellation waits for the answer of Redis: what was handled would be handled again.

        Raises:
            WebhookError: Redis does not answer.
            ConfigurationError: Redis refuses access.
        """
        event_id = exact_text(event_id)
        key, remember = self._prefix + event_id, _milliseconds(self._remember)
        try:
            await run_shielded(lambda: self._ask(self._redis.set(key, _HANDLED, px=remember)))
        finally:
            self._let_go(event_id)

    async def forget(self, event_id: str) -> None:
        """Give up the claim.

        Raises:
            WebhookError: Redis does not answer. The claim ends by itself.
            ConfigurationError: Redis refuses access, or scripts. The claim ends by itself.
        """
        event_id = exact_text(event_id)
        try:
            await self._ask(self._redis.eval(_FORGET, 1, self._prefix + event_id, self._worker))
        finally:
            self._let_go(event_id)

    def _let_go(self, event_id: str) -> None:
        self._in_hand.pop((os.getpid(), event_id), None)

    async def _ask(self, asked: object) -> object:
        try:
            async with asyncio.timeout(self._timeout):
                return await cast("Awaitable[Any]", asked)
        except (RedisError, OSError) as error:  # a TimeoutError is an OSError
            failure = _failure(error)
        # Not chained: the frames of redis hold its password.
        raise failure


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _failure(raised: RedisError | OSError) -> ConfigurationError | WebhookError:
    """Return the error that says what Redis did."""
    # When the time runs out while redis tries again, the chain has what it tries again for.
    errors = [error for error in _chain(raised) if isinstance(error, RedisError)]
    error = next((error for error in errors if isinstance(error, _ANSWERS)), next(iter(errors), None))
    said = f": {error}" if str(error or "") else ""
    if not isinstance(error, _ANSWERS):
        return WebhookError((f"Redis does not answer{said}",))
    if "eval" in said.lower():  # "unknown command 'eval'", "no permissions to run the 'eval' command"
        return ConfigurationError(f"the event store needs scripts, and Redis refuses the command EVAL{said}")
    if not isinstance(error, ResponseError) or isinstance(error, NoPermissionError):
        return ConfigurationError(f"the event store needs access, and Redis refuses it{said}")
    return WebhookError((f"Redis refuses a command{said}",))


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
