"""Cancelled calls, closed clients, and clients that are never closed."""

import asyncio
import gc
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from telnyx_rooms_async import ClientClosedError, Room, RoomsClient
from tests.helpers.clocks import wait_until
from tests.helpers.fault_case import FaultCase, create, ids_of, read, read_and_create
from tests.helpers.fault_server import FaultServer, ServerFault
from tests.helpers.faults import HANG, respond, send_slowly, truncate
from tests.helpers.raw_server import running
from tests.helpers.room_store import SECRET_KEY, SECRETS

# --- phases of a call ---------------------------------------------------------------------------------------


async def create_large(client: RoomsClient) -> Room:
    """Send more than fits into the buffers of a socket."""
    return await client.rooms.create(unique_name="x" * 8_000_000)


async def page_by_page(client: RoomsClient) -> list[str]:
    return await ids_of(client, page_size=1)


Phase = tuple[Callable[[RoomsClient], Any], dict[str, ServerFault], str]
UNAVAILABLE = respond(503, Retry_After="30")
PHASES: dict[str, Phase] = {
    "waiting for the rate limiter": (read, {"": UNAVAILABLE}, "GET"),
    "sleeping before a retry": (read, {"": truncate("before")}, "GET"),
    "sleeping before a look-up": (create, {"": truncate("before")}, "POST"),
    "sending": (create_large, {}, ""),
    "waiting for the response": (read, {"": HANG}, "GET"),
    "reading headers": (read, {"": truncate("headers", "hang")}, "GET"),
    "reading a body": (read, {"": truncate("body", "hang")}, "GET"),
    "reading chunks": (read, {"": truncate("chunk", "hang")}, "GET"),
    "reading a byte a second": (read, {"": send_slowly("body")}, "GET"),
    "creating": (create, {"": HANG}, "POST"),
    "looking up": (create, {"POST": truncate("before"), "GET": HANG}, "POST GET"),
    "paging": (page_by_page, {"": HANG}, "GET"),
}
phases = pytest.mark.parametrize("phase", PHASES.values(), ids=PHASES)


async def start_call(case: FaultCase, phase: Phase) -> "asyncio.Task[Any]":
    """Start a call, and return it in this phase."""
    action, faults, methods = phase
    case.clock.random = lambda: 1.0
    for method, fault in faults.items():
        case.server.inject_always(fault, on=method)
    if not methods:
        case.server.unread_connections = 1
        case.server.shrink_buffers()
    # One connection only: if the call does not release it, the next call fails.
    case.new_client(max_connections=1)
    call = asyncio.create_task(action(case.client))
    await wait_until(lambda: case.server.methods == methods and case.server.connections > 0)
    await asyncio.sleep(0.1)
    assert not call.done()
    return call


@phases
async def test_a_cancelled_call_ends_at_once_and_frees_its_connection(case: FaultCase, phase: Phase) -> None:
    call = await start_call(case, phase)
    start_time = case.clock.seconds
    call.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await call
    assert case.clock.seconds - start_time < 1
    case.errors.append(caught.value)
    await case.server.recover()
    await case.wait_for_sockets(idle=phase[1].get("") is UNAVAILABLE)
    case.expect_requests(phase[-1], rooms=case.server.store.made)
    case.recovery_delay = 31


@read_and_create
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


@pytest.mark.parametrize("server", ["refused at first"], indirect=True)
@pytest.mark.parametrize("is_closed", [False, True], ids=["cancelled", "closed"])
async def test_a_call_that_connects_ends_at_once_and_closes_its_socket(
    case: FaultCase, *, is_closed: bool
) -> None:
    case.new_client(max_connections=1)
    with case.server.unanswered_connections():
        before = open_sockets()
        call = asyncio.create_task(read(case.client))
        await wait_until(lambda: open_sockets() > before)
        await asyncio.sleep(0.1)
        start_time = case.clock.seconds
        if is_closed:
            await case.client.close()
        else:
            call.cancel()
        with pytest.raises(ClientClosedError if is_closed else asyncio.CancelledError) as caught:
            await call
        assert (case.clock.seconds - start_time < 1, open_sockets()) == (True, before)
    case.errors.append(caught.value)
    case.expect_requests("")
    case.recovers = not is_closed


def open_sockets() -> int:
    """Count the sockets of this process."""
    links = Path("/proc/self/fd").iterdir()
    return sum(link.is_symlink() and str(link.readlink()).startswith("socket:") for link in links)


async def test_a_thousand_cancelled_calls_leave_nothing_open(case: FaultCase) -> None:
    case.concurrent = True
    case.server.inject_always(HANG)
    for _ in range(50):
        calls = [asyncio.create_task(read(case.client)) for _ in range(20)]
        await asyncio.sleep(0.01)
        for call in calls:
            call.cancel()
        assert {type(outcome) for outcome in await asyncio.gather(*calls, return_exceptions=True)} == {
            asyncio.CancelledError
        }
    await case.wait_for_sockets()
    case.expect_at_most(1000)


# --- closing ------------------------------------------------------------------------------------------------


@phases
async def test_closing_ends_a_call_at_once(case: FaultCase, phase: Phase) -> None:
    call = await start_call(case, phase)
    start_time = case.clock.seconds
    async with asyncio.timeout(1):  # closing must not hang on a server that does not read
        await case.client.close()
    with pytest.raises(ClientClosedError) as caught:
        await call
    assert case.clock.seconds - start_time < 1
    case.errors.append(caught.value)
    case.expect_requests(phase[-1], rooms=case.server.store.made)
    case.recovers = False  # the client is closed
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
    start_time = case.clock.seconds
    await view.close()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {ClientClosedError}
    assert case.clock.seconds - start_time < 1
    case.errors += [outcome for outcome in outcomes[:4] if isinstance(outcome, BaseException)]
    case.expect_at_most(37, rooms=case.server.store.made)
    case.recovers = False  # the client is closed
    await case.server.recover()


# --- event loops --------------------------------------------------------------------------------------------


@contextmanager
def all_warnings() -> Iterator[list[warnings.WarningMessage]]:
    """Record all warnings, those of the garbage collector included."""
    with warnings.catch_warnings(record=True) as recorded:
        warnings.simplefilter("always")
        yield recorded
        gc.collect()


def test_a_client_works_in_a_second_event_loop_after_calls_were_cut_off() -> None:
    # The port stays taken, so that no other process gets it between the two event loops.
    server = FaultServer()
    server.bind()
    with all_warnings() as recorded:
        clients = [RoomsClient(SECRET_KEY, base_url=server.url, max_connections=2)]

        async def cut_off() -> None:
            await server.listen()
            server.inject_always(HANG)
            calls = [asyncio.create_task(read(clients[0])) for _ in range(9)]
            await wait_until(lambda: len(server.requests) == 2)
            assert not any(call.done() for call in calls)
            server.stop_listening()

        async def read_once() -> None:
            await server.recover()
            async with clients[0]:
                await read(clients[0])

        asyncio.run(cut_off())
        asyncio.run(read_once())
        assert len(server.requests) == 3
        clients.clear()
    server.close()
    assert [str(warning.message) for warning in recorded] == []


@pytest.mark.parametrize("forgotten", ["in its event loop", "after its event loop"])
def test_an_unclosed_client_warns_once(forgotten: str) -> None:
    clients: list[RoomsClient] = []

    async def use() -> None:
        async with running(FaultServer()) as server:
            clients.append(RoomsClient(SECRET_KEY, base_url=server.url))
            await read(clients[0])
            if forgotten == "in its event loop":
                clients.clear()
                gc.collect()
                for _ in range(5):
                    await asyncio.sleep(0)

    with all_warnings() as recorded:
        asyncio.run(use())
        clients.clear()
    assert [warning.category for warning in recorded] == [ResourceWarning]
    assert "RoomsClient" in str(recorded[0].message)
    assert not any(secret in str(recorded[0].message) for secret in SECRETS)
