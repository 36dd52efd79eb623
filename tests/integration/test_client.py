"""The client: borrowed sessions, views, event loops, and requests without a method of the client."""

import asyncio
import gc
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import attrs
import pytest

from telnyx_rooms_async import (
    ClientClosedError,
    ConfigurationError,
    InternalServerError,
    NotFoundError,
    ReadOnlyError,
    RetryPolicy,
    RoomsClient,
    Settings,
    WrongEventLoopError,
)
from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock
from tests.helpers.error_reports import reported_texts
from tests.helpers.scripted_server import ScriptedServer

# --- where options come from --------------------------------------------------------------------------------


async def test_options_come_from_settings_and_the_environment(
    telnyx: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELNYX_API_KEY", telnyx.api_key)
    monkeypatch.setenv("TELNYX_BASE_URL", telnyx.url)
    attempts: list[object] = []
    settings = Settings(read_only=True, rate_limit_share=0.5)
    async with RoomsClient.from_settings(settings, on_attempt=attempts.append) as client:
        assert await client.rooms.list().count() == 0
        with pytest.raises(ReadOnlyError):
            await client.rooms.create()
    assert len(attempts) == 1


async def test_list_that_is_not_found_points_to_the_base_url(telnyx: Emulator) -> None:
    async with RoomsClient(telnyx.api_key, base_url=telnyx.url.removesuffix("/v2")) as client:
        with pytest.raises(NotFoundError, match="; check the base URL"):
            await client.rooms.list().all()
        with pytest.raises(NotFoundError) as caught:
            await client.rooms.retrieve("a-room")
    assert "base URL" not in str(caught.value)


async def test_view_has_its_own_options_and_the_connections_of_the_client(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    async with RoomsClient("KEY", base_url=scripted_server.url, clock=fake_clock.clock) as client:
        view = client.with_options(timeout=1, attempt_timeout=0.5, retry=RetryPolicy(max_attempts=2))
        for used, requests in ((view, 2), (client, 3)):
            scripted_server.respond_with(ScriptedServer.http(500))
            with pytest.raises(InternalServerError):
                await used.rooms.retrieve("a-room")
            assert len(scripted_server.requests) == requests
        assert scripted_server.open_connections == 1


async def test_view_of_a_client_in_use_has_its_own_options(telnyx: Emulator) -> None:
    class TeamClient(RoomsClient):
        team = "none"

    async with TeamClient(telnyx.api_key, base_url=telnyx.url) as client:
        client.team = "Video"
        await client.rooms.create()
        view = client.with_options(read_only=True)
        with pytest.raises(ReadOnlyError):
            await view.rooms.create()
        await client.rooms.create()
        assert (type(view), view.team, client.rooms is client.rooms) == (TeamClient, "Video", True)
        await view.close()
        with pytest.raises(ClientClosedError):
            await client.rooms.create()


# --- closing ----------------------------------------------------------------------------------------------


async def test_closed_client_and_its_views_refuse_calls(telnyx: Emulator) -> None:
    client = RoomsClient(telnyx.api_key, base_url=telnyx.url)
    view = client.with_options(timeout=5)
    await client.rooms.list().count()
    assert (client.is_closed, view.is_closed) == (False, False)
    await view.close()
    await client.close()
    for closed in (client, view):
        assert closed.is_closed
        with pytest.raises(ClientClosedError):
            await closed.rooms.list().count()
    assert len(telnyx.requests) == 1


async def test_unused_client_needs_no_closing_and_can_be_closed() -> None:
    async with RoomsClient("KEY") as client:
        pass
    with pytest.raises(ClientClosedError):
        await client.rooms.retrieve("a-room")
    RoomsClient("KEY")
    gc.collect()


# --- borrowed sessions --------------------------------------------------------------------------------------


async def test_borrowed_session_is_used_as_it_is_and_stays_open(telnyx: Emulator) -> None:
    methods: list[str] = []

    async def record(
        request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        methods.append(request.method)
        return await send(request)

    options: dict[str, Any] = {"headers": {"X-Team": "Video"}, "middlewares": [record]}
    async with aiohttp.ClientSession(raise_for_status=True, **options) as session:
        async with RoomsClient(telnyx.api_key, base_url=telnyx.url, session=session) as client:
            await client.rooms.create()
            with pytest.raises(NotFoundError):
                await client.rooms.retrieve("no-such-room")
        assert methods == ["POST", "GET"]
        assert not session.closed
        headers = telnyx.requests[-1].headers
        assert (headers["x-team"], headers["authorization"]) == ("Video", f"Bearer {telnyx.api_key}")
        again = RoomsClient(telnyx.api_key, base_url=telnyx.url, session=session)
        assert await again.rooms.list().count() == 1
    with pytest.raises(ClientClosedError):
        await again.rooms.list().count()


async def test_borrowed_session_with_a_password_from_netrc_is_refused(
    telnyx: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password CANARY\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    async with aiohttp.ClientSession(trust_env=True) as session:
        client = RoomsClient(telnyx.api_key, base_url=telnyx.url, session=session)
        with pytest.raises(ConfigurationError, match="password"):
            await client.rooms.create()
    assert telnyx.requests == []


# --- event loops ------------------------------------------------------------------------------------------


async def test_borrowed_session_is_refused_in_another_event_loop() -> None:
    async with aiohttp.ClientSession() as session:
        client = RoomsClient("KEY", session=session)

        def use_elsewhere() -> None:
            with pytest.raises(WrongEventLoopError):
                asyncio.run(client.rooms.list().count())

        await asyncio.to_thread(use_elsewhere)


async def test_client_is_refused_in_another_event_loop_while_the_first_runs(
    telnyx: Emulator, client: RoomsClient
) -> None:
    async def use() -> None:
        with pytest.raises(WrongEventLoopError):
            await client.rooms.list().count()
        with pytest.raises(WrongEventLoopError):
            await client.close()

    await client.rooms.list().count()
    await asyncio.to_thread(asyncio.run, use())
    await client.rooms.list().count()
    assert len(telnyx.requests) == 2


# --- custom requests --------------------------------------------------------------------------------------


async def test_custom_request_returns_the_response(client: RoomsClient, telnyx: Emulator) -> None:
    created = await client.request("POST", "/rooms", json={"unique_name": "Weekly"})
    assert (created.status, created.headers["Content-Type"]) == (201, "application/json")
    assert UUID(created.headers["x-request-id"]).version == 4
    assert b'"Weekly"' in created.body
    query: dict[str, str | int | bool] = {"filter[unique_name]": "Weekly", "include_sessions": True}
    listed = await client.request("GET", "/rooms", query=query)
    assert telnyx.requests[-1].query == (("filter[unique_name]", "Weekly"), ("include_sessions", "true"))
    assert b'"total_results":1' in listed.body
    with pytest.raises(NotFoundError):
        await client.request("GET", "/nothing/here")


@pytest.mark.parametrize("name", [field.name for field in attrs.fields(Settings)])
def test_assignment_of_an_option_is_refused_without_its_value(name: str) -> None:
    client = RoomsClient("KEY")
    with pytest.raises(AttributeError, match=f"{name} of a client cannot be changed") as caught:
        setattr(client, name, "CANARY")
    assert "CANARY" not in "".join(reported_texts(caught.value))
    assert not hasattr(client, name)


def test_other_attributes_of_a_client_can_be_assigned() -> None:
    class ClientOfTenant(RoomsClient):
        tenant = ""

    client = ClientOfTenant("KEY")
    client.tenant = "a"
    client.rooms = client.with_options(timeout=1).rooms
    assert client.tenant == "a"
