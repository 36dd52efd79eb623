"""Retries as a caller sees them: how many requests, after which pauses, and which error at the end."""

from email.utils import formatdate

import pytest

from telnyx_rooms_async import (
    InternalServerError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitError,
    RetryPolicy,
    RoomsClient,
)
from tests.helpers.clocks import FakeClock
from tests.helpers.scripted_server import Reply, ScriptedServer

OK = ScriptedServer.http(200, b'{"data":{"id":"a-room"}}')
MADE = ScriptedServer.http(201, b'{"data":{"id":"a-room"}}')
NOT_FOUND = ScriptedServer.http(404, b'{"code":"10005","title":"Resource not found"}')


@pytest.fixture
def client(scripted_server: ScriptedServer, fake_clock: FakeClock) -> RoomsClient:
    """A client that never really sleeps."""
    return RoomsClient("KEY", base_url=scripted_server.url, clock=fake_clock.clock)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_a_passing_failure_costs_one_more_request(
    client: RoomsClient, scripted_server: ScriptedServer, fake_clock: FakeClock, status: int
) -> None:
    """A read that fails once on the server succeeds with the second request, after a pause."""
    scripted_server.respond_with(ScriptedServer.http(status), OK)
    async with client:
        assert (await client.rooms.retrieve("a-room")).id == "a-room"
    assert len(scripted_server.requests) == 2
    assert fake_clock.sleeps == [0.5 if status == 429 else 0.25]


async def test_a_lasting_failure_is_raised_after_three(
    client: RoomsClient, scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    """A read that keeps failing ends with the server's last answer, and all attempts in the error."""
    scripted_server.respond_with(
        ScriptedServer.http(500), ScriptedServer.http(502), ScriptedServer.http(503, x_request_id="the-last")
    )
    async with client:
        with pytest.raises(InternalServerError) as caught:
            await client.rooms.retrieve("a-room")
    error = caught.value
    assert (error.status, error.request_id) == (503, "the-last")
    assert [(each.number, each.status, each.wait) for each in error.attempts] == [
        (1, 500, 0.25),
        (2, 502, 0.5),
        (3, 503, None),
    ]
    assert str(error).startswith("503 without an explanation after 3 attempts")


async def test_an_answer_says_more_than_a_silence(
    client: RoomsClient, scripted_server: ScriptedServer
) -> None:
    """When the last attempt is lost, the error is the answer that came before."""
    scripted_server.respond_with(ScriptedServer.http(503), ScriptedServer.raw(b""))
    async with client:
        with pytest.raises(InternalServerError) as caught:
            await client.rooms.retrieve("a-room")
    assert [each.status or each.failure for each in caught.value.attempts] == [503, "lost", "lost"]


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 409, 422, 501])
async def test_a_refusal_is_final(client: RoomsClient, scripted_server: ScriptedServer, status: int) -> None:
    """What another attempt cannot mend is raised after one request."""
    scripted_server.respond_with(ScriptedServer.http(status), OK)
    async with client:
        with pytest.raises(Exception, match=str(status)):
            await client.rooms.retrieve("a-room")
    assert len(scripted_server.requests) == 1


HINTS: dict[str, tuple[dict[str, str], float]] = {
    "milliseconds": ({"retry_after_ms": "1500", "retry_after": "9"}, 1.5),
    "seconds": ({"Retry_After": "7"}, 7.0),
    "a date": ({"Retry_After": formatdate(1020, usegmt=True)}, 20.0),
    "the reset of the rate limit": ({"x_ratelimit_reset": "4", "x_ratelimit_remaining": "0"}, 4.0),
}


@pytest.mark.parametrize(("headers", "seconds"), HINTS.values(), ids=HINTS)
async def test_the_servers_hint_is_a_floor(
    client: RoomsClient,
    scripted_server: ScriptedServer,
    fake_clock: FakeClock,
    headers: dict[str, str],
    seconds: float,
) -> None:
    """A throttled call waits as long as the server asks, and up to a second more."""
    scripted_server.respond_with(ScriptedServer.http(429, b"", **headers), OK)
    async with client:
        await client.rooms.retrieve("a-room")
    assert fake_clock.sleeps == [seconds + 0.5]


@pytest.mark.parametrize("hint", ["soon", "-1", "", "1e3", "٣", "inf", "Fri, 99 Nov 2026"])
async def test_a_senseless_hint_is_ignored(
    client: RoomsClient, scripted_server: ScriptedServer, fake_clock: FakeClock, hint: str
) -> None:
    """A hint that cannot be read leaves the ordinary pause."""
    scripted_server.respond_with(
        Reply(
            ScriptedServer.http(429).data.replace(b"\r\n\r\n", b"\r\nRetry-After: %s\r\n\r\n" % hint.encode())
        ),
        OK,
    )
    async with client:
        await client.rooms.retrieve("a-room")
    assert fake_clock.sleeps == [0.5]


async def test_a_hint_beyond_patience_is_raised_at_once(
    client: RoomsClient, scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    """An hour is not waited: the error tells it."""
    scripted_server.respond_with(ScriptedServer.http(429, Retry_After="3600"), OK)
    async with client:
        with pytest.raises(RateLimitError) as caught:
            await client.rooms.retrieve("a-room")
    assert caught.value.retry_after == 3600
    assert (len(scripted_server.requests), fake_clock.sleeps) == (1, [])


async def test_a_create_is_repeated_when_nothing_was_done(
    client: RoomsClient, scripted_server: ScriptedServer
) -> None:
    """A create that the server turned away unread is sent again, with the same bytes."""
    scripted_server.respond_with(ScriptedServer.http(429), MADE)
    async with client:
        await client.rooms.create(unique_name="Weekly")
    assert len(scripted_server.requests) == 2
    assert scripted_server.requests[0] == scripted_server.requests[1]


async def test_a_create_is_judged_by_its_last_attempt(
    client: RoomsClient, scripted_server: ScriptedServer
) -> None:
    """A create that is throttled, and then lost, may have been carried out."""
    scripted_server.respond_with(ScriptedServer.http(429), ScriptedServer.raw(b""))
    async with client:
        with pytest.raises(OutcomeUnknownError) as caught:
            await client.rooms.create()
    assert len(caught.value.attempts) == 2


async def test_an_unreadable_success_of_a_create_is_unknown(
    client: RoomsClient, scripted_server: ScriptedServer
) -> None:
    """A create whose 201 cannot be read may have made a room: it is told, not repeated."""
    scripted_server.respond_with(ScriptedServer.http(201, b"{"), MADE)
    async with client:
        with pytest.raises(OutcomeUnknownError):
            await client.rooms.create(unique_name="Weekly", on_lost_response="raise")
    assert len(scripted_server.requests) == 1


@pytest.mark.parametrize("lost", [ScriptedServer.raw(b""), ScriptedServer.http(502)], ids=["lost", "502"])
async def test_a_delete_whose_answer_was_lost_succeeds(
    client: RoomsClient, scripted_server: ScriptedServer, lost: Reply
) -> None:
    """A delete that is repeated and finds nothing did it the first time."""
    scripted_server.respond_with(lost, NOT_FOUND)
    async with client:
        await client.rooms.delete("a-room")
    assert len(scripted_server.requests) == 2


@pytest.mark.parametrize(
    "replies", [[NOT_FOUND], [ScriptedServer.http(429), NOT_FOUND]], ids=["at once", "throttled"]
)
async def test_a_delete_of_nothing_is_told(
    client: RoomsClient, scripted_server: ScriptedServer, replies: list[Reply]
) -> None:
    """A delete that finds nothing, and cannot have been the one who did it, is a NotFoundError."""
    scripted_server.respond_with(*replies)
    async with client:
        with pytest.raises(NotFoundError):
            await client.rooms.delete("a-room")


async def test_an_update_is_repeated(client: RoomsClient, scripted_server: ScriptedServer) -> None:
    """A PATCH sets the same values however often it arrives."""
    scripted_server.respond_with(ScriptedServer.raw(b""), OK)
    async with client:
        await client.rooms.update("a-room", max_participants=3)
    assert len(scripted_server.requests) == 2


async def test_a_policy_of_ones_own(scripted_server: ScriptedServer, fake_clock: FakeClock) -> None:
    """The knobs of the policy are obeyed: tries, base and cap."""
    scripted_server.respond_with(ScriptedServer.http(500))
    policy = RetryPolicy(attempts=5, backoff_base=2.0, backoff_max=5.0)
    async with RoomsClient(
        "KEY", base_url=scripted_server.url, clock=fake_clock.clock, retry=policy
    ) as client:
        with pytest.raises(InternalServerError):
            await client.rooms.retrieve("a-room")
        assert fake_clock.sleeps == [1.0, 2.0, 2.5, 2.5]
        scripted_server.respond_with(ScriptedServer.http(500))
        with pytest.raises(InternalServerError):
            await client.with_options(retry=RetryPolicy(attempts=1)).rooms.retrieve("a-room")
        assert len(scripted_server.requests) == 1


async def test_a_retry_is_logged(
    client: RoomsClient, scripted_server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A retry is a warning with its reason and pause; the last attempt a line for debugging."""
    caplog.set_level("DEBUG", "telnyx_rooms_async")
    scripted_server.respond_with(ScriptedServer.http(503, x_request_id="req-7"), OK)
    async with client:
        await client.rooms.retrieve("a-room")
    first, second = caplog.records
    assert (first.levelname, second.levelname) == ("WARNING", "DEBUG")
    assert first.getMessage().startswith("GET /rooms/{room_id}: attempt 1 answered 503 in ")
    assert first.getMessage().endswith("(request req-7); trying again in 0.250 s")
    assert second.getMessage().endswith("; done")
