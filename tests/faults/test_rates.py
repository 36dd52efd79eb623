"""Hints, limits and outages: who waits, for how long, and how many requests that costs."""

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
    OutcomeUnknownError,
    RateLimitError,
    Room,
    RoomsClient,
    TelnyxRoomsError,
)
from tests.helpers.case import Case, create, read
from tests.helpers.faulty import Trick, Window
from tests.helpers.haste import Haste
from tests.helpers.tricks import HANGS, answers, cuts

METHODS = {read: "GET", create: "POST"}
deeds = pytest.mark.parametrize("deed", [read, create], ids=lambda deed: deed.__name__)


def gap(case: Case) -> float:
    """Return the seconds between the first two requests."""
    first, second = case.server.requests[:2]
    return second.at - first.at


# --- one call -----------------------------------------------------------------------------------------------

HINTS: dict[str, tuple[dict[str, str], float]] = {
    "seconds": ({"Retry_After": "7"}, 7),
    "a fraction": ({"Retry_After": "0.5"}, 0.5),
    "ms": ({"retry_after_ms": "1500", "Retry_After": "9"}, 1.5),
    "x-ratelimit-reset": ({"x_ratelimit_reset": "4", "x_ratelimit_remaining": "0"}, 4),
    "x-ratelimit-reset alone": ({"x_ratelimit_reset": "4"}, 4),
    "seconds before x-ratelimit-reset": ({"Retry_After": "7", "x_ratelimit_reset": "4"}, 7),
    "just patient enough": ({"Retry_After": "43"}, 43),
}


@pytest.mark.parametrize(("headers", "seconds"), HINTS.values(), ids=HINTS)
@deeds
async def test_a_hint_is_a_floor(case: Case, headers: dict[str, str], seconds: float, deed: Any) -> None:
    """The call waits at least as long as it is told, and a second more at most."""
    case.server.plays(answers(429, **headers))
    await case.succeeds(deed)
    assert seconds <= gap(case) <= seconds + 1.1
    case.saw(" ".join([METHODS[deed]] * 2), rooms=deed is create)


@deeds
async def test_a_hint_that_is_a_date(case: Case, deed: Any) -> None:
    """It is read by the client's own clock."""
    case.server.plays(answers(429, Retry_After=formatdate(case.time.now() + 20, usegmt=True)))
    await case.succeeds(deed)
    assert 19 <= gap(case) <= 21.1
    case.saw(" ".join([METHODS[deed]] * 2), rooms=deed is create)


SENSELESS = ["soon", "-1", "", "1e3", "inf", "nan", "Fri, 99 Nov 2026", "1,5", "0x10", "9" * 400, "+7"]


@pytest.mark.parametrize("hint", SENSELESS, ids=lambda hint: repr(hint[:20]))
@deeds
async def test_a_senseless_hint(case: Case, hint: str, deed: Any) -> None:
    """It is ignored: the pause is the ordinary one."""
    case.server.plays(answers(429, Retry_After=hint))
    await case.succeeds(deed)
    assert gap(case) <= 1.1
    case.saw(" ".join([METHODS[deed]] * 2), rooms=deed is create)


LONG = {
    "an hour": ({"Retry_After": "3600"}, 3600),
    "a minute and a second": ({"Retry_After": "61"}, 61),
    "an hour in ms": ({"retry_after_ms": "3600000"}, 3600),
    "an hour to the reset": ({"x_ratelimit_reset": "3600", "x_ratelimit_remaining": "0"}, 3600),
}


@pytest.mark.parametrize(("headers", "seconds"), LONG.values(), ids=LONG)
@deeds
async def test_a_hint_beyond_patience(case: Case, headers: dict[str, str], seconds: float, deed: Any) -> None:
    """It is raised at once, and says how long."""
    case.server.plays(answers(429, **headers))
    error = await case.fails(RateLimitError, deed)
    assert (error.retry_after, len(error.attempts)) == (seconds, 1)
    assert case.calls[0].seconds < 0.1
    case.saw(METHODS[deed])


@deeds
async def test_a_hint_beyond_the_deadline(case: Case, deed: Any) -> None:
    """So is one that would outlast the call."""
    case.server.plays(answers(429, Retry_After="50"))
    error = await case.fails(RateLimitError, deed)
    assert error.retry_after == 50
    case.rest = 50
    assert case.calls[0].seconds < 0.1
    case.saw(METHODS[deed])


@deeds
async def test_429_without_a_hint_for_ever(case: Case, deed: Any) -> None:
    """It is tried 3 times, with pauses of at most 1 and 2 seconds."""
    case.time.dice = lambda: 1.0
    case.server.keeps_playing(answers(429))
    error = await case.fails(RateLimitError, deed)
    assert [attempt.wait for attempt in error.attempts] == [1.0, 2.0, None]
    assert error.retry_after is None
    case.saw(" ".join([METHODS[deed]] * 3))


# --- many calls ---------------------------------------------------------------------------------------------


def at_once(count: int, deed: Callable[[RoomsClient], Awaitable[Room]]) -> Callable[[RoomsClient], Any]:
    """Do something many times, all at once."""

    async def together(client: RoomsClient) -> list[Room | BaseException]:
        return await asyncio.gather(*(deed(client) for _ in range(count)), return_exceptions=True)

    return together


async def create_any(client: RoomsClient) -> Room:
    """Create a room with a name of its own."""
    return await client.rooms.create(unique_name=f"Room {random.random()}")


def chance(time: Haste, seed: int) -> None:
    """Let the dice fall differently for each call, and the same in each run."""
    time.dice = random.Random(seed).random


WINDOWS = {
    "20 per 5 s": (20, 5.0),
    "5 per second": (5, 1.0),
    "60 per minute": (60, 60.0),
    "10 per 3 s": (10, 3.0),
}


@pytest.mark.parametrize(("limit", "seconds"), WINDOWS.values(), ids=WINDOWS)
@pytest.mark.parametrize("deed", [read, create_any], ids=["reads", "creates"])
@pytest.mark.parametrize("seed", [1, 2])
async def test_60_calls_against_a_window(
    case: Case, limit: int, seconds: float, deed: Any, seed: int
) -> None:
    """All succeed, with fewer than 70 requests and as soon as the server lets them."""
    case.at_once = True
    chance(case.time, seed)
    case.server.window = Window(limit, seconds)
    outcomes = await case.succeeds(at_once(60, deed), creates=60)
    assert all(isinstance(each, Room) for each in outcomes), set(map(repr, outcomes))
    assert case.calls[0].seconds <= (60 / limit - 1) * seconds + 4
    case.saw_at_most(69, rooms=60 if deed is create_any else 0)
    case.rest = seconds


async def test_60_calls_one_after_the_other(case: Case) -> None:
    """They run into no 429 at all: the headers of each answer tell how many are left."""
    case.server.window = window = Window(20, 5.0)

    async def deed(client: RoomsClient) -> None:
        for _ in range(60):
            await read(client)

    case.uses(timeout=60)
    await case.succeeds(deed)
    assert window.refused == 0
    case.saw(" ".join(["GET"] * 60))


async def test_views_share_the_limit(case: Case) -> None:
    """Calls through views of a client wait at the same gate."""
    case.at_once = True
    chance(case.time, 3)
    case.server.window = Window(20, 5.0)

    async def deed(client: RoomsClient) -> list[Room]:
        views = [client.with_options(timeout=40 + number) for number in range(60)]
        return await asyncio.gather(*map(read, views))

    await case.succeeds(deed)
    case.saw_at_most(69)


async def test_the_newest_word_of_the_server(case: Case) -> None:
    """It is there for the user."""
    assert case.client.rate_limit is None
    case.server.window = Window(20, 5.0)
    await case.succeeds(read)
    told = case.client.rate_limit
    assert told is not None
    assert (told.limit, told.remaining) == (20, 19)
    assert told.reset == pytest.approx(5, abs=0.1)
    case.saw("GET")


async def test_a_pause_is_shared(case: Case) -> None:
    """One 429 stops all calls of the client, once; they resume within a second."""
    case.at_once = True
    chance(case.time, 4)
    await asyncio.gather(*(read(case.client) for _ in range(30)))
    before = len(case.server.requests)
    case.server.plays(answers(429, Retry_After="10"))
    await case.succeeds(read)
    assert before == 30
    stopped = case.time.seconds()
    case.server.plays(answers(429, Retry_After="10"))
    first = asyncio.create_task(read(case.client))
    while len(case.server.requests) < 33:
        await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    await case.succeeds(at_once(20, read))
    await first
    times = [asked.at for asked in case.server.requests[33:]]
    assert min(times) >= stopped + 10
    assert max(times) <= stopped + 12.2
    assert len(times) == 21
    case.saw(" ".join(["GET"] * 54))


ODD_HEADERS: dict[str, dict[str, str]] = {
    "text": {"x_ratelimit_limit": "many", "x_ratelimit_remaining": "few", "x_ratelimit_reset": "soon"},
    "negative": {"x_ratelimit_limit": "-1", "x_ratelimit_remaining": "-5", "x_ratelimit_reset": "-9"},
    "none left for an hour": {
        "x_ratelimit_limit": "20",
        "x_ratelimit_remaining": "0",
        "x_ratelimit_reset": "3600",
    },
    "huge": dict.fromkeys(["x_ratelimit_limit", "x_ratelimit_remaining", "x_ratelimit_reset"], "9" * 400),
    "only a limit": {"x_ratelimit_limit": "1"},
    "only what remains": {"x_ratelimit_remaining": "0"},
    "a limit of none": {"x_ratelimit_limit": "0", "x_ratelimit_remaining": "0", "x_ratelimit_reset": "0"},
}


@pytest.mark.parametrize("headers", ODD_HEADERS.values(), ids=ODD_HEADERS)
async def test_odd_headers(case: Case, headers: dict[str, str]) -> None:
    """What the server tells of its limit is no reason to fail, nor to wait for ever."""
    case.at_once = True
    told = {"data": {"id": "a"}}
    case.server.keeps_playing(answers(200, told, **headers))
    outcomes = await case.succeeds(at_once(60, read))
    assert all(isinstance(each, Room) for each in outcomes), set(map(repr, outcomes))
    assert case.calls[0].seconds < 8
    case.saw(" ".join(["GET"] * 60))


# --- outages ------------------------------------------------------------------------------------------------

THROTTLED = answers(429)
OUTAGES: dict[str, tuple[Trick, type[TelnyxRoomsError] | tuple[type[TelnyxRoomsError], ...]]] = {
    "500": (answers(500), InternalServerError),
    "502": (answers(502), InternalServerError),
    "503": (answers(503), InternalServerError),
    # Whom the gate lets through at the last moment has no time left, for a connection perhaps.
    "429": (THROTTLED, (RateLimitError, APIConnectionError)),
    "reset": (cuts("before", "reset"), APIConnectionError),
    "closed": (cuts("before"), APIConnectionError),
    "hang": (HANGS, APIConnectionError),
}


@pytest.mark.parametrize(("trick", "kind"), OUTAGES.values(), ids=OUTAGES)
async def test_500_calls_in_an_outage(case: Case, trick: Trick, kind: Any) -> None:
    """They cost 560 requests at most, and each ends in time with its real error."""
    case.at_once = True
    chance(case.time, 5)
    case.server.keeps_playing(trick)
    errors = await case.succeeds(at_once(500, read))
    assert all(isinstance(each, kind) for each in errors), set(map(repr, errors))
    # A call that never got through the gate has taken nothing from the budget. Of throttled ones about as
    # many get through as the budget lasts for.
    if trick is not THROTTLED:
        assert any(each.budget_exhausted for each in errors) is (trick is not HANGS)
    case.errors += errors[-3:]
    case.saw_at_most(560)


async def test_500_creates_in_an_outage(case: Case) -> None:
    """None is sent twice, and the looks for them are within the budget."""
    case.at_once = True
    case.server.keeps_playing(answers(500))
    errors = await case.succeeds(at_once(500, create_any), creates=500)
    assert {type(each) for each in errors} == {OutcomeUnknownError}
    assert case.server.methods.count("POST") == 500
    case.saw_at_most(560)


async def test_500_calls_while_nobody_listens(case: Case) -> None:
    """The budget bounds the attempts at a connection just so."""
    case.at_once = True
    chance(case.time, 5)
    await case.server.close()
    errors = await case.succeeds(at_once(500, read))
    assert {type(each) for each in errors} == {ConnectError}
    assert sum(len(each.attempts) for each in errors) <= 560
    case.saw("")
    case.past_healing = "the port is gone"


async def test_the_budget_comes_back(case: Case) -> None:
    """When the outage is over, a call is repeated as before."""
    case.at_once = True
    chance(case.time, 6)
    case.server.keeps_playing(answers(500))
    await case.succeeds(at_once(100, read))
    spent = len(case.server.requests)
    assert spent <= 160
    await case.server.heal()
    await case.time.sleep(60)
    case.server.plays(answers(500))
    await case.succeeds(read)
    assert len(case.server.requests) == spent + 2
    case.saw_at_most(162)
