"""Retries of a call: delays, attempts, the retry budget, and log lines.

Which outcomes are retried is in tests/unit/core/test_retry.py; faults of connections are in tests/faults.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from typing import TypeAlias

import pytest

from telnyx_rooms_async import (
    APITimeoutError,
    ConnectError,
    InternalServerError,
    RetryPolicy,
    RoomsClient,
    TelnyxRoomsError,
)
from telnyx_rooms_async.core.http_messages import Failure
from telnyx_rooms_async.errors import FailureKind
from telnyx_rooms_async.http.transport import AiohttpTransport
from tests.helpers.clocks import FakeClock
from tests.helpers.scripted_server import Reply, ScriptedServer

NewClient: TypeAlias = Callable[..., RoomsClient]
http = ScriptedServer.http
ROOM = b'{"data":{"id":"a-room"}}'
OK = http(200, ROOM)
LOST = ScriptedServer.raw(b"")


@pytest.fixture
async def new_client(scripted_server: ScriptedServer, fake_clock: FakeClock) -> AsyncIterator[NewClient]:
    """Make a client of a server with these replies, of which the last one is repeated."""

    def new(*replies: Reply, **options: object) -> RoomsClient:
        scripted_server.respond_with(*replies)
        client = RoomsClient("KEY", base_url=scripted_server.url, clock=fake_clock.clock, **options)  # type: ignore[arg-type]  # of a test
        clients.push_async_callback(client.close)
        return client

    async with AsyncExitStack() as clients:
        yield new


@pytest.mark.parametrize(
    ("replies", "sleeps"),
    [
        ([OK], []),
        ([http(500), LOST, OK], [0.25, 0.5]),
        ([http(429), OK], [0.5]),
        ([http(429, Retry_After="7"), OK], [7.5]),
        ([http(503, retry_after_ms="1500"), OK], [2.0]),
    ],
    ids=["success", "500, lost", "429", "seconds", "milliseconds"],
)
async def test_read_is_retried_after_a_delay(
    new_client: NewClient, fake_clock: FakeClock, replies: list[Reply], sleeps: list[float]
) -> None:
    assert (await new_client(*replies).rooms.retrieve("a-room")).id == "a-room"
    assert fake_clock.sleeps == sleeps


@pytest.mark.parametrize(
    ("elapsed", "base_url", "detail"),
    [
        (15.0, "https://api.test/v2", "no bytes"),
        (22.0, "https://api.test/v2", "the event loop was blocked, for 7 s or more"),
        (
            15.0,
            "http://127.0.0.1/v2",
            "a server in this process cannot respond while its event loop is blocked",
        ),
    ],
)
async def test_timeout_says_whether_an_event_loop_was_blocked(
    fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch, elapsed: float, base_url: str, detail: str
) -> None:
    async def time_out(*_: object) -> Failure:
        fake_clock.advance(seconds=elapsed)
        return Failure(reason=FailureKind.TIMEOUT, sent=True, detail="no bytes")

    monkeypatch.setattr(AiohttpTransport, "send", time_out)
    async with RoomsClient("KEY", base_url=base_url, clock=fake_clock.clock, max_retries=0) as client:
        with pytest.raises(APITimeoutError, match=detail):
            await client.rooms.retrieve("a-room")


async def test_error_has_the_last_response_and_all_attempts(
    new_client: NewClient, fake_clock: FakeClock
) -> None:
    policy = RetryPolicy(max_attempts=4, backoff_base=2.0, backoff_max=5.0)
    client = new_client(http(500), http(502, x_request_id="the-last"), LOST, retry=policy)
    with pytest.raises(InternalServerError) as caught:
        await client.rooms.retrieve("a-room")
    error = caught.value
    assert (error.status_code, error.request_id) == (502, "the-last")
    assert [attempt.status or attempt.failure for attempt in error.attempts] == [500, 502, "lost", "lost"]
    assert [attempt.wait for attempt in error.attempts] == [*fake_clock.sleeps, None] == [1.0, 2.0, 2.5, None]


async def test_retry_is_a_warning_in_the_log_and_success_a_debug_line(
    new_client: NewClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "telnyx_rooms_async")
    await new_client(http(503, x_request_id="req-7"), OK).rooms.retrieve("a-room")
    first, second = caplog.records
    assert (first.levelname, second.levelname) == ("WARNING", "DEBUG")
    for part in ("GET /rooms/{room_id}", "503", "req-7", "0.250 s"):
        assert part in first.getMessage()


async def test_hook_that_fails_or_returns_a_coroutine_is_logged(
    new_client: NewClient, caplog: pytest.LogCaptureFixture
) -> None:
    async def hook(_: object) -> None: ...

    def failing_hook(_: object) -> None:
        raise ZeroDivisionError

    for on_attempt, message in (
        (lambda attempt: hook(attempt), "on_attempt returned a coroutine"),  # noqa: PLW0108 - hides it
        (failing_hook, "on_attempt failed"),
    ):
        await new_client(OK, on_attempt=on_attempt).rooms.retrieve("a-room")
        assert message in caplog.text


async def test_request_that_was_not_sent_does_not_use_the_share(
    new_client: NewClient, scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    limit = {"x_ratelimit_limit": "4", "x_ratelimit_remaining": "3", "x_ratelimit_reset": "30"}
    client = new_client(http(200, ROOM, Connection="close", **limit), rate_limit_share=0.5, max_retries=0)
    await client.rooms.retrieve("a-room")
    scripted_server.stop_listening()
    for _ in range(5):
        with pytest.raises(ConnectError):
            await client.rooms.retrieve("a-room")
    await scripted_server.listen()
    await client.rooms.retrieve("a-room")
    assert fake_clock.sleeps == []
    await client.rooms.retrieve("a-room")  # the third of two requests in 30 seconds
    assert sum(fake_clock.sleeps) == 30


# --- the retry budget ---------------------------------------------------------------------------------------

FULL_WINDOW = http(500, x_ratelimit_limit="9999", x_ratelimit_remaining="0", x_ratelimit_reset="50")
BUDGET_CHANGES: dict[str, tuple[list[Reply], float]] = {
    "success": ([OK], +1),
    "refusal": ([http(404)], +1),
    "success after a retry": ([http(500), OK], 0),
    "success after two retries": ([http(500), http(429), OK], 0),
    "refusal after a retry": ([http(500), http(404)], 0),
    "failure": ([http(500)], -28),
    "throttled": ([http(429)], -10),
    "throttled, then failure": ([http(429), http(500)], -19),
    "connection lost": ([LOST], -28),
    "hint that is not followed": ([http(429, Retry_After="3600")], 0),
    "retry that is not admitted in time": ([FULL_WINDOW], 0),
    "second retry that is not admitted in time": ([http(500), FULL_WINDOW], -14),
}


@pytest.mark.parametrize(("replies", "change"), BUDGET_CHANGES.values(), ids=BUDGET_CHANGES)
async def test_retries_cost_budget_and_successes_return_it(
    new_client: NewClient, fake_clock: FakeClock, replies: list[Reply], change: float
) -> None:
    policy = RetryPolicy(budget=120.0, backoff_base=0.0, backoff_base_throttled=0.0)
    client = new_client(*replies, retry=policy)
    budget = client._api.budget
    budget.take(60.0, fake_clock.time())
    with suppress(TelnyxRoomsError):
        await client.rooms.retrieve("a-room")
    assert budget.level == 60 + change


@pytest.mark.parametrize(
    ("budget", "requests", "exhausted"), [(13.9, 1, True), (14.0, 2, True), (28.0, 3, False)]
)
async def test_call_is_not_retried_beyond_the_budget(
    new_client: NewClient, scripted_server: ScriptedServer, budget: float, requests: int, *, exhausted: bool
) -> None:
    client = new_client(http(500), retry=RetryPolicy(budget=budget, backoff_base=0.0))
    with pytest.raises(InternalServerError) as caught:
        await client.rooms.retrieve("a-room")
    assert len(scripted_server.requests) == len(caught.value.attempts) == requests
    are_exhausted = [attempt.budget_exhausted for attempt in caught.value.attempts]
    assert are_exhausted == [False] * (requests - 1) + [exhausted]
