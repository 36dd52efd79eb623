"""Options of views and clients: what is sent, what is shared, and that no value is shown."""

import asyncio
import json
import logging
import pickle
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from telnyx_rooms_async import (
    InternalServerError,
    InvalidArgumentError,
    RateLimitError,
    RetryPolicy,
    RoomsClient,
    Settings,
    UnprocessableEntityError,
)
from telnyx_rooms_async.emulator import Emulator, Fault, ThreadedEmulator
from telnyx_rooms_async.integrations.opentelemetry import instrument
from tests.helpers.clocks import FakeClock, wait_until
from tests.helpers.error_reports import reported_texts
from tests.helpers.scripted_server import ScriptedServer

# --- headers ------------------------------------------------------------------------------------------------


async def test_headers_of_views_are_added_to_those_of_the_client(telnyx: Emulator) -> None:
    headers = {"X-Team": "Video", "X-Region": "eu"}
    async with RoomsClient(
        telnyx.api_key, base_url=telnyx.url, default_headers=headers, user_agent_suffix="my-app/1.2"
    ) as client:
        await (
            client.with_options(headers={"x-team": "Audio"})
            .with_options(headers={"X-Id": "7"})
            .rooms.create()
        )
        await client.rooms.list().count()
        await client.with_raw_response.rooms.list()
        await instrument(client).rooms.list().count()
    view, *others = telnyx.requests
    assert (view.headers["x-team"], view.headers["x-region"], view.headers["x-id"]) == ("Audio", "eu", "7")
    assert view.headers["user-agent"].startswith("telnyx-rooms-async/")
    assert view.headers["user-agent"].endswith(" my-app/1.2")
    assert view.headers["content-type"] == "application/json"
    for request in others:
        assert (request.headers["x-team"], "x-id" in request.headers) == ("Video", False)
        assert request.headers["authorization"] == f"Bearer {telnyx.api_key}"


async def test_header_replaces_the_user_agent_and_that_of_a_borrowed_session(telnyx: Emulator) -> None:
    async with aiohttp.ClientSession(headers={"X-Team": "session"}) as session:
        client = RoomsClient(telnyx.api_key, base_url=telnyx.url, session=session)
        await client.with_options(headers={"X-Team": "view", "User-Agent": "mine"}).rooms.list().count()
    assert telnyx.requests[0].headers["x-team"] == "view"
    assert telnyx.requests[0].headers["user-agent"] == "mine"


async def test_header_values_are_in_no_error_log_or_repr(
    scripted_server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    headers = {"X-Gateway-Key": "GATEWAY-CANARY", "X-Version": "1"}
    body = json.dumps({"errors": [{"detail": "GATEWAY-CANARY is not known; 1 of 10 is"}]}).encode()
    scripted_server.respond_with(ScriptedServer.http(422, body))
    async with RoomsClient("KEY", base_url=scripted_server.url, default_headers=headers) as client:
        with pytest.raises(UnprocessableEntityError) as caught:
            await client.rooms.retrieve("a-room")
        assert "CANARY" not in f"{client!r} {vars(client)!r} {client.with_options(headers=headers)!r}"
    assert b"GATEWAY-CANARY" in scripted_server.requests[0]
    assert caught.value.detail == "*** is not known; 1 of 10 is"
    assert "CANARY" not in caplog.text
    assert b"CANARY" not in pickle.dumps(caught.value)
    assert [text for text in reported_texts(caught.value) if "CANARY" in text] == []


# --- query and body -----------------------------------------------------------------------------------------

Action = Callable[[RoomsClient], Awaitable[object]]
ROOM = b'{"data": {"id": "a"}}'
ADDITIONS: dict[str, tuple[Action, bytes, object]] = {
    "retrieve": (lambda client: client.rooms.retrieve("a"), b"GET /v2/rooms/a?tenant=7 ", None),
    "create": (
        lambda client: client.rooms.create(unique_name="Weekly"),
        b"POST /v2/rooms?tenant=7 ",
        {"beta": [1], "unique_name": "Weekly"},
    ),
    "update": (
        lambda client: client.rooms.update("a", max_participants=3),
        b"PATCH /v2/rooms/a?tenant=7 ",
        {"beta": [1], "max_participants": 3},
    ),
    "no body of its own": (
        lambda client: client.sessions.end("a"),
        b"POST /v2/room_sessions/a/actions/end?tenant=7 ",
        {"beta": [1]},
    ),
    "delete": (lambda client: client.rooms.delete("a"), b"DELETE /v2/rooms/a?tenant=7 ", None),
    "custom": (
        lambda client: client.request("PUT", "/rooms/a", query={"b": 1}, json={"c": 2}),
        b"PUT /v2/rooms/a?b=1&tenant=7 ",
        {"beta": [1], "c": 2},
    ),
}


@pytest.mark.parametrize("name", ADDITIONS)
async def test_query_and_members_are_added_to_requests(scripted_server: ScriptedServer, name: str) -> None:
    action, request_line, body = ADDITIONS[name]
    scripted_server.respond_with(ScriptedServer.http(200, ROOM))
    async with RoomsClient("KEY", base_url=scripted_server.url) as client:
        await action(client.with_options(query={"tenant": 7}, body={"beta": [1]}))
    head, _, sent = scripted_server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(request_line)
    assert (json.loads(sent) if sent else None) == body


async def test_query_is_added_to_every_page(client: RoomsClient, telnyx: Emulator) -> None:
    telnyx.seed(3)
    view = client.with_options(query={"a": "b"}).with_options(query={"c": True})
    assert len(await view.rooms.list(page_size=2).all()) == 3
    assert [request.query[-2:] for request in telnyx.requests] == [(("a", "b"), ("c", "true"))] * 2


TAKEN: dict[str, tuple[dict[str, Any], Action, str]] = {
    "query": (
        {"query": {"page[size]": 3}},
        lambda client: client.rooms.list().count(),
        r"query page\[size\]",
    ),
    "member": (
        {"body": {"unique_name": "Daily"}},
        lambda client: client.rooms.create(unique_name="Weekly"),
        "member unique_name",
    ),
    "list": ({"body": {"a": 1}}, lambda client: client.request("PUT", "/a", json=[]), "no JSON object"),
}


@pytest.mark.parametrize("name", TAKEN)
async def test_addition_that_the_operation_sends_itself_is_refused(
    client: RoomsClient, telnyx: Emulator, name: str
) -> None:
    options, action, problem = TAKEN[name]
    with pytest.raises(InvalidArgumentError, match=problem):
        await action(client.with_options(**options))
    assert telnyx.requests == []


async def test_additions_are_sent_with_the_look_up_of_a_lost_create(
    client: RoomsClient, telnyx: Emulator
) -> None:
    telnyx.inject(Fault(cut="after"), operation="CreateRoom")
    view = client.with_options(
        headers={"X-Team": "Video"}, query={"filter[unique_name]": "Other"}, body={"beta": 1}
    )
    room = await view.rooms.create(unique_name="Weekly")
    assert room == telnyx.rooms[0]
    look_up = telnyx.requests[-1]
    assert (look_up.method, look_up.headers["x-team"], look_up.body) == ("GET", "Video", b"")
    assert [value for name, value in look_up.query if name == "filter[unique_name]"] == ["Weekly"]


# --- timeouts and retries -----------------------------------------------------------------------------------


@pytest.mark.parametrize("retries", [0, 1, 3])
async def test_max_retries_are_the_retries_of_clients_and_views(
    scripted_server: ScriptedServer, fake_clock: FakeClock, retries: int
) -> None:
    options: dict[str, Any] = {"base_url": scripted_server.url, "clock": fake_clock.clock}
    policy = RetryPolicy(backoff_base=4.0)
    async with (
        RoomsClient("KEY", **options, max_retries=retries) as client,
        RoomsClient("KEY", **options, retry=policy) as other,
    ):
        for used in (client, other.with_options(max_retries=retries)):
            scripted_server.respond_with(ScriptedServer.http(500))
            with pytest.raises(InternalServerError):
                await used.rooms.retrieve("a-room")
            assert len(scripted_server.requests) == retries + 1
    assert fake_clock.sleeps[retries : retries + 1] == [2.0][:retries]  # half of the base of the policy


@pytest.mark.parametrize("timeout", [20, 20.0, timedelta(seconds=20)], ids=repr)
async def test_timeout_is_seconds_or_a_timedelta(
    telnyx: Emulator, fake_clock: FakeClock, timeout: float | timedelta
) -> None:
    telnyx.inject(Fault(status=503, retry_after=20), times=2)
    async with RoomsClient(
        telnyx.api_key, base_url=telnyx.url, timeout=timeout, clock=fake_clock.clock
    ) as client:
        with pytest.raises(InternalServerError) as caught:
            await client.rooms.list().count()
        assert len(caught.value.attempts) == 1  # the server asks for a longer pause
        assert await client.with_options(timeout=timedelta(seconds=60)).rooms.list().count() == 0


async def test_without_timeouts_a_call_waits_as_long_as_it_takes(
    telnyx: Emulator, fake_clock: FakeClock
) -> None:
    telnyx.inject(Fault(status=503, retry_after=59), times=3)
    telnyx.inject(Fault(delay=0.01))
    options: dict[str, Any] = {"timeout": None, "attempt_timeout": None, "max_retries": 3}
    async with RoomsClient(telnyx.api_key, base_url=telnyx.url, clock=fake_clock.clock, **options) as client:
        assert await client.rooms.list().count() == 0
        # More calls than are sent before the first response.
        calls = [client.rooms.list().count() for _ in range(20)]
        assert await asyncio.gather(*calls) == [0] * 20
    assert sum(fake_clock.sleeps) > 3 * 59


# --- another account ----------------------------------------------------------------------------------------


async def test_view_with_another_key_has_a_rate_limit_of_its_own(
    telnyx: Emulator, client: RoomsClient
) -> None:
    telnyx.limit(1)
    await client.rooms.list().count()
    view = client.with_options(api_key="ANOTHER-KEY")
    assert view.rate_limit is None
    telnyx.api_key = "ANOTHER-KEY"
    telnyx.limit(None)
    assert await view.rooms.list().count() == 0
    assert telnyx.requests[-1].headers["authorization"] == "Bearer ANOTHER-KEY"
    assert await view.with_options(max_retries=0).rooms.list().count() == 0
    with pytest.raises(RateLimitError):
        await client.with_options(timeout=1).rooms.list().count()
    assert len(telnyx.requests) == 3


async def test_view_with_another_key_has_a_retry_budget_of_its_own(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    policy = RetryPolicy(max_attempts=2, budget=14)
    async with RoomsClient(
        "KEY", base_url=scripted_server.url, retry=policy, clock=fake_clock.clock
    ) as client:
        view, other = client.with_options(read_only=True), client.with_options(api_key="ANOTHER-KEY")
        for used, requests in ((client, 2), (view, 1), (other, 2), (other.with_options(read_only=True), 1)):
            scripted_server.respond_with(ScriptedServer.http(500))
            with pytest.raises(InternalServerError):
                await used.rooms.retrieve("a-room")
            assert len(scripted_server.requests) == requests


def test_view_with_another_key_forgets_the_calls_of_an_event_loop_that_was_stopped() -> None:
    """Neither its rate limiter nor its running look-up of the key blocks calls in the next event loop."""
    with ThreadedEmulator() as telnyx:
        keys: list[asyncio.Future[str]] = []

        async def get_key() -> str:
            keys.append(asyncio.get_running_loop().create_future())
            return await keys[-1] if len(keys) == 1 else telnyx.api_key

        client = RoomsClient("KEY", base_url=telnyx.url, max_connections=1)
        view = client.with_options(api_key=get_key)

        async def start() -> asyncio.Task[int]:
            task = asyncio.create_task(view.rooms.list().count())
            await wait_until(lambda: len(keys) == 1)
            return task

        async def use() -> int:
            async with client:
                return await view.rooms.list().count()

        stopped = asyncio.new_event_loop()
        task = stopped.run_until_complete(start())
        assert asyncio.run(use()) == 0
        task.cancel()
        stopped.run_until_complete(asyncio.wait([task]))
        stopped.close()


# --- Settings -----------------------------------------------------------------------------------------------


def get_key() -> str:
    return "KEY-OF-A-FUNCTION"


async def test_settings_of_another_process_have_headers_and_the_function_for_the_key() -> None:
    async with Emulator(api_key=get_key()) as telnyx:
        settings = Settings(
            api_key=get_key,
            base_url=telnyx.url,
            default_headers={"X-Team": "Video"},
            user_agent_suffix="worker",
            max_retries=0,
            timeout=timedelta(minutes=1),
        )
        async with RoomsClient.from_settings(pickle.loads(pickle.dumps(settings))) as client:
            assert await client.rooms.list().count() == 0
        headers = telnyx.requests[0].headers
    assert (headers["x-team"], headers["user-agent"].split()[-1]) == ("Video", "worker")
    assert headers["authorization"] == "Bearer KEY-OF-A-FUNCTION"
