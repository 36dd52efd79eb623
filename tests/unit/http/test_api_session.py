"""Calls through a scripted transport: attempts, delays, the retry budget, and log lines.

Which outcomes are retried is in tests/unit/core/test_retry.py, and real connections are in tests/faults.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast
from unittest.mock import patch

import pytest
from attrs import define, evolve, field

from telnyx_rooms_async import (
    APITimeoutError,
    ConnectError,
    InternalServerError,
    RetryPolicy,
    Room,
    TelnyxRoomsError,
)
from telnyx_rooms_async.core.endpoints import RETRIEVE_ROOM
from telnyx_rooms_async.core.http_messages import Failure, Request, Response
from telnyx_rooms_async.core.protocol import build
from telnyx_rooms_async.core.retry import RetryBudget
from telnyx_rooms_async.core.secret import Secret
from telnyx_rooms_async.errors import FailureKind
from telnyx_rooms_async.http.api_session import ApiSession
from telnyx_rooms_async.http.credentials import Credentials
from telnyx_rooms_async.http.in_flight import InFlightCalls
from telnyx_rooms_async.http.rate_limiter import RateLimiter
from telnyx_rooms_async.http.transport import AiohttpTransport
from tests.helpers.clocks import FakeClock
from tests.helpers.responses import respond

Outcome = Response | Failure
CALL = build(RETRIEVE_ROOM, room_id="a-room")


OK = respond(200, b'{"data":{"id":"a-room"}}')
LOST = Failure(reason=FailureKind.LOST, sent=True)
NOT_SENT = Failure(reason=FailureKind.CONNECT, sent=False)


@define
class ScriptedTransport:
    """Returns outcomes one after the other, the last one for ever."""

    outcomes: list[Outcome]
    timeouts: list[float] = field(factory=list[float])
    is_loopback: bool = False

    async def send(self, request: Request, credentials: Credentials, seconds: float) -> Outcome:
        assert credentials.key == "KEY"
        assert request is CALL.request  # each attempt sends the same bytes
        self.timeouts.append(seconds)
        return self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]


NewSession = Callable[..., tuple[ApiSession, ScriptedTransport]]


@pytest.fixture
async def new_session(fake_clock: FakeClock) -> NewSession:
    def new(*outcomes: Outcome, **options: Any) -> tuple[ApiSession, ScriptedTransport]:
        transport = ScriptedTransport(list(outcomes))
        limiter = RateLimiter(100, fake_clock.clock)
        session = ApiSession(
            transport=cast("AiohttpTransport", transport),
            credentials=Credentials(Secret("KEY"), "tests/1.0"),
            in_flight_calls=InFlightCalls(asyncio.get_running_loop()),
            rate_limiter=limiter,
            budget=RetryBudget(120.0),
            on_attempt=None,
            timeout=45.0,
            attempt_timeout=15.0,
            retry=RetryPolicy(),
            read_only=False,
            clock=fake_clock.clock,
        )
        return evolve(session, **options), transport

    return new


@pytest.mark.parametrize(
    ("outcomes", "sleeps"),
    [
        ([OK], []),
        ([respond(500), LOST, OK], [0.25, 0.5]),
        ([respond(429), OK], [0.5]),
        ([respond(429, Retry_After="7"), OK], [7.5]),
        ([respond(503, retry_after_ms="1500"), OK], [2.0]),
    ],
    ids=["success", "500, lost", "429", "seconds", "milliseconds"],
)
async def test_read_is_retried_after_a_delay(
    new_session: NewSession, fake_clock: FakeClock, outcomes: list[Outcome], sleeps: list[float]
) -> None:
    session, transport = new_session(*outcomes)
    assert await session.call(CALL) == Room(id="a-room")
    assert fake_clock.sleeps == sleeps
    assert transport.timeouts == [15.0] * len(outcomes)


@pytest.mark.parametrize(
    ("elapsed", "is_loopback", "detail"),
    [
        (15.0, False, "no bytes"),
        (22.0, False, "the event loop was blocked, for 7 s or more"),
        (15.0, True, "a server in this process cannot respond while its event loop is blocked"),
    ],
)
async def test_timeout_says_whether_an_event_loop_was_blocked(
    new_session: NewSession, fake_clock: FakeClock, elapsed: float, *, is_loopback: bool, detail: str
) -> None:
    failure = Failure(reason=FailureKind.TIMEOUT, sent=True, detail="no bytes")
    session, transport = new_session(failure, retry=RetryPolicy(max_attempts=1))
    transport.is_loopback = is_loopback

    async def send_slowly(*_: object) -> Outcome:
        fake_clock.advance(seconds=elapsed)
        return failure

    with patch.object(ScriptedTransport, "send", send_slowly), pytest.raises(APITimeoutError, match=detail):
        await session.call(CALL)


async def test_error_has_the_last_response_and_all_attempts(
    new_session: NewSession, fake_clock: FakeClock
) -> None:
    policy = RetryPolicy(max_attempts=4, backoff_base=2.0, backoff_max=5.0)
    session, _ = new_session(respond(500), respond(502, x_request_id="the-last"), LOST, retry=policy)
    with pytest.raises(InternalServerError) as caught:
        await session.call(CALL)
    error = caught.value
    assert (error.status_code, error.request_id) == (502, "the-last")
    assert [attempt.status or attempt.failure for attempt in error.attempts] == [500, 502, "lost", "lost"]
    assert [attempt.wait for attempt in error.attempts] == [*fake_clock.sleeps, None] == [1.0, 2.0, 2.5, None]


async def test_last_attempt_gets_the_time_that_is_left(
    new_session: NewSession, fake_clock: FakeClock
) -> None:
    session, transport = new_session(respond(429, Retry_After="9"), OK, timeout=12.0)
    await session.call(CALL)
    assert transport.timeouts == [12.0, 12.0 - fake_clock.sleeps[0]]


async def test_retry_is_a_warning_in_the_log_and_success_a_debug_line(
    new_session: NewSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "telnyx_rooms_async")
    session, _ = new_session(respond(503, x_request_id="req-7"), OK)
    await session.call(CALL)
    first, second = caplog.records
    assert (first.levelname, second.levelname) == ("WARNING", "DEBUG")
    for part in ("GET /rooms/{room_id}", "503", "req-7", "0.250 s"):
        assert part in first.getMessage()


async def test_hook_that_fails_or_is_async_is_logged(
    new_session: NewSession, caplog: pytest.LogCaptureFixture
) -> None:
    async def hook(_: object) -> None: ...

    def failing_hook(_: object) -> None:
        raise ZeroDivisionError

    for on_attempt, message in (
        (hook, "on_attempt returned a coroutine"),
        (failing_hook, "on_attempt failed"),
    ):
        session, _ = new_session(OK, on_attempt=on_attempt)
        assert await session.call(CALL) == Room(id="a-room")
        assert message in caplog.text


async def test_request_that_was_not_sent_does_not_use_the_share(
    new_session: NewSession, fake_clock: FakeClock
) -> None:
    limited = respond(200, OK.body, x_ratelimit_limit="4", x_ratelimit_remaining="3", x_ratelimit_reset="30")
    limiter = RateLimiter(100, fake_clock.clock, share=0.5)
    session, _ = new_session(
        limited, *[NOT_SENT] * 5, limited, rate_limiter=limiter, retry=RetryPolicy(max_attempts=1)
    )
    await session.call(CALL)
    for _ in range(5):
        with pytest.raises(ConnectError):
            await session.call(CALL)
    await session.call(CALL)
    assert fake_clock.sleeps == []
    await session.call(CALL)  # the third of two requests in 30 seconds
    assert sum(fake_clock.sleeps) == 30


# --- the retry budget ---------------------------------------------------------------------------------------

FULL_WINDOW = respond(500, x_ratelimit_limit="9999", x_ratelimit_remaining="0", x_ratelimit_reset="50")
BUDGET_CHANGES: dict[str, tuple[list[Outcome], float]] = {
    "success": ([OK], +1),
    "refusal": ([respond(404)], +1),
    "success after a retry": ([respond(500), OK], 0),
    "success after two retries": ([respond(500), respond(429), OK], 0),
    "refusal after a retry": ([respond(500), respond(404)], 0),
    "failure": ([respond(500)], -28),
    "throttled": ([respond(429)], -10),
    "throttled, then failure": ([respond(429), respond(500)], -19),
    "connection lost": ([LOST], -28),
    "hint that is not followed": ([respond(429, Retry_After="3600")], 0),
    "retry that is not admitted in time": ([FULL_WINDOW], 0),
    "second retry that is not admitted in time": ([respond(500), FULL_WINDOW], -14),
}


@pytest.mark.parametrize(("outcomes", "change"), BUDGET_CHANGES.values(), ids=BUDGET_CHANGES)
async def test_retries_cost_budget_and_successes_return_it(
    new_session: NewSession, outcomes: list[Outcome], change: float
) -> None:
    session, _ = new_session(*outcomes, retry=RetryPolicy(backoff_base=0.0, backoff_base_throttled=0.0))
    session.budget.take(60.0, session.clock.monotonic())
    with suppress(TelnyxRoomsError):
        await session.call(CALL)
    assert session.budget.level == 60 + change


@pytest.mark.parametrize(
    ("budget", "requests", "exhausted"), [(13.9, 1, True), (14.0, 2, True), (28.0, 3, False)]
)
async def test_call_is_not_retried_beyond_the_budget(
    new_session: NewSession, budget: float, requests: int, *, exhausted: bool
) -> None:
    policy = RetryPolicy(backoff_base=0.0)
    session, transport = new_session(respond(500), budget=RetryBudget(budget), retry=policy)
    with pytest.raises(InternalServerError) as caught:
        await session.call(CALL)
    assert len(transport.timeouts) == len(caught.value.attempts) == requests
    are_exhausted = [attempt.budget_exhausted for attempt in caught.value.attempts]
    assert are_exhausted == [False] * (requests - 1) + [exhausted]
