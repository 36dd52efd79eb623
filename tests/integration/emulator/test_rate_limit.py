"""Rate limit of the emulator, by the clock that the test moves."""

from typing import Any

import pytest
from aiohttp import ClientSession

from telnyx_rooms_async.emulator import Emulator, Fault
from tests.helpers.clocks import FakeClock
from tests.helpers.http_client import HttpClient, HttpResponse


def summary(response: HttpResponse) -> tuple[int, str, str, str]:
    names = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
    limit, remaining, reset = (response.headers[name] for name in names)
    return response.status, limit, remaining, reset


async def test_requests_above_the_limit_are_refused_until_the_window_ends(
    telnyx: Emulator, api: HttpClient, clock: FakeClock
) -> None:
    telnyx.limit(2, seconds=5.0)
    clock.advance(seconds=100)
    first = await api.get("rooms")
    assert summary(first) == (200, "2", "1", "5")
    assert "Retry-After" not in first.headers
    clock.advance(seconds=3.5)
    assert summary(await api.get("rooms")) == (200, "2", "0", "2")
    refused = await api.post("rooms", {})
    assert summary(refused) == (429, "2", "0", "2")
    assert (refused.headers["Retry-After"], refused.body["errors"][0]["code"]) == ("2", "10011")
    clock.advance(seconds=1.499)
    assert summary(await api.post("rooms", {})) == (429, "2", "0", "1")
    assert telnyx.rooms == ()
    clock.advance(seconds=0.001)
    assert summary(await api.post("rooms", {})) == (201, "2", "1", "5")
    clock.advance(seconds=-3600)  # the old window could last for long
    assert summary(await api.get("rooms")) == (200, "2", "1", "5")


async def test_errors_count_and_have_the_headers(
    telnyx: Emulator, http: ClientSession, api: HttpClient
) -> None:
    telnyx.inject(Fault(status=500, headers={"x-ratelimit-reset": "soon"}))
    telnyx.limit(0)
    assert (await api.get("rooms")).status == 429  # uses up no fault
    telnyx.limit(4, seconds=1)
    assert summary(await api.get("unknown")) == (404, "4", "3", "1")
    async with http.get("rooms", headers={"Authorization": "Bearer wrong"}) as response:
        assert (response.status, response.headers["x-ratelimit-remaining"]) == (401, "2")
    assert summary(await api.get("rooms")) == (500, "4", "1", "soon")
    assert summary(await api.delete("rooms/none")) == (404, "4", "0", "1")
    assert summary(await api.get("rooms")) == (429, "4", "0", "1")


async def test_limit_is_not_for_downloads_and_can_be_renewed_and_removed(
    telnyx: Emulator, http: ClientSession, api: HttpClient
) -> None:
    for _ in range(2):
        telnyx.limit(1)
        async with http.get(telnyx.url.removesuffix("/v2") + "/media/none") as download:
            assert download.status == 403
            assert "x-ratelimit-limit" not in download.headers
        assert [(await api.get("rooms")).status for _ in range(2)] == [200, 429]
    telnyx.limit(None)
    response = await api.get("rooms")
    assert response.status == 200
    assert "x-ratelimit-limit" not in response.headers


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"requests": -1}, "requests"),
        ({"requests": 1, "seconds": 0}, "seconds"),
        ({"requests": 1, "seconds": float("inf")}, "seconds"),
    ],
)
def test_invalid_limits_are_refused(fields: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be"):
        Emulator().limit(**fields)
