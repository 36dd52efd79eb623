"""Retry-After, rate limits and outages: waiting times and numbers of requests."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any

import pytest

from telnyx_rooms_async import (
    APIConnectionError,
    ConnectError,
    InternalServerError,
    RateLimitError,
    Room,
    RoomsClient,
    TelnyxRoomsError,
)
from tests.helpers.clocks import EPOCH, wait_until
from tests.helpers.fault_case import METHODS, FaultCase, create, read, read_and_create
from tests.helpers.fault_server import RateWindow, ServerFault
from tests.helpers.faults import HANG, respond, truncate

# --- one call -----------------------------------------------------------------------------------------------


def at_server_time(now: float, seconds: float) -> dict[str, str]:
    """Return the headers of a server that asks for a pause by the time on its own clock."""
    return {"Date": formatdate(now, usegmt=True), "Retry_After": formatdate(now + seconds, usegmt=True)}


RETRY_AFTER: dict[str, tuple[dict[str, str], float]] = {
    "seconds": ({"Retry_After": "7"}, 7),
    "date": ({"Retry_After": formatdate(EPOCH + 20, usegmt=True)}, 20),
    "date of a clock that is fast": (at_server_time(EPOCH + 3600, 20), 20),
    "date of a clock that is slow": (at_server_time(EPOCH - 3600, 20), 20),
    "ms": ({"retry_after_ms": "1500", "Retry_After": "9"}, 1.5),
    "x-ratelimit-reset": ({"x_ratelimit_reset": "4", "x_ratelimit_remaining": "0"}, 4),
    "seconds before x-ratelimit-reset": ({"Retry_After": "7", "x_ratelimit_reset": "4"}, 7),
    "just patient enough": ({"Retry_After": "43"}, 43),
    "text is ignored": ({"Retry_After": "soon"}, 0),
}


@pytest.mark.parametrize(("headers", "seconds"), RETRY_AFTER.values(), ids=RETRY_AFTER)
@read_and_create
async def test_a_call_waits_at_least_as_long_as_the_server_asks(
    case: FaultCase, headers: dict[str, str], seconds: float, action: Any
) -> None:
    case.server.inject(respond(429, **headers))
    await case.expect_result(action)
    first, second = case.server.requests
    assert seconds <= second.at - first.at <= seconds + 1.1
    case.expect_requests(" ".join([METHODS[action]] * 2), rooms=action is create)


TOO_LONG = {
    "an hour": ({"Retry_After": "3600"}, 3600),
    "a minute and a second": ({"Retry_After": "61"}, 61),
    "beyond the deadline": ({"Retry_After": "50"}, 50),
    "an hour to the reset": ({"x_ratelimit_reset": "3600", "x_ratelimit_remaining": "0"}, 3600),
}


@pytest.mark.parametrize(("headers", "seconds"), TOO_LONG.values(), ids=TOO_LONG)
@read_and_create
async def test_a_retry_after_beyond_the_maximum_or_the_deadline_is_raised_at_once(
    case: FaultCase, headers: dict[str, str], seconds: float, action: Any
) -> None:
    case.server.inject(respond(429, **headers))
    error = await case.expect_error(RateLimitError, action)
    assert (error.retry_after, len(error.attempts)) == (seconds, 1)
    case.recovery_delay = 50 if seconds == 50 else 0
    assert case.seconds < 1
    case.expect_requests(METHODS[action])


# --- many calls ---------------------------------------------------------------------------------------------


def concurrently(
    count: int, action: Callable[[RoomsClient], Awaitable[Room]]
) -> Callable[[RoomsClient], Any]:
    """Repeat an action in concurrent tasks."""

    async def together(client: RoomsClient) -> list[Room | BaseException]:
        return await asyncio.gather(*(action(client) for _ in range(count)), return_exceptions=True)

    return together


async def create_any(client: RoomsClient) -> Room:
    return await client.rooms.create(unique_name=f"Room {random.random()}")


WINDOWS = {
    "20 per 5 s": (20, 5.0),
    "5 per second": (5, 1.0),
    "60 per minute": (60, 60.0),
    "10 per 3 s": (10, 3.0),
}


@pytest.mark.parametrize(("limit", "seconds"), WINDOWS.values(), ids=WINDOWS)
@pytest.mark.parametrize("action", [read, create_any], ids=["reads", "creates"])
@pytest.mark.parametrize("seed", [1, 2])
async def test_60_concurrent_calls_within_a_rate_limit_window_all_succeed(
    case: FaultCase, limit: int, seconds: float, action: Any, seed: int
) -> None:
    case.concurrent = True
    case.clock.random = random.Random(seed).random
    case.server.window = RateWindow(limit, seconds)
    outcomes = await case.expect_result(concurrently(60, action), creates=60)
    assert all(isinstance(outcome, Room) for outcome in outcomes), set(map(repr, outcomes))
    assert case.seconds <= (60 / limit - 1) * seconds + 4
    case.expect_at_most(69, rooms=60 if action is create_any else 0)
    case.recovery_delay = seconds


async def test_sequential_calls_are_never_throttled(case: FaultCase) -> None:
    case.server.window = window = RateWindow(20, 5.0)

    async def action(client: RoomsClient) -> None:
        for _ in range(60):
            await read(client)

    case.new_client(timeout=60)
    await case.expect_result(action)
    assert window.rejected == 0
    case.expect_requests(" ".join(["GET"] * 60))


async def test_the_client_exposes_the_latest_rate_limit(case: FaultCase) -> None:
    assert case.client.rate_limit is None
    case.server.window = RateWindow(20, 5.0)
    await case.expect_result(read)
    latest = case.client.rate_limit
    assert latest is not None
    assert (latest.limit, latest.remaining) == (20, 19)
    assert latest.reset == pytest.approx(5, abs=0.1)
    case.expect_requests("GET")


async def test_one_429_pauses_all_calls_of_a_client_once(case: FaultCase) -> None:
    case.concurrent = True
    case.clock.random = random.Random(4).random
    await asyncio.gather(*(read(case.client) for _ in range(30)))
    case.server.inject(respond(429, Retry_After="10"))
    await case.expect_result(read)
    stopped = case.clock.seconds
    case.server.inject(respond(429, Retry_After="10"))
    first = asyncio.create_task(read(case.client))
    await wait_until(lambda: len(case.server.requests) == 33)
    await asyncio.sleep(0.01)
    await case.expect_result(concurrently(20, read))
    await first
    times = [request.at for request in case.server.requests[33:]]
    assert stopped + 10 <= min(times) <= max(times) <= stopped + 12.2
    case.expect_requests(" ".join(["GET"] * 54))


async def test_a_429_that_is_not_retried_pauses_the_next_call(case: FaultCase) -> None:
    case.new_client(max_retries=0)
    case.server.inject(respond(429, Retry_After="10"))
    await case.expect_error(RateLimitError, read)
    await case.expect_result(read)
    assert 10 <= case.seconds <= 11
    case.expect_requests("GET GET")


async def test_a_429_while_requests_remain_holds_no_other_call(case: FaultCase) -> None:
    case.concurrent = True
    case.server.inject(respond(429, Retry_After="10", x_ratelimit_remaining="7", x_ratelimit_reset="60"))
    refused = asyncio.create_task(read(case.client))
    await wait_until(lambda: len(case.server.requests) == 1)
    await asyncio.sleep(0.01)
    await case.expect_result(concurrently(4, read))
    assert case.seconds < 1
    assert not refused.done()
    assert (await refused).unique_name == "Healthy"
    assert case.server.requests[-1].at - case.server.requests[0].at >= 10
    case.expect_requests(" ".join(["GET"] * 6))


async def test_a_lone_429_without_headers_holds_no_other_call(case: FaultCase) -> None:
    case.concurrent = True
    case.clock.random = lambda: 1.0
    case.server.inject(respond(429))
    refused = asyncio.create_task(read(case.client))
    await wait_until(lambda: len(case.server.requests) == 1)
    await asyncio.sleep(0.01)
    await case.expect_result(concurrently(4, read))
    assert case.seconds < 0.5
    assert (await refused).unique_name == "Healthy"
    case.expect_requests(" ".join(["GET"] * 6))


async def test_the_second_429_within_a_second_pauses_all_calls(case: FaultCase) -> None:
    case.concurrent = True
    while_requests_remain = {"x_ratelimit_remaining": "70", "x_ratelimit_reset": "60"}
    case.server.inject(*[respond(429, Retry_After="10", **while_requests_remain)] * 2)
    refused = [asyncio.create_task(read(case.client)) for _ in range(2)]
    await wait_until(lambda: len(case.server.requests) == 2)
    await asyncio.sleep(0.01)
    await case.expect_result(concurrently(4, read))
    await asyncio.gather(*refused)
    first, second, *others = [request.at for request in case.server.requests]
    assert second - first < 1
    assert 10 <= min(others) - second <= max(others) - first <= 12.2
    case.expect_requests(" ".join(["GET"] * 8))


# --- outages ------------------------------------------------------------------------------------------------

THROTTLED = respond(429)
OUTAGES: dict[str, tuple[ServerFault, type[TelnyxRoomsError] | tuple[type[TelnyxRoomsError], ...]]] = {
    "500": (respond(500), InternalServerError),
    "502": (respond(502), InternalServerError),
    "503": (respond(503), InternalServerError),
    # A call that the rate limiter admits at the last moment may have no time left to connect.
    "429": (THROTTLED, (RateLimitError, APIConnectionError)),
    "reset": (truncate("before", "reset"), APIConnectionError),
    "closed": (truncate("before"), APIConnectionError),
    "hang": (HANG, APIConnectionError),
}


@pytest.mark.parametrize(("fault", "error_class"), OUTAGES.values(), ids=OUTAGES)
async def test_500_reads_in_an_outage_send_at_most_560_requests(
    case: FaultCase, fault: ServerFault, error_class: Any
) -> None:
    case.concurrent = True
    case.clock.random = random.Random(5).random
    case.server.inject_always(fault)
    errors = await case.expect_result(concurrently(500, read))
    assert all(isinstance(outcome, error_class) for outcome in errors), set(map(repr, errors))
    # A call that the rate limiter never admitted has spent no budget.
    if fault is not THROTTLED:
        assert any(outcome.budget_exhausted for outcome in errors) is (fault is not HANG)
    case.errors += errors[-3:]
    case.expect_at_most(560)


async def test_500_reads_make_at_most_560_attempts_to_connect(case: FaultCase) -> None:
    case.concurrent = True
    case.clock.random = random.Random(5).random
    case.server.stop_listening()
    errors = await case.expect_result(concurrently(500, read))
    assert {type(outcome) for outcome in errors} == {ConnectError}
    assert sum(len(outcome.attempts) for outcome in errors) <= 560
    case.expect_requests("")
    case.recovers = False  # the port is gone


async def test_the_retry_budget_refills_after_an_outage(case: FaultCase) -> None:
    case.concurrent = True
    case.clock.random = random.Random(6).random
    case.server.inject_always(respond(500))
    await case.expect_result(concurrently(100, read))
    spent = len(case.server.requests)
    assert spent <= 160
    await case.server.recover()
    await case.clock.sleep(60)
    case.server.inject(respond(500))
    await case.expect_result(read)
    assert len(case.server.requests) == spent + 2
    case.expect_at_most(162)
