"""Event store in Redis, for several workers. Needs the extra ``redis``."""

import asyncio
import os
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from inspect import isawaitable
from secrets import token_hex
from typing import Any, Final, cast

from telnyx_rooms_async.core.validators import exact_text
from telnyx_rooms_async.errors import ConfigurationError, EventClaimedError, WebhookError
from telnyx_rooms_async.http.clock import Clock
from telnyx_rooms_async.settings import check_count, check_positive
from telnyx_rooms_async.webhooks.stores import ClaimsOfProcess

try:
    from redis.asyncio import Redis
    from redis.exceptions import AuthenticationError, AuthorizationError, RedisError, ResponseError
except ImportError as _error:
    raise ImportError("RedisEventStore needs Redis: pip install 'telnyx-rooms-async[redis]'") from _error

_SERVER_ERRORS: Final = (ResponseError, AuthenticationError, AuthorizationError)
"""Errors that the server returned; all others are about the connection."""
_DENIED: Final = ("no permissions to", "executing the script can't", "unknown command", "unsupported command")
"""Parts of the messages of Redis 6 to 8, and of proxies, that refuse a command, also within a script."""
_CLAIM_DELAYS: Final = (0.05, 0.1, 0.2, 0.4, None)
"""Seconds between attempts to claim an event that another worker has claimed."""
_CLAIM: Final = """
local value = redis.call("get", KEYS[1])
if value == "handled" then return 0 end
if value and value ~= ARGV[1] then return nil end
redis.call("set", KEYS[1], ARGV[1], "px", ARGV[2])
return 1
"""
_RELEASE: Final = """
if redis.call("get", KEYS[1]) == ARGV[1] then redis.call("del", KEYS[1]) end
"""
_COMPLETE_WITH_LIMIT: Final = """
redis.call("set", KEYS[1], "handled", "px", ARGV[1])
redis.call("rpush", KEYS[2], KEYS[1])
redis.call("pexpire", KEYS[2], ARGV[1])
for _ = 1, 2 do
  if redis.call("llen", KEYS[2]) <= tonumber(ARGV[2]) then break end
  local oldest = redis.call("lpop", KEYS[2])
  if oldest ~= KEYS[1] and redis.call("get", oldest) == "handled" then redis.call("del", oldest) end
end
"""
"""Also removes the oldest key beyond the limit; two of them, as the limit may be lower than before."""


class RedisEventStore:
    """Event store of all workers that share a Redis.

    A worker claims an event before it handles it, and a claim ends after `lease` seconds, so that an event
    is not lost with its worker: a handler must not take longer. While Redis does not respond, no event is
    handled: the receivers return 500, and Telnyx delivers the event again. If Redis fails after the handlers
    have succeeded, a later delivery can be handled again.

    Without a `limit`, Redis holds one key of about 250 bytes for each event of the last `remember` seconds:
    with the default of one day, 220 MB at 10 events a second, and 2.2 GB at 100. With a `limit` of
    1 000 000, events are remembered for 28 hours at 10 a second and for 3 hours at 100, in 300 MB at most.

    The store sends ``EVAL`` and ``SET``; its scripts use ``GET``, ``SET`` and ``DEL``, with a limit also
    ``RPUSH``, ``LPOP``, ``LLEN`` and ``PEXPIRE``. In a Redis Cluster, a limit needs a prefix with a hash tag,
    such as ``"{telnyx-rooms}:event:"``.

    Args:
        redis: client of your Redis, which is never closed. Or a function that returns a new client, if events
            are handled in several event loops, as in Flask, AWS Lambda and Django under WSGI: a client has
            connections of one event loop. It is called, and its client closed, twice for each event.
        prefix: start of each key.
        lease: seconds until a claim ends by itself.
        remember: seconds for which a handled event is remembered.
        limit: number of handled events that are remembered; the oldest is forgotten first. None: no limit.
        timeout: seconds for a response of Redis.
        clock: source of delays, for tests.

    Raises:
        ConfigurationError: a number is not positive. Methods raise it when Redis denies access or a
            command, or the client is not of ``redis.asyncio``, or of another event loop.

    Example:
        >>> from redis.asyncio import Redis
        >>> router = EventRouter(store=RedisEventStore(Redis.from_url("redis://localhost")))
    """

    def __init__(
        self,
        redis: Redis | Callable[[], Redis],
        *,
        prefix: str = "telnyx-rooms:event:",
        lease: float = 60.0,
        remember: float = 86_400.0,
        limit: int | None = None,
        timeout: float = 2.0,
        clock: Clock = Clock(),
    ) -> None:
        check_positive(lease=lease, remember=remember, timeout=timeout)
        if limit is not None:
            check_count(limit=limit)
        self._redis: Any = redis  # commands have types for the clients of redis and of redis.asyncio
        self._is_client = isinstance(redis, Redis) or not callable(cast("object", redis))
        self._prefix, self._clock = exact_text(prefix), clock
        self._lease, self._remember = (max(1, round(seconds * 1000)) for seconds in (lease, remember))
        self._limit, self._timeout = limit, timeout
        self._instance = token_hex(16)
        self._in_use = ClaimsOfProcess()
        """Events that a task of this process is claiming or handling."""

    async def claim(self, event_id: str) -> bool:
        """Claim an event, and return True; return False if a worker has handled it.

        Raises:
            EventClaimedError: another worker is still handling the event after 0.75 seconds.
            WebhookError: Redis does not respond.
            ConfigurationError: Redis denies access or scripts.
        """
        event_id = exact_text(event_id)
        async with self._client() as redis:
            for delay in _CLAIM_DELAYS:
                is_claimed = await self._try_to_claim(redis, event_id)
                if is_claimed is not None:
                    return is_claimed
                if delay is not None:
                    await self._clock.sleep(delay)
        raise EventClaimedError(("another worker is handling the event",))

    async def _try_to_claim(self, redis: Redis, event_id: str) -> bool | None:
        """Return True if the event is claimed now, False if it was handled, None if it is being handled."""
        # Redis may have a claim of this process that no task uses, whose response was lost: it is reused.
        if not self._in_use.add(event_id):
            return None
        result = None
        try:
            key, lease = self._prefix + event_id, str(self._lease)
            result = await self._send(redis.eval(_CLAIM, 1, key, self._owner(), lease))
            return None if result is None else bool(result)
        finally:
            if not result:
                self._in_use.discard(event_id)

    async def complete(self, event_id: str) -> None:
        """Record that the event was handled.

        Raises:
            WebhookError: Redis does not respond.
            ConfigurationError: Redis denies access or scripts.
        """
        event_id = exact_text(event_id)
        key, index = self._prefix + event_id, f"{self._prefix}handled-keys"
        try:
            async with self._client() as redis:
                if self._limit is None:
                    command = redis.set(key, "handled", px=self._remember)
                else:
                    command = redis.eval(_COMPLETE_WITH_LIMIT, 2, key, index, self._remember, self._limit)
                await self._send(command)
        finally:
            self._in_use.discard(event_id)

    async def release(self, event_id: str) -> None:
        """Release the claim of an event. If that fails, the claim ends by itself.

        Raises:
            WebhookError: Redis does not respond.
            ConfigurationError: Redis denies access or scripts.
        """
        event_id = exact_text(event_id)
        try:
            async with self._client() as redis:
                await self._send(redis.eval(_RELEASE, 1, self._prefix + event_id, self._owner()))
        finally:
            self._in_use.discard(event_id)

    def _owner(self) -> str:
        """Return the value of a claim. A fork copies the rest of the store, so it has the process id."""
        return f"{self._instance}:{os.getpid()}"

    def _client(self) -> AbstractAsyncContextManager[Any]:
        return nullcontext(self._redis) if self._is_client else aclosing(self._redis())

    async def _send(self, command: object) -> object:
        if not isawaitable(command):
            raise ConfigurationError("RedisEventStore needs a client of redis.asyncio")
        try:
            async with asyncio.timeout(self._timeout):
                return await command
        except RuntimeError:  # of asyncio, as for a connection that another event loop has opened
            failure: Exception = ConfigurationError(
                "the client of Redis belongs to another event loop: pass a function that returns a new one"
            )
        except (RedisError, OSError) as error:  # a TimeoutError is an OSError
            failure = _failure(error)
        # Not chained: frames of redis hold its password.
        raise failure


def _failure(raised: BaseException) -> ConfigurationError | WebhookError:
    """Return our error for one of redis."""
    # If the time runs out while redis retries, the reason for the retry is in the chain.
    errors, link = list[RedisError](), cast("BaseException | None", raised)
    while link is not None:
        if isinstance(link, RedisError):
            errors.append(link)
        link = link.__cause__ or link.__context__
    from_server = next((error for error in errors if isinstance(error, _SERVER_ERRORS)), None)
    error = from_server or next(iter(errors), None)
    detail = f": {error}" if str(error or "") else ""
    if from_server is None:
        return WebhookError((f"Redis does not respond{detail}",))
    if isinstance(from_server, ResponseError) and not any(text in detail for text in _DENIED):
        return WebhookError((f"Redis refuses a command{detail}",))
    return ConfigurationError(f"Redis denies RedisEventStore access, or a command that it needs{detail}")
