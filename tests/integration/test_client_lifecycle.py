"""How calls end when their client does: wherever they wait, and whoever else wants to end them."""

import asyncio
import io
import json
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from attrs import define, field, frozen

from telnyx_rooms_async import (
    ClientClosedError,
    Clock,
    EventRouter,
    Journal,
    RoomsClient,
    TelnyxRoomsError,
    WrongEventLoopError,
    batch,
)
from telnyx_rooms_async.emulator import Emulator, Fault
from telnyx_rooms_async.http.in_flight import InFlightCalls
from tests.helpers.scripted_server import Reply, ScriptedServer

OK = ScriptedServer.http(200, b'{"data":{"id":"a-room"}}')
HANG = Reply(b"", "hang")


@define
class Bed:
    """A clock in which nobody who sleeps wakes up."""

    sleepers: int = 0
    never: asyncio.Event = field(factory=asyncio.Event)

    async def sleep(self, seconds: float) -> None:
        """Sleep for ever."""
        self.sleepers += 1
        try:
            await self.never.wait()
        finally:
            self.sleepers -= 1


@frozen
class Scene:
    """A client of a scripted server, in whose time nobody wakes up."""

    client: RoomsClient
    scripted_server: ScriptedServer
    bed: Bed

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something to come about."""
        async with asyncio.timeout(5):
            while not holds():
                await asyncio.sleep(0)

    def assert_nothing_left(self) -> None:
        """Check that no trace of any call is left."""
        in_flight_calls, rate_limiter = self.client._api.in_flight_calls, self.client._api.rate_limiter
        assert (in_flight_calls._depths, in_flight_calls._cancelled) == ({}, set())
        assert rate_limiter._window.in_flight == 0
        assert not [turn for *_, turn in rate_limiter._queue if not turn.is_gone]
        assert self.bed.sleepers == 0


@pytest.fixture
async def scene(scripted_server: ScriptedServer) -> AsyncIterator[Scene]:
    """A client that is closed at the end, and no socket or task left behind it."""
    bed = Bed()
    client = RoomsClient("KEY", base_url=scripted_server.url, max_connections=1, clock=Clock(sleep=bed.sleep))
    it = Scene(client, scripted_server, bed)
    before = asyncio.all_tasks()
    yield it
    await client.close()
    await it.until(lambda: scripted_server.open_connections == 0)
    await it.until(lambda: asyncio.all_tasks() - {asyncio.current_task()} <= before)
    it.assert_nothing_left()


# --- where a call may wait ----------------------------------------------------------------------------------


async def in_flight(scene: Scene) -> object:
    """Wait for an answer."""
    scene.scripted_server.respond_with(HANG)
    return await scene.client.rooms.retrieve("a-room")


async def behind_another(scene: Scene) -> object:
    """Wait at the gate for the one connection."""
    scene.scripted_server.respond_with(HANG)
    other = asyncio.create_task(scene.client.rooms.retrieve("another-room"))
    await scene.until(lambda: len(scene.scripted_server.requests) == 1)
    try:
        return await scene.client.rooms.retrieve("a-room")
    finally:
        other.cancel()
        await asyncio.wait((other,))


async def at_the_gate(scene: Scene) -> object:
    """Watch the clock at the gate, because the server said when to come again."""
    scene.scripted_server.respond_with(ScriptedServer.http(429, Retry_After="7"))
    return await scene.client.rooms.retrieve("a-room")


async def between_attempts(scene: Scene) -> object:
    """Sleep before another attempt."""
    scene.scripted_server.respond_with(ScriptedServer.http(500))
    return await scene.client.rooms.retrieve("a-room")


async def between_looks(scene: Scene) -> object:
    """Sleep before a look for a room whose creation is unknown."""
    scene.scripted_server.respond_with(ScriptedServer.http(500))
    return await scene.client.rooms.create(unique_name="Weekly")


async def waiting(scene: Scene) -> object:
    """Sleep until a composition may be done."""
    scene.scripted_server.respond_with(
        ScriptedServer.http(200, b'{"data":{"id":"it","status":"processing"}}')
    )
    return await scene.client.compositions.wait("it")


async def waiting_in_flight(scene: Scene) -> object:
    """Wait for the answer whether a composition is done: a call within a call."""
    scene.scripted_server.respond_with(HANG)
    return await scene.client.compositions.wait("it")


async def waiting_for_a_session(scene: Scene) -> object:
    """Wait for the answer whether a session goes on: a page within a call."""
    scene.scripted_server.respond_with(HANG)
    return await scene.client.rooms.wait_for_session("a-room")


async def downloading(scene: Scene) -> object:
    """Wait for the next piece of a file."""
    url = scene.scripted_server.url.replace("/v2", "/store/file")
    about = {"id": "it", "status": "completed", "download_url": url}
    begun = ScriptedServer.http(200, b"x" * 1000).data[:-500]
    scene.scripted_server.respond_with(
        ScriptedServer.http(200, json.dumps({"data": about}).encode()), Reply(begun, "hang")
    )
    return await scene.client.recordings.download("it", io.BytesIO())


async def listing(scene: Scene) -> object:
    """Wait for a page."""
    first = json.dumps({"data": [{"id": "a"}], "meta": {"total_results": 2, "total_pages": 2}}).encode()
    scene.scripted_server.respond_with(ScriptedServer.http(200, first), HANG)
    return [room async for room in scene.client.rooms.list(page_size=1)]


async def snapshot(scene: Scene) -> object:
    """Wait for the second pass."""
    first = json.dumps({"data": [{"id": "a"}], "meta": {"total_results": 1}}).encode()
    scene.scripted_server.respond_with(ScriptedServer.http(200, first), HANG)
    return await scene.client.rooms.list().snapshot()


Way = Callable[[Scene], Awaitable[object]]
WAYS: tuple[tuple[Way, int, int], ...] = (
    (in_flight, 1, 0),
    (behind_another, 1, 0),
    (at_the_gate, 1, 1),
    (between_attempts, 1, 1),
    (between_looks, 1, 1),
    (waiting, 1, 1),
    (waiting_in_flight, 1, 0),
    (waiting_for_a_session, 1, 0),
    (downloading, 2, 0),
    (listing, 2, 0),
    (snapshot, 2, 0),
)
every_way = pytest.mark.parametrize(
    ("way", "requests", "sleepers"), WAYS, ids=[way.__name__ for way, _, _ in WAYS]
)


@define
class Ending:
    """How a call ended, and how often its task was still being cancelled then."""

    error: BaseException | None = None
    cancelling: int = -1


async def started(
    scene: Scene, way: Way, requests: int, sleepers: int
) -> tuple["asyncio.Task[object]", Ending]:
    """Bring a call to where it waits."""
    ending = Ending()

    async def call() -> object:
        task = asyncio.current_task()
        assert task is not None
        try:
            return await way(scene)
        except BaseException as error:
            ending.error = error
            raise
        finally:
            ending.cancelling = task.cancelling()

    task = asyncio.create_task(call())
    await scene.until(
        lambda: (len(scene.scripted_server.requests), scene.bed.sleepers) == (requests, sleepers)
    )
    for _ in range(20):  # whoever is to wait for the answer has yet to come to that
        await asyncio.sleep(0)
    assert not task.done()
    return task, ending


@every_way
async def test_closing_ends_it(scene: Scene, way: Way, requests: int, sleepers: int) -> None:
    """Wherever a call waits, closing ends it with an error of ours, and its task is cancelled no more."""
    task, ending = await started(scene, way, requests, sleepers)
    await scene.client.close()
    with pytest.raises(ClientClosedError):
        await asyncio.wait_for(task, 1)
    assert ending.cancelling == 0
    scene.assert_nothing_left()


@every_way
async def test_a_cancellation_is_none_of_ours(scene: Scene, way: Way, requests: int, sleepers: int) -> None:
    """Wherever a call waits, cancelling it is CancelledError, and the client goes on."""
    task, ending = await started(scene, way, requests, sleepers)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ending.cancelling == 1
    await scene.until(lambda: scene.scripted_server.open_connections <= 1)
    scene.client._api.rate_limiter._window._paused_until = 0.0  # the pause that the server asked for is over
    scene.scripted_server.respond_with(OK)
    assert (await asyncio.wait_for(scene.client.rooms.retrieve("a-room"), 1)).id == "a-room"
    scene.assert_nothing_left()


@pytest.mark.parametrize("rounds", range(-1, 12))
@every_way
async def test_a_cancellation_goes_before_a_closing(
    scene: Scene, way: Way, requests: int, sleepers: int, rounds: int
) -> None:
    """Who is cancelled while the client is being closed is cancelled: before it, with it, or just after."""
    task, ending = await started(scene, way, requests, sleepers)
    if rounds < 0:
        task.cancel()
    closing = asyncio.create_task(scene.client.close())
    for _ in range(rounds):
        await asyncio.sleep(0)
    was_cancelled = task.cancel() or rounds < 0
    await asyncio.wait((task, closing))
    assert closing.result() is None
    assert isinstance(ending.error, asyncio.CancelledError if was_cancelled else ClientClosedError)
    assert task.cancelled() is was_cancelled
    scene.assert_nothing_left()


@every_way
async def test_a_timeout_of_ones_own_goes_before_a_closing(
    scene: Scene, way: Way, requests: int, sleepers: int
) -> None:
    """A timeout around a call that ends with a closing is a TimeoutError, and leaves no cancellation."""
    limits: list[asyncio.Timeout] = []

    async def call(scene: Scene) -> object:
        async with asyncio.timeout(None) as limit:
            limits.append(limit)
            return await way(scene)

    task, ending = await started(scene, call, requests, sleepers)
    limits[0].reschedule(asyncio.get_running_loop().time())
    await asyncio.sleep(0)
    closing = asyncio.create_task(scene.client.close())
    with pytest.raises((TimeoutError, ClientClosedError)) as caught:
        await asyncio.wait_for(task, 1)
    assert isinstance(caught.value, TimeoutError if limits[0].expired() else ClientClosedError)
    assert ending.cancelling == 0
    await closing
    scene.assert_nothing_left()


async def test_the_clearing_up_of_a_cancelled_task(scene: Scene) -> None:
    """A call that a task makes while it is cancelled ends with the client; the task stays cancelled."""
    scene.scripted_server.respond_with(HANG)
    counts: list[int] = []

    async def work() -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            await asyncio.Event().wait()
        finally:
            with suppress(TelnyxRoomsError, asyncio.CancelledError):
                await scene.client.rooms.delete("a-room")
            counts.append(task.cancelling())

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    await scene.until(lambda: len(scene.scripted_server.requests) == 1)
    await scene.client.close()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert counts == [1]
    scene.assert_nothing_left()


async def test_closing_ends_all_at_once(scene: Scene) -> None:
    """Fifty calls, most of them at the gate, end together; two closings at once do no harm."""
    scene.scripted_server.respond_with(HANG)
    calls = [asyncio.create_task(scene.client.rooms.retrieve("a-room")) for _ in range(50)]
    await scene.until(lambda: len(scene.scripted_server.requests) == 1)
    await asyncio.gather(scene.client.close(), scene.client.with_options(timeout=9).close())
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {ClientClosedError}
    assert len(scene.scripted_server.requests) == 1
    scene.assert_nothing_left()


async def test_a_call_that_has_not_begun(scene: Scene) -> None:
    """A call whose task has not run yet when the client is closed sends nothing."""
    call = asyncio.create_task(scene.client.rooms.retrieve("a-room"))
    await scene.client.close()
    with pytest.raises(ClientClosedError):
        await call
    assert scene.scripted_server.requests == []


async def test_a_task_goes_on_after_its_call_was_ended(scene: Scene) -> None:
    """It may ask the closed client in vain, call another one, and be cancelled once more."""
    done: list[object] = []

    async def go_on(scene: Scene) -> object:
        with pytest.raises(ClientClosedError):
            await in_flight(scene)
        with pytest.raises(ClientClosedError):
            await scene.client.rooms.retrieve("a-room")
        scene.scripted_server.respond_with(OK)
        async with RoomsClient("KEY", base_url=scene.scripted_server.url) as another:
            done.append((await another.rooms.retrieve("a-room")).id)
        return await asyncio.Event().wait()

    task, ending = await started(scene, go_on, 1, 0)
    await scene.client.close()
    await scene.until(lambda: bool(done))
    assert (done, task.cancelling(), task.done()) == (["a-room"], 0, False)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ending.cancelling == 1


async def test_a_closing_that_is_cancelled(scene: Scene) -> None:
    """Who is cancelled while the calls in flight have their grace has closed the client all the same."""
    task, _ = await started(scene, in_flight, 1, 0)
    closing = asyncio.create_task(scene.client.close(grace=60))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not closing.done()
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    with pytest.raises(ClientClosedError):
        await asyncio.wait_for(task, 1)
    with pytest.raises(ClientClosedError):
        await scene.client.rooms.retrieve("a-room")
    await scene.until(lambda: scene.scripted_server.open_connections == 0)


async def test_who_closes_within_his_own_call(scene: Scene) -> None:
    """A writer that closes the client it is written to by ends the download, and opens no other session."""
    url = scene.scripted_server.url.replace("/v2", "/store/file")
    about = {"id": "it", "status": "completed", "download_url": url}
    begun = ScriptedServer.http(200, b"x" * 1000).data[:-500]
    scene.scripted_server.respond_with(
        ScriptedServer.http(200, json.dumps({"data": about}).encode()), Reply(begun, "hang")
    )
    scene.bed.never.set()

    class Writer:
        async def write(self, data: bytes) -> None:
            await scene.client.close()

    outcome = await asyncio.gather(scene.client.recordings.download("it", Writer()), return_exceptions=True)
    is_open = scene.client._api.transport._owned is not None
    await scene.client._api.transport.close()
    assert [type(each) for each in outcome] == [ClientClosedError]
    assert not is_open
    assert len(scene.scripted_server.requests) == 2


# --- the object itself --------------------------------------------------------------------------------------


async def test_calls_within_calls() -> None:
    """One object stands around calls within calls, and knows when a task has left the last of them."""
    in_flight_calls = InFlightCalls(None, lambda: None)
    task = asyncio.current_task()
    with in_flight_calls:
        with in_flight_calls, in_flight_calls:
            assert in_flight_calls._depths == {task: 3}
        assert in_flight_calls._depths == {task: 1}
        with suppress(ValueError), in_flight_calls:
            raise ValueError
    assert in_flight_calls._depths == {}


async def test_who_closes_is_not_ended() -> None:
    """The task that ends all calls goes on, even from within one of its own."""
    in_flight_calls = InFlightCalls(None, lambda: None)
    task = asyncio.current_task()
    assert task is not None
    with in_flight_calls:
        in_flight_calls.cancel_all()
        await asyncio.sleep(0)
    assert task.cancelling() == 0
    with pytest.raises(ClientClosedError), in_flight_calls:
        pass


async def test_what_was_raised_anyway_is_told() -> None:
    """A call that fails by itself while it is being ended tells its own error."""
    in_flight_calls = InFlightCalls(None, lambda: None)
    inside = asyncio.Event()

    async def call() -> None:
        with in_flight_calls:
            inside.set()
            try:
                await asyncio.Event().wait()
            finally:
                raise ValueError("mine")

    task = asyncio.create_task(call())
    await inside.wait()
    in_flight_calls.cancel_all()
    with pytest.raises(ValueError, match="mine"):
        await task
    assert (task.cancelling(), in_flight_calls._depths, in_flight_calls._cancelled) == (0, {}, set())


async def test_the_frames_of_the_cancellation_are_not_shown() -> None:
    """The error of a closed client leads to no frame of the call that it ended: these hold headers."""
    in_flight_calls = InFlightCalls(None, lambda: None)
    inside = asyncio.Event()

    async def call() -> None:
        with in_flight_calls:
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(call())
    await inside.wait()
    in_flight_calls.cancel_all()
    with pytest.raises(ClientClosedError) as caught:
        await task
    assert caught.value.__cause__ is None
    context = caught.value.__context__
    assert context is None or context.__traceback__ is None


def test_another_loop_starts_afresh() -> None:
    """What went on in a loop that was left in the middle does not hold up the next one."""
    forgotten: list[None] = []
    in_flight_calls = InFlightCalls(None, lambda: forgotten.append(None))

    async def call(event: asyncio.Event) -> None:
        with in_flight_calls:
            await event.wait()

    async def leave() -> "asyncio.Task[None]":
        task = asyncio.create_task(call(asyncio.Event()))
        await asyncio.sleep(0)
        return task

    async def again() -> None:
        with in_flight_calls:
            assert len(in_flight_calls._depths) == 1
        assert in_flight_calls._depths == {}

    first = asyncio.new_event_loop()
    task = first.run_until_complete(leave())
    asyncio.run(again())
    assert forgotten == [None]
    # The first loop goes on after all: its call ends as it likes, and disturbs nobody.
    task.cancel()
    with suppress(asyncio.CancelledError):
        first.run_until_complete(task)
    first.close()
    assert (in_flight_calls._depths, in_flight_calls._cancelled) == ({}, set())
    asyncio.run(again())


def test_another_loop_has_a_quiet_of_its_own() -> None:
    """Who waited for the end of all calls in a loop that is gone does not hinder who does in the next."""
    in_flight_calls = InFlightCalls(None, lambda: None)

    async def wait(seconds: float) -> None:
        async def call() -> None:
            with in_flight_calls:
                await asyncio.Event().wait()

        task = asyncio.create_task(call())
        await asyncio.sleep(0)
        await in_flight_calls.wait_idle(seconds)
        task.cancel()

    async def give_up() -> None:
        waiting = asyncio.create_task(wait(60))
        for _ in range(5):
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait((waiting,))

    asyncio.run(give_up())
    asyncio.run(wait(0.01))


def test_two_loops_at_once() -> None:
    """While a loop runs, no other one may use or end what is its own."""
    in_flight_calls = InFlightCalls(None, lambda: None)

    async def other() -> None:
        with pytest.raises(WrongEventLoopError), in_flight_calls:
            pass
        with pytest.raises(WrongEventLoopError):
            in_flight_calls.cancel_all()

    async def main() -> None:
        with in_flight_calls:
            await asyncio.to_thread(asyncio.run, other())
        assert not in_flight_calls.is_closed

    asyncio.run(main())


def test_without_a_task() -> None:
    """A callback of the loop, which is no task, may go in and out."""
    in_flight_calls = InFlightCalls(None, lambda: None)
    done: list[bool] = []

    def call() -> None:
        with in_flight_calls:
            done.append(not in_flight_calls._depths)

    async def main() -> None:
        asyncio.get_running_loop().call_soon(call)
        await asyncio.sleep(0.001)

    asyncio.run(main())
    assert done == [True]


async def test_draining_refuses_new_calls_and_waits_for_the_running_ones(telnyx: Emulator) -> None:
    """While `close` waits, a service that goes on calling is told so at once."""
    telnyx.script(Fault(delay=0.2), times=1, operation="ListRooms")
    client = RoomsClient(telnyx.api_key, base_url=telnyx.url)
    running = asyncio.create_task(client.rooms.list().count())
    await asyncio.sleep(0.05)
    closing = asyncio.create_task(client.close(grace=5))
    await asyncio.sleep(0)
    with pytest.raises(ClientClosedError):
        await client.rooms.list().count()
    assert await running == 0
    await closing
    assert len(telnyx.requests) == 1


async def test_a_running_call_may_still_send_its_own_requests(telnyx: Emulator) -> None:
    """A create whose response is lost looks its room up, although the client is closing."""
    telnyx.script(Fault(delay=0.1, after=True, cut="headers"), times=1, operation="CreateRoom")
    client = RoomsClient(telnyx.api_key, base_url=telnyx.url)
    running = asyncio.create_task(client.rooms.create(unique_name="Weekly"))
    await asyncio.sleep(0.03)
    await client.close(grace=5)
    assert (await running).unique_name == "Weekly"


async def _all(outcomes: AsyncIterable[object]) -> None:
    async for _ in outcomes:
        pass


async def _keep_token(client: RoomsClient) -> None:
    async with client.tokens.keep("a-room") as token:
        await token.token()


async def _enter_router() -> None:
    async with EventRouter():
        pass


WITHOUT_LOOP: dict[str, Callable[[RoomsClient, Path], Awaitable[object]]] = {
    "a call": lambda client, _: client.rooms.retrieve("a-room"),
    "a list": lambda client, _: _all(client.rooms.list()),
    "pages at once": lambda client, _: _all(client.rooms.list().prefetch(3)),
    "a plan": lambda client, _: client.rooms.plan([{"unique_name": "Weekly"}]),
    "ensure": lambda client, _: client.rooms.ensure("Weekly"),
    "many": lambda client, _: _all(client.rooms.delete_many(["a-room"])),
    "many with a journal": lambda client, folder: _all(
        client.rooms.delete_many(["a-room"], journal=Journal(folder / "journal"))
    ),
    "a batch": lambda client, _: _all(batch.stream(client.rooms.delete, ["a-room"])),
    "a wait": lambda client, _: client.compositions.wait("a-composition"),
    "a download": lambda client, folder: client.recordings.download("a-recording", folder / "file"),
    "a token that is kept": lambda client, _: _keep_token(client),
    "a router": lambda client, _: _enter_router(),
    "closing": lambda client, _: client.close(),
    "closing with grace": lambda client, _: client.close(grace=1),
}


@pytest.mark.parametrize("action", WITHOUT_LOOP.values(), ids=WITHOUT_LOOP)
def test_without_an_event_loop_of_asyncio_everything_is_refused(
    action: Callable[[RoomsClient, Path], Awaitable[object]], tmp_path: Path
) -> None:
    """Under trio, or without any loop, the error is one of this library and says what is missing."""
    client = RoomsClient("KEY")

    async def run() -> None:
        await action(client, tmp_path)

    with pytest.raises(WrongEventLoopError, match="no asyncio event loop is running"):
        run().send(None)
    assert list(tmp_path.iterdir()) == []
