"""How calls and clients end: cancelled, closed, forgotten, or moved to another loop."""

import asyncio
import gc
import socket
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from typing import Any

import pytest

from telnyx_rooms_async import ClientClosedError, Room, RoomsClient
from tests.helpers.fast_forward import FastForwardLoop, wait_until
from tests.helpers.fault_case import FaultCase, create, ids_of, read
from tests.helpers.fault_server import FaultServer, ServerFault, run_fault_server
from tests.helpers.room_store import SECRET_KEY, SECRETS
from tests.helpers.server_faults import HANG, respond, send_slowly, truncate

# --- where a call may be when it is stopped -----------------------------------------------------------------


async def create_large(client: RoomsClient) -> Room:
    """Send more than fits into the buffers of a socket."""
    return await client.rooms.create(unique_name="x" * 20_000_000)


async def page_by_page(client: RoomsClient) -> list[str]:
    """Turn pages for ever."""
    return await ids_of(client, page_size=1)


Phase = tuple[Callable[[RoomsClient], Any], dict[str, ServerFault], str]
UNAVAILABLE = respond(503, Retry_After="30")
PHASES: dict[str, Phase] = {
    "waiting at the gate": (read, {"": UNAVAILABLE}, "GET"),
    "sleeping before a retry": (read, {"": truncate("before")}, "GET"),
    "sleeping before a look-up": (create, {"": truncate("before")}, "POST"),
    "sending": (create_large, {}, ""),
    "waiting for the answer": (read, {"": HANG}, "GET"),
    "reading headers": (read, {"": truncate("headers", "hang")}, "GET"),
    "reading a body": (read, {"": truncate("body", "hang")}, "GET"),
    "reading chunks": (read, {"": truncate("chunk", "hang")}, "GET"),
    "reading a byte a second": (read, {"": send_slowly("body")}, "GET"),
    "creating": (create, {"": HANG}, "POST"),
    "looking up": (create, {"POST": truncate("before"), "GET": HANG}, "POST GET"),
    "paging": (page_by_page, {"": HANG}, "GET"),
}
phases = pytest.mark.parametrize("phase", PHASES.values(), ids=PHASES)
# What does not fit into the buffers of a socket is more than aiohttp likes to be given at once.
pytestmark = pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")


async def start_call(case: FaultCase, phase: Phase) -> "asyncio.Task[Any]":
    """Bring a call to where it is to be stopped."""
    action, faults, methods = phase
    case.time.random = lambda: 1.0
    for method, fault in faults.items():
        case.server.inject_always(fault, on=method)
    if not methods:
        case.server.unread_connections = 1
        case.server.shrink_buffers()
    # One connection only: if the call does not give it back, nothing will ever work again.
    case.new_client(max_connections=1)
    call = asyncio.create_task(action(case.client))
    await wait_until(lambda: case.server.methods == methods and case.server.connections > 0)
    await asyncio.sleep(0.1)
    assert not call.done()
    if not methods:
        session = case.client._api.transport._session
        assert session is not None
        assert session.connector is not None
        connections: Any = session.connector._acquired
        assert any(warning.transport.get_write_buffer_size() for warning in connections)
    return call


@phases
async def test_a_cancelled_call_ends_at_once_and_frees_its_connection(case: FaultCase, phase: Phase) -> None:
    call = await start_call(case, phase)
    start_time = case.time.seconds()
    call.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await call
    assert case.time.seconds() - start_time < 0.1
    case.errors.append(caught.value)
    await check_connection_released(case)
    case.expect_requests(phase[-1], rooms=case.server.store.made)
    case.recovery_delay = 31


async def check_connection_released(case: FaultCase) -> None:
    """Check that no connection is held."""
    session = case.client._api.transport._session
    assert session is not None
    assert session.connector is not None
    assert not session.connector._acquired
    await case.server.recover()
    # A socket between two requests may stay for the next; one in the middle of something may not.
    for _ in range(30):
        if case.server.open <= len(session.connector._conns):
            return
        await asyncio.sleep(0.1)
    raise AssertionError("a socket is open that nobody uses")


@pytest.mark.parametrize("action", [read, create], ids=lambda action: action.__name__)
async def test_a_call_cancelled_while_it_waits_for_a_connection_leaves_the_queue(
    case: FaultCase, action: Any
) -> None:
    case.server.inject(HANG)
    case.new_client(max_connections=1)
    busy = asyncio.create_task(read(case.client))
    await wait_until(lambda: bool(case.server.requests))
    waiting = [asyncio.create_task(action(case.client)) for _ in range(3)]
    await asyncio.sleep(0.1)
    waiting[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting[0]
    busy.cancel()
    with pytest.raises(asyncio.CancelledError):
        await busy
    others = await asyncio.gather(*waiting[1:], return_exceptions=True)
    assert isinstance(others[0], Room)
    word = "GET" if action is read else "POST"
    case.expect_requests(f"GET {word} {word}", rooms=action is create)


async def test_a_thousand_cancelled_calls_leave_nothing_open(case: FaultCase) -> None:
    case.concurrent = True
    case.server.inject_always(HANG)
    for _ in range(50):
        calls = [asyncio.create_task(read(case.client)) for _ in range(20)]
        await asyncio.sleep(0.01)
        for call in calls:
            call.cancel()
        assert {type(end) for end in await asyncio.gather(*calls, return_exceptions=True)} == {
            asyncio.CancelledError
        }
    await check_connection_released(case)
    case.expect_at_most(1000)


# --- closed -------------------------------------------------------------------------------------------------


@phases
async def test_closing_ends_a_call_at_once(case: FaultCase, phase: Phase) -> None:
    call = await start_call(case, phase)
    start_time = case.time.seconds()
    async with asyncio.timeout(1):  # closing must not hang on a server that does not read
        await case.client.close()
    with pytest.raises(ClientClosedError) as caught:
        await call
    assert case.time.seconds() - start_time < 0.1
    case.errors.append(caught.value)
    case.expect_requests(phase[-1], rooms=case.server.store.made)
    case.no_recovery_reason = "the client is closed"
    await case.server.recover()


async def test_closing_ends_all_calls_at_once(case: FaultCase) -> None:
    case.concurrent = True
    for _ in range(30):
        await case.expect_result(read)
    case.server.inject_always(HANG)
    case.new_client(max_connections=7)
    calls = [asyncio.create_task(action(case.client)) for action in [read, create] * 100]
    await asyncio.sleep(1)
    view = case.client.with_options(timeout=5)
    start_time = case.time.seconds()
    await view.close()
    ends = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(end) for end in ends} == {ClientClosedError}
    assert case.time.seconds() - start_time < 0.1
    case.errors += [end for end in ends[:4] if isinstance(end, BaseException)]
    case.expect_at_most(37, rooms=case.server.store.made)
    case.no_recovery_reason = "the client is closed"
    await case.server.recover()


# --- loops --------------------------------------------------------------------------------------------------


@contextmanager
def all_warnings() -> Iterator[list[warnings.WarningMessage]]:
    """Collect all warnings, those of the collector of garbage included."""
    with warnings.catch_warnings(record=True) as recorded:
        warnings.simplefilter("always")
        yield recorded
        gc.collect()


@asynccontextmanager
async def running_server(port: int = 0) -> AsyncIterator[FaultServer]:
    """Run a server in a loop that is not hasty, on the same port in warning loop."""
    async with run_fault_server(FastForwardLoop.real_time(), port=port) as server:
        yield server


def free_port() -> int:
    """Find a port that nobody uses."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port: int = free.getsockname()[1]
        return port


def test_a_client_works_in_a_second_event_loop_after_calls_were_cut_off() -> None:
    port = free_port()
    with all_warnings() as recorded:
        clients = [RoomsClient(SECRET_KEY, base_url=f"http://127.0.0.1:{port}/v2", max_connections=2)]

        async def cut_off() -> None:
            async with running_server(port) as server:
                server.inject_always(HANG)
                calls = [asyncio.create_task(read(clients[0])) for _ in range(9)]
                await wait_until(lambda: len(server.requests) == 2)
                assert not any(call.done() for call in calls)

        async def read_once() -> int:
            async with running_server(port) as server, clients[0]:
                await read(clients[0])
                return len(server.requests)

        asyncio.run(cut_off())
        assert asyncio.run(read_once()) == 1
        clients.clear()
    assert [str(warning.message) for warning in recorded] == []


def test_an_unclosed_client_warns_once() -> None:
    with all_warnings() as recorded:

        async def forget() -> None:
            async with running_server() as server:
                client = RoomsClient(SECRET_KEY, base_url=server.url)
                await read(client)
                del client
                gc.collect()
                for _ in range(5):
                    await asyncio.sleep(0)

        asyncio.run(forget())
        gc.collect()
    texts = [str(warning.message) for warning in recorded]
    assert len(texts) == 1, texts
    assert recorded[0].category is ResourceWarning
    assert "RoomsClient" in texts[0]
    assert not any(canary in texts[0] for canary in SECRETS)


def test_an_unclosed_client_warns_once_after_its_event_loop() -> None:
    with all_warnings() as recorded:
        clients: list[RoomsClient] = []

        async def use() -> None:
            async with running_server() as server:
                clients.append(RoomsClient(SECRET_KEY, base_url=server.url))
                await read(clients[0])

        asyncio.run(use())
        clients.clear()
        gc.collect()
    assert [warning.category for warning in recorded] == [ResourceWarning]
    assert "RoomsClient" in str(recorded[0].message)
