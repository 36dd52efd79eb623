"""How calls end that wait for something while the client is closed, or while they are cancelled."""

import asyncio
import io
import json
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from attrs import define, field

from telnyx_rooms_async import (
    ClientClosedError,
    Clock,
    ReadOnlyError,
    RoomsClient,
    TelnyxRoomsError,
    WrongEventLoopError,
    batch,
)
from telnyx_rooms_async.batch import Journal
from telnyx_rooms_async.emulator import Emulator, Fault
from telnyx_rooms_async.webhooks import EventRouter
from tests.helpers.clocks import wait_until
from tests.helpers.scripted_server import Reply, ScriptedServer

ROOM = ScriptedServer.http(200, b'{"data":{"id":"a-room"}}')
HANG = Reply(b"", "hang")


@define
class StoppedClock:
    """A clock whose sleeps never end, and whose time moves only when it is set."""

    seconds: float = 0.0
    sleepers: int = 0
    end_of_sleep: asyncio.Event = field(factory=asyncio.Event)

    @property
    def clock(self) -> Clock:
        return Clock(monotonic=lambda: self.seconds, sleep=self.sleep)

    async def sleep(self, _: float) -> None:
        self.sleepers += 1
        try:
            await self.end_of_sleep.wait()
        finally:
            self.sleepers -= 1


@define
class Scenario:
    """A client with one connection to a scripted server, and a clock that stands still."""

    client: RoomsClient
    server: ScriptedServer
    time: StoppedClock


@pytest.fixture
async def scenario(scripted_server: ScriptedServer) -> AsyncIterator[Scenario]:
    """A scenario that leaves no connection and no task."""
    time = StoppedClock()
    client = RoomsClient("KEY", base_url=scripted_server.url, max_connections=1, clock=time.clock)
    before = asyncio.all_tasks()
    yield Scenario(client, scripted_server, time)
    await client.close()
    await wait_until(lambda: scripted_server.open_connections == 0)
    await wait_until(lambda: asyncio.all_tasks() - {asyncio.current_task()} <= before)
    assert time.sleepers == 0


# --- where a call can wait ----------------------------------------------------------------------------------


def data(**fields: object) -> Reply:
    return ScriptedServer.http(200, json.dumps({"data": fields}).encode())


def page(total: int) -> Reply:
    body = {"data": [{"id": "a"}], "meta": {"total_results": total, "total_pages": total}}
    return ScriptedServer.http(200, json.dumps(body).encode())


async def response(scenario: Scenario) -> object:
    scenario.server.respond_with(HANG)
    return await scenario.client.rooms.retrieve("a-room")


async def connection(scenario: Scenario) -> object:
    scenario.server.respond_with(HANG)
    other = asyncio.create_task(scenario.client.rooms.retrieve("another-room"))
    await wait_until(lambda: len(scenario.server.requests) == 1)
    try:
        return await scenario.client.rooms.retrieve("a-room")
    finally:
        other.cancel()
        await asyncio.wait((other,))


async def end_of_a_pause(scenario: Scenario) -> object:
    scenario.server.respond_with(ScriptedServer.http(429, Retry_After="7"))
    return await scenario.client.rooms.retrieve("a-room")


async def next_attempt(scenario: Scenario) -> object:
    scenario.server.respond_with(ScriptedServer.http(500))
    return await scenario.client.rooms.retrieve("a-room")


async def look_up_of_a_created_room(scenario: Scenario) -> object:
    scenario.server.respond_with(ScriptedServer.http(500))
    return await scenario.client.rooms.create(unique_name="Weekly")


async def next_poll(scenario: Scenario) -> object:
    scenario.server.respond_with(data(id="it", status="processing"))
    return await scenario.client.compositions.wait("it")


async def part_of_a_file(scenario: Scenario, writer: object = None) -> object:
    url = scenario.server.url.replace("/v2", "/store/file")
    half = ScriptedServer.http(200, b"x" * 1000).data[:-500]
    scenario.server.respond_with(data(id="it", status="completed", download_url=url), Reply(half, "hang"))
    return await scenario.client.recordings.download("it", writer or io.BytesIO())  # type: ignore[arg-type]  # has write


async def second_page(scenario: Scenario) -> object:
    scenario.server.respond_with(page(2), HANG)
    return [room async for room in scenario.client.rooms.list(page_size=1)]


Wait = Callable[[Scenario], Awaitable[object]]
# A wait, and how many requests and sleepers there are when it has begun.
WAITS: tuple[tuple[Wait, int, int], ...] = (
    (response, 1, 0),
    (connection, 1, 0),
    (end_of_a_pause, 1, 1),
    (next_attempt, 1, 1),
    (look_up_of_a_created_room, 1, 1),
    (next_poll, 1, 1),
    (part_of_a_file, 2, 0),
    (second_page, 2, 0),
)
every_wait = pytest.mark.parametrize(
    ("wait", "requests", "sleepers"), WAITS, ids=[wait.__name__ for wait, _, _ in WAITS]
)


@define
class Call:
    """A call in a task, and how it ended."""

    task: "asyncio.Task[object]"
    error: BaseException | None = None
    cancelling: int = -1

    @classmethod
    async def start(cls, scenario: Scenario, wait: Wait, requests: int = 1, sleepers: int = 0) -> "Call":
        async def run() -> object:
            try:
                return await wait(scenario)
            except BaseException as error:
                call.error = error
                raise
            finally:
                call.cancelling = call.task.cancelling()

        call = cls(asyncio.create_task(run()))
        reached = (requests, sleepers)
        await wait_until(lambda: (len(scenario.server.requests), scenario.time.sleepers) == reached)
        for _ in range(20):  # until the call waits for the response to its request
            await asyncio.sleep(0)
        assert not call.task.done()
        return call


# --- every wait -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rounds", [-1, 0, 1, 2, 3, 5, 8, 11, None])
@every_wait
async def test_closing_ends_a_call_unless_it_is_cancelled(
    scenario: Scenario, wait: Wait, requests: int, sleepers: int, rounds: int | None
) -> None:
    """Whether the call is cancelled before, with or after the closing of the client, or not at all."""
    call = await Call.start(scenario, wait, requests, sleepers)
    if rounds == -1:
        call.task.cancel()
    closing = asyncio.create_task(scenario.client.close())
    for _ in range(rounds or 0):
        await asyncio.sleep(0)
    was_cancelled = rounds is not None and (call.task.cancel() or rounds == -1)
    await asyncio.gather(call.task, return_exceptions=True)
    await closing
    assert isinstance(call.error, asyncio.CancelledError if was_cancelled else ClientClosedError)
    assert call.task.cancelled() is was_cancelled
    assert bool(call.cancelling) is was_cancelled
    assert scenario.time.sleepers == 0


@every_wait
async def test_timeout_of_the_caller_takes_precedence_over_closing(
    scenario: Scenario, wait: Wait, requests: int, sleepers: int
) -> None:
    timeout = asyncio.timeout(None)

    async def wait_with_timeout(scenario: Scenario) -> object:
        async with timeout:
            return await wait(scenario)

    call = await Call.start(scenario, wait_with_timeout, requests, sleepers)
    timeout.reschedule(asyncio.get_running_loop().time())
    await asyncio.sleep(0)
    closing = asyncio.create_task(scenario.client.close())
    with pytest.raises((TimeoutError, ClientClosedError)) as caught:
        await asyncio.wait_for(call.task, 60)
    assert isinstance(caught.value, TimeoutError if timeout.expired() else ClientClosedError)
    assert call.cancelling == 0
    await closing


# --- closing ----------------------------------------------------------------------------------------------


async def test_call_in_the_cleanup_of_a_cancelled_task_ends_with_the_client(scenario: Scenario) -> None:
    scenario.server.respond_with(HANG)
    cancelling: list[int] = []

    async def work() -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            await asyncio.Event().wait()
        finally:
            with suppress(TelnyxRoomsError, asyncio.CancelledError):
                await scenario.client.rooms.delete("a-room")
            cancelling.append(task.cancelling())

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    await wait_until(lambda: len(scenario.server.requests) == 1)
    await scenario.client.close()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cancelling == [1]


async def test_call_whose_task_has_not_run_yet_sends_nothing(scenario: Scenario) -> None:
    call = asyncio.create_task(scenario.client.rooms.retrieve("a-room"))
    await scenario.client.close()
    with pytest.raises(ClientClosedError):
        await call
    assert scenario.server.requests == []


async def test_task_continues_after_its_call_was_ended(scenario: Scenario) -> None:
    ids: list[str] = []

    async def continue_afterwards(scenario: Scenario) -> object:
        with pytest.raises(ClientClosedError):
            await response(scenario)
        scenario.server.respond_with(ROOM)
        async with RoomsClient("KEY", base_url=scenario.server.url) as another:
            ids.append((await another.rooms.retrieve("a-room")).id)
        return await asyncio.Event().wait()

    call = await Call.start(scenario, continue_afterwards)
    await scenario.client.close()
    await wait_until(lambda: bool(ids))
    assert (call.task.cancelling(), call.task.done()) == (0, False)
    call.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call.task
    assert call.cancelling == 1


async def test_cancelled_close_closes_the_client(scenario: Scenario) -> None:
    call = await Call.start(scenario, response)
    closing = asyncio.create_task(scenario.client.close(grace=60))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not closing.done()
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    with pytest.raises(ClientClosedError):
        await asyncio.wait_for(call.task, 60)
    with pytest.raises(ClientClosedError):
        await scenario.client.rooms.retrieve("a-room")
    await wait_until(lambda: scenario.server.open_connections == 0)


@pytest.mark.parametrize("grace", [0, 600])
async def test_writer_that_closes_the_client_ends_its_download(scenario: Scenario, grace: float) -> None:
    closed: list[bool] = []

    class Writer:
        async def write(self, _: bytes) -> None:
            await scenario.client.close(grace=grace)
            closed.append(scenario.client.is_closed)

    scenario.time.end_of_sleep.set()
    async with asyncio.timeout(60):
        with pytest.raises(ClientClosedError):
            await part_of_a_file(scenario, Writer())
    assert (closed, len(scenario.server.requests)) == ([True], 2)


async def test_error_of_a_call_that_is_being_ended_is_raised(scenario: Scenario) -> None:
    """A writer that fails when the client is closed fails the download with its own error."""

    class Writer:
        async def write(self, _: bytes) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                raise ValueError("of the writer")

    call = await Call.start(scenario, lambda scenario: part_of_a_file(scenario, Writer()), 2)
    await scenario.client.close()
    with pytest.raises(ValueError, match="of the writer"):
        await call.task
    assert call.cancelling == 0


async def test_grace_refuses_new_calls_and_waits_for_running_ones(telnyx: Emulator) -> None:
    telnyx.inject(Fault(delay=0.1), times=1, operation="ListRooms")
    client = RoomsClient(telnyx.api_key, base_url=telnyx.url)
    running = asyncio.create_task(client.rooms.list().count())
    await wait_until(lambda: bool(telnyx.requests))
    closing = asyncio.create_task(client.close(grace=5))
    await asyncio.sleep(0)
    with pytest.raises(ClientClosedError):
        await client.rooms.list().count()
    assert await running == 0
    await closing
    assert len(telnyx.requests) == 1


async def test_running_call_may_send_further_requests_during_grace(telnyx: Emulator) -> None:
    telnyx.inject(Fault(delay=0.05, after=True, cut="headers"), times=1, operation="CreateRoom")
    client = RoomsClient(telnyx.api_key, base_url=telnyx.url)
    running = asyncio.create_task(client.rooms.create(unique_name="Weekly"))
    await wait_until(lambda: bool(telnyx.requests))
    await client.close(grace=5)
    assert (await running).unique_name == "Weekly"


async def test_running_call_may_make_further_calls_during_grace(telnyx: Emulator) -> None:
    telnyx.seed(1)
    session_id = telnyx.join(telnyx.rooms[0].id).session_id
    telnyx.inject(Fault(delay=0.05, body={"data": [], "meta": {}}))
    clock = Clock(sleep=lambda _: asyncio.sleep(0))
    client = RoomsClient(telnyx.api_key, base_url=telnyx.url, clock=clock)
    running = asyncio.create_task(client.rooms.wait_for_session(telnyx.rooms[0]))
    await wait_until(lambda: bool(telnyx.requests))
    await client.close(grace=5)
    assert (await running).id == session_id
    assert len(telnyx.requests) == 2


# --- event loops ------------------------------------------------------------------------------------------


def test_client_can_be_closed_in_a_new_event_loop_after_one_was_stopped_while_closing() -> None:
    client = RoomsClient("KEY", base_url="http://127.0.0.1:9/v2", clock=StoppedClock().clock)

    async def close(seconds: float, *, give_up: bool) -> None:
        call = asyncio.create_task(client.rooms.retrieve("a-room"))
        await asyncio.sleep(0)
        closing = asyncio.create_task(client.close(grace=seconds))
        await asyncio.sleep(0)
        if give_up:
            return
        await closing
        with pytest.raises(ClientClosedError):
            await call

    loop = asyncio.new_event_loop()
    loop.run_until_complete(close(60, give_up=True))
    asyncio.run(close(0.01, give_up=False))
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.wait(tasks))
    loop.close()
    for task in tasks:
        with suppress(asyncio.CancelledError, TelnyxRoomsError):
            task.result()


async def test_call_can_be_run_outside_a_task() -> None:
    call = RoomsClient("KEY", read_only=True).rooms.create()
    result: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    def run() -> None:
        with pytest.raises(ReadOnlyError) as caught:
            call.send(None)
        result.set_result(caught.value)

    asyncio.get_running_loop().call_soon(run)
    assert isinstance(await result, ReadOnlyError)


async def consume(outcomes: AsyncIterable[object]) -> None:
    async for _ in outcomes:
        pass


async def keep_token(client: RoomsClient) -> None:
    async with client.tokens.auto_refresh("a-room") as token:
        await token.token()


async def enter_router() -> None:
    async with EventRouter():
        pass


ACTIONS: dict[str, Callable[[RoomsClient, Path], Awaitable[object]]] = {
    "call": lambda client, _: client.rooms.retrieve("a-room"),
    "list": lambda client, _: consume(client.rooms.list()),
    "prefetched list": lambda client, _: consume(client.rooms.list().prefetch(3)),
    "plan": lambda client, _: client.rooms.plan([{"unique_name": "Weekly"}]),
    "ensure": lambda client, _: client.rooms.ensure("Weekly"),
    "bulk operation": lambda client, _: consume(client.rooms.delete_many(["a-room"])),
    "bulk operation with journal": lambda client, folder: consume(
        client.rooms.delete_many(["a-room"], journal=Journal(folder / "journal"))
    ),
    "batch": lambda client, _: consume(batch.stream(client.rooms.delete, ["a-room"])),
    "wait": lambda client, _: client.compositions.wait("a-composition"),
    "download": lambda client, folder: client.recordings.download("a-recording", folder / "file"),
    "kept token": lambda client, _: keep_token(client),
    "router": lambda client, _: enter_router(),
    "close": lambda client, _: client.close(),
    "close with grace": lambda client, _: client.close(grace=1),
}


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_action_without_an_asyncio_event_loop_is_refused(
    action: Callable[[RoomsClient, Path], Awaitable[object]], tmp_path: Path
) -> None:
    """Under trio, or without any event loop."""

    async def run() -> None:
        await action(RoomsClient("KEY"), tmp_path)

    with pytest.raises(WrongEventLoopError, match="no asyncio event loop is running"):
        run().send(None)
    assert list(tmp_path.iterdir()) == []
