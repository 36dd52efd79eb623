"""Client tokens of the emulator: creation and refresh."""

import base64
import json
from typing import Any

import pytest
from aiohttp import ClientSession

from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock
from tests.helpers.http_client import HttpClient, HttpResponse


def claims(token: str) -> dict[str, Any]:
    header, body, signature = token.split(".")
    assert json.loads(base64.urlsafe_b64decode(header + "==")) == {"alg": "Ed25519", "typ": "JWT"}
    assert len(base64.urlsafe_b64decode(signature + "==")) == 64
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=="))
    return decoded


async def create(api: HttpClient, room_id: str, **fields: object) -> HttpResponse:
    return await api.post(f"rooms/{room_id}/actions/generate_join_client_token", fields)


async def refresh(api: HttpClient, room_id: str, **fields: object) -> HttpResponse:
    return await api.post(f"rooms/{room_id}/actions/refresh_client_token", fields)


async def test_tokens_are_jwts_with_default_lifetimes(
    api: HttpClient, room_id: str, clock: FakeClock
) -> None:
    clock.advance(seconds=0.75)
    response = await create(api, room_id)
    assert response.status == 201
    tokens = response.data
    assert tokens["token_expires_at"] == "2021-04-25T12:10:00Z"
    assert tokens["refresh_token_expires_at"] == "2021-04-25T13:00:00Z"
    access, refreshing = claims(tokens["token"]), claims(tokens["refresh_token"])
    assert (access["typ"], refreshing["typ"]) == ("access", "refresh")
    assert access["exp"] - access["iat"] == 600
    assert access["grants"][0]["resources"] == [f"telnyx:video:rooms:{room_id}"]


@pytest.mark.parametrize(("access", "refreshing"), [(9, 59), (3601, 86401), ("10", None)])
async def test_invalid_lifetimes_are_refused(
    api: HttpClient, room_id: str, access: object, refreshing: object
) -> None:
    response = await create(api, room_id, token_ttl_secs=access, refresh_token_ttl_secs=refreshing)
    assert (response.status, response.error_sources) == (422, ["/refresh_token_ttl_secs", "/token_ttl_secs"])


async def test_refresh_token_can_be_used_until_it_expires(
    api: HttpClient, room_id: str, clock: FakeClock
) -> None:
    tokens = (await create(api, room_id, token_ttl_secs=10, refresh_token_ttl_secs=60)).data
    assert tokens["token_expires_at"] == "2021-04-25T12:00:10Z"
    refresh_token = tokens["refresh_token"]
    clock.advance(seconds=59)
    response = await refresh(api, room_id, refresh_token=refresh_token, token_ttl_secs=100)
    assert (response.status, set(response.data)) == (201, {"token", "token_expires_at"})
    assert response.data["token_expires_at"] == "2021-04-25T12:02:39Z"
    assert claims(response.data["token"])["typ"] == "access"
    assert (await refresh(api, room_id, refresh_token=refresh_token)).status == 201
    clock.advance(seconds=1)
    assert (await refresh(api, room_id, refresh_token=refresh_token)).status == 403


async def test_invalid_refresh_tokens_are_refused(api: HttpClient, room_id: str) -> None:
    tokens = (await create(api, room_id)).data
    other_room = (await api.post("rooms", {})).data["id"]
    header, _, signature = tokens["refresh_token"].split(".")
    forged = f"{header}.{base64.urlsafe_b64encode(b'{}').decode()}.{signature}"
    for room, token in (
        (room_id, "unknown"),
        (room_id, "a.b.\u00e4"),
        (room_id, forged),
        (room_id, tokens["token"]),
        (other_room, tokens["refresh_token"]),
    ):
        response = await refresh(api, room, refresh_token=token)
        assert (response.status, response.body["code"]) == (403, "10010")
    assert (await refresh(api, room_id)).error_sources == ["/refresh_token"]
    response = await refresh(api, room_id, refresh_token=7, token_ttl_secs=9)
    assert (response.status, response.error_sources) == (422, ["/refresh_token", "/token_ttl_secs"])


async def test_refreshing_needs_a_room_and_no_api_key(
    api: HttpClient, telnyx: Emulator, room_id: str
) -> None:
    tokens = (await create(api, room_id)).data
    async with ClientSession(telnyx.url + "/") as session:
        keyless = HttpClient(session)
        assert (await refresh(keyless, room_id, refresh_token=tokens["refresh_token"])).status == 201
        assert (await create(keyless, room_id)).status == 401
    await api.delete(f"rooms/{room_id}")
    assert (await create(api, room_id)).status == 404
    assert (await refresh(api, room_id, refresh_token=tokens["refresh_token"])).status == 404
