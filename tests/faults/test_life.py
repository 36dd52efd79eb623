"""How calls and clients end: cancelled, closed, forgotten, or moved to another loop."""

import asyncio
import gc
import socket
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from typing import Any

import pytest

from telnyx_rooms_async import ClientClosedError, Clock, Room, RoomsClient, WrongEventLoopError
from tests.helpers.fast_forward import FastForwardLoop, wait_until
from tests.helpers.fault_case import FaultCase, create, error_texts, ids_of, read
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


Stage = tuple[Callable[[RoomsClient], Any], dict[str, ServerFault], str]
SLEEPY = respond(503, Retry_After="30")
STAGES: dict[str, Stage] = {
    "waiting at the gate": (read, {"": SLEEPY}, "GET"),
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
stages = pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
# What does not fit into the buffers of a socket is more than aiohttp likes to be given at once.
pytestmark = pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")


async def begin(case: FaultCase, stage: Stage) -> "asyncio.Task[Any]":
    """Bring a call to where it is to be stopped."""
    action, faults, methods = stage
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
        assert any(each.transport.get_write_buffer_size() for each in connections)
    return call


@stages
async def test_cancelled(case: FaultCase, stage: Stage) -> None:
    """It is CancelledError at once, the socket is closed, and the connection is free for the next."""
    call = await begin(case, stage)
    began = case.time.seconds()
    call.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await call
    assert case.time.seconds() - began < 0.1
    case.errors.append(caught.value)
    await check_given_back(case)
    case.expect_requests(stage[-1], rooms=case.server.store.made)
    case.recovery_delay = 31


@stages
async def test_cancelled_by_a_timeout_of_the_user(case: FaultCase, stage: Stage) -> None:
    """The user's own asyncio.timeout is a TimeoutError of his, not of ours."""
    call = await begin(case, stage)
    with pytest.raises(TimeoutError) as caught:
        async with asyncio.timeout(0.01):
            await call
    assert type(caught.value) is TimeoutError
    await check_given_back(case)
    case.expect_requests(stage[-1], rooms=case.server.store.made)
    case.recovery_delay = 31


async def check_given_back(case: FaultCase) -> None:
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


async def test_cancelled_while_connecting(case: FaultCase) -> None:
    """A connection that is being made is given up."""
    with (
        closing(socket.socket()) as busy,
        closing(socket.socket()) as first,
        closing(socket.socket()) as second,
    ):
        busy.bind(("127.0.0.1", 0))
        busy.listen(0)
        for knocker in (first, second):
            knocker.setblocking(False)  # noqa: FBT003 - it is positional
            knocker.connect_ex(busy.getsockname())
        case.new_client(base_url=f"http://127.0.0.1:{busy.getsockname()[1]}/v2")
        call = asyncio.create_task(read(case.client))
        await asyncio.sleep(1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await call
        case.errors.append(caught.value)
    case.expect_requests("")
    case.new_client()


@pytest.mark.parametrize("action", [read, create], ids=lambda action: action.__name__)
async def test_cancelled_while_waiting_for_a_connection(case: FaultCase, action: Any) -> None:
    """Who waits for another call to end leaves the queue, and the others go on."""
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


async def test_cancelled_many_times(case: FaultCase) -> None:
    """A thousand cancelled calls leave no trace."""
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
    await check_given_back(case)
    case.expect_at_most(1000)


async def test_a_loop_left_early(case: FaultCase) -> None:
    """Breaking out of a list fetches no further page and leaves nothing open."""
    case.server.store.seed(20)
    async for _ in case.client.rooms.list(page_size=5):
        break
    await asyncio.sleep(0)
    case.expect_requests("GET")


# --- closed -------------------------------------------------------------------------------------------------


@stages
async def test_closed_with_a_call_in_flight(case: FaultCase, stage: Stage) -> None:
    """It ends with ClientClosedError within 0.1 seconds."""
    call = await begin(case, stage)
    began = case.time.seconds()
    async with asyncio.timeout(1):  # closing must not hang on a server that does not read
        await case.client.close()
    with pytest.raises(ClientClosedError) as caught:
        await call
    assert case.time.seconds() - began < 0.1
    case.errors.append(caught.value)
    case.expect_requests(stage[-1], rooms=case.server.store.made)
    case.no_recovery_reason = "the client is closed"
    await case.server.recover()


async def test_closed_with_many_calls_in_flight(case: FaultCase) -> None:
    """All end, whether they wait for an answer, for a connection or for their turn."""
    case.concurrent = True
    for _ in range(30):
        await case.expect_result(read)
    case.server.inject_always(HANG)
    case.new_client(max_connections=7)
    calls = [asyncio.create_task(action(case.client)) for action in [read, create] * 100]
    await asyncio.sleep(1)
    view = case.client.with_options(timeout=5)
    began = case.time.seconds()
    await view.close()
    ends = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(end) for end in ends} == {ClientClosedError}
    assert case.time.seconds() - began < 0.1
    case.errors += [end for end in ends[:4] if isinstance(end, BaseException)]
    case.expect_at_most(37, rooms=case.server.store.made)
    case.no_recovery_reason = "the client is closed"
    await case.server.recover()


async def test_used_after_close(case: FaultCase) -> None:
    """Every call is refused at once, and nothing is sent."""
    await case.expect_result(read)
    await case.client.close()
    await case.client.close()
    for action in (read, create, ids_of):
        await case.expect_error(ClientClosedError, action)
    assert all(call.seconds < 0.1 for call in case.calls)
    case.expect_requests("GET")
    case.no_recovery_reason = "the client is closed"


async def test_closed_by_a_call_of_its_own(case: FaultCase) -> None:
    """Whoever closes the client from within a list is not ended by it, but can go no further."""
    case.server.store.seed(20)

    async def close_within(client: RoomsClient) -> None:
        async for _ in client.rooms.list(page_size=20):
            await client.close()

    await case.expect_error(ClientClosedError, close_within)
    case.expect_requests("GET")
    case.no_recovery_reason = "the client is closed"


# --- loops --------------------------------------------------------------------------------------------------


@contextmanager
def nothing_complains() -> Iterator[list[warnings.WarningMessage]]:
    """Collect all warnings, those of the collector of garbage included."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        yield told
        gc.collect()


@asynccontextmanager
async def serving(port: int = 0) -> AsyncIterator[FaultServer]:
    """Run a server in a loop that is not hasty, on the same port in each loop."""
    async with run_fault_server(FastForwardLoop.real_time(), port=port) as server:
        yield server


def free_port() -> int:
    """Find a port that nobody uses."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port: int = free.getsockname()[1]
        return port


@pytest.mark.parametrize("action", [read, create], ids=lambda action: action.__name__)
def test_a_second_asyncio_run(action: Callable[[RoomsClient], Any]) -> None:
    """It works with the same client, over a session of its own, and leaves nothing behind."""
    port = free_port()
    with nothing_complains() as told:
        kept = [
            RoomsClient(SECRET_KEY, base_url=f"http://127.0.0.1:{port}/v2", clock=Clock(dice=lambda: 0.5))
        ]

        async def once() -> int:
            async with serving(port) as server:
                await action(kept[0])
                return len(server.requests)

        async def once_and_close() -> int:
            try:
                return await once()
            finally:
                await kept[0].close()

        assert [asyncio.run(once()), asyncio.run(once()), asyncio.run(once_and_close())] == [1, 1, 1]
        kept.clear()
    assert [str(each.message) for each in told] == []


def test_a_second_asyncio_run_after_calls_were_cut_off() -> None:
    """Calls that the first loop left in the middle do not hold up the second."""
    port = free_port()
    with nothing_complains() as told:
        kept = [RoomsClient(SECRET_KEY, base_url=f"http://127.0.0.1:{port}/v2", max_connections=2)]

        async def cut_off() -> None:
            async with serving(port) as server:
                server.inject_always(HANG)
                calls = [asyncio.create_task(read(kept[0])) for _ in range(9)]
                await wait_until(lambda: len(server.requests) == 2)
                assert not any(call.done() for call in calls)

        async def whole() -> int:
            async with serving(port) as server, kept[0]:
                await read(kept[0])
                return len(server.requests)

        asyncio.run(cut_off())
        assert asyncio.run(whole()) == 1
        kept.clear()
    assert [str(each.message) for each in told] == []


@pytest.mark.parametrize("action", [read, create, ids_of], ids=lambda action: action.__name__)
async def test_two_running_loops_at_once(case: FaultCase, action: Any) -> None:
    """The second is told, and sends nothing; the first goes on."""
    await case.expect_result(read)
    caught: list[BaseException] = []

    def elsewhere() -> None:
        try:
            asyncio.run(action(case.client))
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is looked at below
            caught.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert [type(error) for error in caught] == [WrongEventLoopError]
    case.errors += caught
    await case.expect_result(read)
    case.expect_requests("GET GET")


def test_never_closed() -> None:
    """There is one ResourceWarning, which names the client; and none of aiohttp."""
    with nothing_complains() as told:

        async def forget() -> None:
            async with serving() as server:
                client = RoomsClient(SECRET_KEY, base_url=server.url)
                await read(client)
                del client
                gc.collect()
                for _ in range(5):
                    await asyncio.sleep(0)

        asyncio.run(forget())
        gc.collect()
    texts = [str(each.message) for each in told]
    assert len(texts) == 1, texts
    assert told[0].category is ResourceWarning
    assert "RoomsClient" in texts[0]
    assert not any(canary in texts[0] for canary in SECRETS)


def test_never_used() -> None:
    """A client that made no call has nothing to close."""
    with nothing_complains() as told:
        RoomsClient(SECRET_KEY)
    assert told == []


def test_never_closed_beyond_its_loop() -> None:
    """A client that outlives its loop warns once, when it goes."""
    with nothing_complains() as told:
        kept: list[RoomsClient] = []

        async def use() -> None:
            async with serving() as server:
                kept.append(RoomsClient(SECRET_KEY, base_url=server.url))
                await read(kept[0])

        asyncio.run(use())
        kept.clear()
        gc.collect()
    assert [each.category for each in told] == [ResourceWarning]
    assert "RoomsClient" in str(told[0].message)


async def test_what_a_cancellation_shows(case: FaultCase) -> None:
    """The frames of aiohttp, whose locals are headers with the key, are not in the traceback."""
    case.server.inject_always(HANG)
    call = asyncio.create_task(create(case.client))
    await wait_until(lambda: bool(case.server.requests))
    call.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await call
    assert "aiohttp" not in "".join(error_texts(caught.value))
    case.errors.append(caught.value)
    case.expect_requests("POST", rooms=1)
