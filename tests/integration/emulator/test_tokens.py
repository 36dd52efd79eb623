"""Tokens, as the emulator gives and renews them."""

import base64
import json
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import ClientSession

from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock
from tests.helpers.http_client import HttpClient, HttpResponse


def claims(token: str) -> dict[str, Any]:
    """Read the middle part of a JWT."""
    header, body, signature = token.split(".")
    assert json.loads(base64.urlsafe_b64decode(header + "==")) == {"alg": "Ed25519", "typ": "JWT"}
    assert len(base64.urlsafe_b64decode(signature + "==")) == 64
    told: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=="))
    return told


async def create(api: HttpClient, room_id: str, **fields: object) -> HttpResponse:
    """Ask for a pair."""
    return await api.post(f"rooms/{room_id}/actions/generate_join_client_token", fields)


async def refresh(api: HttpClient, room_id: str, **fields: object) -> HttpResponse:
    """Ask for the next token."""
    return await api.post(f"rooms/{room_id}/actions/refresh_client_token", fields)


async def test_a_pair_of_tokens(api: HttpClient, room_id: str, time: FakeClock) -> None:
    """A 201 has two JWTs, and when they expire in whole seconds: ten minutes and an hour by default."""
    time.advance(seconds=0.75)
    answer = await create(api, room_id)
    assert answer.status == 201
    assert set(answer.data) == {
        "token", "token_expires_at", "refresh_token", "refresh_token_expires_at"
    }  # fmt: skip
    assert answer.data["token_expires_at"] == "2021-04-25T12:10:00Z"
    assert answer.data["refresh_token_expires_at"] == "2021-04-25T13:00:00Z"
    access, refreshing = claims(answer.data["token"]), claims(answer.data["refresh_token"])
    assert (access["typ"], refreshing["typ"]) == ("access", "refresh")
    assert access["exp"] - access["iat"] == 600
    assert access["grants"][0]["resources"] == [f"telnyx:video:rooms:{room_id}"]


async def test_tokens_last_as_long_as_asked(api: HttpClient, room_id: str) -> None:
    """Both times can be told."""
    answer = await create(api, room_id, token_ttl_secs=10, refresh_token_ttl_secs=86400)
    assert answer.data["token_expires_at"] == "2021-04-25T12:00:10Z"
    assert answer.data["refresh_token_expires_at"] == "2021-04-26T12:00:00Z"


@pytest.mark.parametrize(
    "fields",
    [
        {"token_ttl_secs": 9, "refresh_token_ttl_secs": 59},
        {"token_ttl_secs": 3601, "refresh_token_ttl_secs": 86401},
        {"token_ttl_secs": "10", "refresh_token_ttl_secs": None},
    ],
)
async def test_times_out_of_bounds(api: HttpClient, room_id: str, fields: dict[str, object]) -> None:
    """A 422 points to each time that is not accepted."""
    answer = await create(api, room_id, **fields)
    assert (answer.status, answer.error_sources) == (422, ["/refresh_token_ttl_secs", "/token_ttl_secs"])


async def test_a_token_is_renewed(api: HttpClient, room_id: str, time: FakeClock) -> None:
    """Refreshing gives an access token and nothing else, until the refresh token expires."""
    pair = (await create(api, room_id, refresh_token_ttl_secs=60)).data
    time.advance(seconds=59)
    answer = await refresh(api, room_id, refresh_token=pair["refresh_token"], token_ttl_secs=100)
    assert (answer.status, set(answer.data)) == (201, {"token", "token_expires_at"})
    assert answer.data["token_expires_at"] == "2021-04-25T12:02:39Z"
    assert claims(answer.data["token"])["typ"] == "access"
    again = await refresh(api, room_id, refresh_token=pair["refresh_token"])
    assert again.data["token_expires_at"] == "2021-04-25T12:10:59Z"
    time.advance(seconds=1)
    assert (await refresh(api, room_id, refresh_token=pair["refresh_token"])).status == 403


async def test_a_refresh_token_that_is_not_good(api: HttpClient, room_id: str) -> None:
    """Unknown, of another room, or no refresh token: a 403 of one bare entry."""
    pair = (await create(api, room_id)).data
    other = (await api.post("rooms", {})).data["id"]
    for room, token in (
        (room_id, "unknown"),
        (room_id, pair["token"]),
        (other, pair["refresh_token"]),
    ):
        answer = await refresh(api, room, refresh_token=token)
        assert (answer.status, answer.body["code"]) == (403, "10010")
        assert "errors" not in answer.body


async def test_a_refresh_without_its_token(api: HttpClient, room_id: str) -> None:
    """The refresh token is required, and a string."""
    assert (await refresh(api, room_id)).error_sources == ["/refresh_token"]
    answer = await refresh(api, room_id, refresh_token=7, token_ttl_secs=9)
    assert (answer.status, answer.error_sources) == (422, ["/refresh_token", "/token_ttl_secs"])


async def test_refreshing_needs_no_key(api: HttpClient, telnyx: Emulator, room_id: str) -> None:
    """The refresh token is key enough; for the pair the API key is needed."""
    pair = (await create(api, room_id)).data
    async with ClientSession(telnyx.url + "/") as session:
        assert (
            await refresh(HttpClient(session), room_id, refresh_token=pair["refresh_token"])
        ).status == 201
        assert (await create(HttpClient(session), room_id)).status == 401


async def test_a_room_that_is_not_there(api: HttpClient, room_id: str) -> None:
    """Nobody joins a room that was never made or is deleted."""
    pair = (await create(api, room_id)).data
    await api.delete(f"rooms/{room_id}")
    assert (await create(api, str(uuid4()))).status == 404
    assert (await refresh(api, room_id, refresh_token=pair["refresh_token"])).status == 404
