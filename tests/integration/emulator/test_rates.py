"""A limited rate, by the clock that the test turns."""

from typing import Any

import pytest
from aiohttp import ClientSession

from telnyx_rooms_async import Clock, RoomsClient
from telnyx_rooms_async.emulator import Emulator, Fault
from tests.helpers.clocks import FakeClock
from tests.helpers.http_client import HttpClient, HttpResponse


def told(answer: HttpResponse) -> tuple[int, str, str, str]:
    """Tell the status, and what the headers say of the rate."""
    names = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
    limit, remaining, reset = (answer.headers[name] for name in names)
    return answer.status, limit, remaining, reset


async def test_a_window(telnyx: Emulator, api: HttpClient, time: FakeClock) -> None:
    """So many requests are let in from the first on; others wait for the end, and the next opens another."""
    telnyx.limit(2, seconds=5.0)
    time.advance(seconds=100)
    assert told(await api.get("rooms")) == (200, "2", "1", "5")
    time.advance(seconds=3.5)
    assert told(await api.get("rooms")) == (200, "2", "0", "2")
    refused = await api.post("rooms", {})
    assert told(refused) == (429, "2", "0", "2")
    assert refused.headers["Retry-After"] == "2"
    assert refused.body["errors"][0]["code"] == "10011"
    time.advance(seconds=1.499)
    assert told(await api.post("rooms", {})) == (429, "2", "0", "1")
    assert telnyx.rooms == ()
    time.advance(seconds=0.001)
    assert told(await api.post("rooms", {})) == (201, "2", "1", "5")
    assert len(telnyx.requests) == 5


async def test_who_is_let_in_is_not_asked_to_wait(telnyx: Emulator, api: HttpClient) -> None:
    """Only a refusal has a Retry-After."""
    telnyx.limit(1)
    assert "Retry-After" not in (await api.get("rooms")).headers
    assert (await api.get("rooms")).headers["Retry-After"] == "60"


async def test_every_answer_tells_the_rate(telnyx: Emulator, http: ClientSession, api: HttpClient) -> None:
    """Refusals of any kind count, and tell it too."""
    telnyx.limit(4, seconds=1)
    telnyx.script(Fault(status=500, headers={"x-ratelimit-reset": "soon"}))
    assert told(await api.get("nothing")) == (404, "4", "3", "1")
    async with http.get("rooms", headers={"Authorization": "Bearer wrong"}) as response:
        assert (response.status, response.headers["x-ratelimit-remaining"]) == (401, "2")
    assert told(await api.get("rooms")) == (500, "4", "1", "soon")
    assert told(await api.delete("rooms/none")) == (404, "4", "0", "1")
    assert told(await api.get("rooms")) == (429, "4", "0", "1")


async def test_a_refused_request_meets_no_fault(telnyx: Emulator, api: HttpClient, time: FakeClock) -> None:
    """The script waits for who is let in."""
    telnyx.limit(0, seconds=1)
    telnyx.script(Fault(status=500))
    assert (await api.get("rooms")).status == 429
    telnyx.limit(1, seconds=1)
    assert (await api.get("rooms")).status == 500


async def test_no_limit(telnyx: Emulator, api: HttpClient) -> None:
    """Without a limit, or when it is lifted, nothing is told of one; a new one begins anew."""
    assert "x-ratelimit-limit" not in (await api.get("rooms")).headers
    telnyx.limit(1)
    assert [(await api.get("rooms")).status for _ in range(2)] == [200, 429]
    telnyx.limit(1)
    assert [(await api.get("rooms")).status for _ in range(2)] == [200, 429]
    telnyx.limit(None)
    answer = await api.get("rooms")
    assert answer.status == 200
    assert "x-ratelimit-limit" not in answer.headers


async def test_files_do_not_count(telnyx: Emulator, http: ClientSession, api: HttpClient) -> None:
    """The store is another house."""
    telnyx.limit(1)
    async with http.get(telnyx.url.removesuffix("/v2") + "/media/none") as response:
        assert response.status == 403
        assert "x-ratelimit-limit" not in response.headers
    assert (await api.get("rooms")).status == 200


async def test_a_clock_that_is_turned_back(telnyx: Emulator, api: HttpClient, time: FakeClock) -> None:
    """A window from the future is over."""
    telnyx.limit(1, seconds=5)
    assert [(await api.get("rooms")).status for _ in range(2)] == [200, 429]
    time.advance(seconds=-3600)
    assert [told(await api.get("rooms")) for _ in range(2)] == [(200, "1", "0", "5"), (429, "1", "0", "5")]


WRONG: dict[str, dict[str, Any]] = {
    "a negative number": {"requests": -1},
    "half a request": {"requests": 1.5},
    "no time": {"requests": 1, "seconds": 0},
    "a time below none": {"requests": 1, "seconds": -1.0},
    "time without end": {"requests": 1, "seconds": float("inf")},
}


@pytest.mark.parametrize("fields", WRONG.values(), ids=WRONG)
def test_a_limit_that_cannot_be(fields: dict[str, Any]) -> None:
    """A limit that cannot be is an error at once, and its last field is named."""
    with pytest.raises(ValueError, match=f"^{list(fields)[-1]} must be"):
        Emulator().limit(**fields)


async def test_a_client_that_waits_as_it_is_told(telnyx: Emulator, time: FakeClock) -> None:
    """Who comes again when the window is over gets through."""

    async def pause(seconds: float) -> None:
        time.advance(seconds=seconds)

    def tell() -> float:
        return time.now.timestamp()

    clock = Clock(monotonic=tell, now=tell, sleep=pause, dice=lambda: 0.0)
    telnyx.limit(2, seconds=5.0)
    async with RoomsClient(telnyx.api_key, base_url=telnyx.url, clock=clock) as client:
        for _ in range(5):
            await client.rooms.create()
    assert len(telnyx.rooms) == 5
