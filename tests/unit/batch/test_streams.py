"""`batch.stream`: outcomes, bounds, errors, and that no task is left behind."""

import asyncio
import gc
import pickle
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, suppress
from typing import Any

import pytest

from telnyx_rooms_async import batch


@pytest.fixture(autouse=True)
async def loop_errors() -> AsyncIterator[list[object]]:
    """Collect exceptions that only the event loop saw, and fail a test that leaves one, or a task."""
    errors: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: errors.append(context.get("exception", context)))
    before = asyncio.all_tasks()
    gc.freeze()  # so that only the garbage of the test is collected, which is fast
    yield errors
    gc.collect()
    gc.unfreeze()
    assert asyncio.all_tasks() - before - {asyncio.current_task()} == set()
    assert errors == []


class BlockingCalls:
    """Async function whose calls wait until they are released."""

    def __init__(self) -> None:
        self.started: list[int] = []
        self.cancelled: list[int] = []
        self._waiting: dict[int, asyncio.Future[None]] = {}

    async def __call__(self, item: int) -> int:
        self.started.append(item)
        self._waiting[item] = asyncio.get_running_loop().create_future()
        try:
            await self._waiting[item]
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            self.cancelled.append(item)
            raise
        return item

    async def release(self, *items: int) -> None:
        for item in items:
            self._waiting[item].set_result(None)
        await run_other_tasks()


async def run_other_tasks() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def double(item: int) -> int:
    await asyncio.sleep(0)
    return item * 2


async def fail(item: int) -> int:
    await asyncio.sleep(0)
    raise KeyError(item)


async def collect(outcomes: AsyncIterator[batch.Outcome[int, int]], items: list[int]) -> None:
    async for outcome in outcomes:
        items.append(outcome.item)  # noqa: PERF401 - a comprehension would lose them with the error


async def numbers(count: int) -> AsyncIterator[int]:
    for number in range(count):
        await asyncio.sleep(0)
        yield number


# --- outcomes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("limit", [1, 3, 1000])
@pytest.mark.parametrize("is_async", [True, False])
async def test_every_item_has_one_outcome(*, ordered: bool, limit: int, is_async: bool) -> None:
    items = numbers(100) if is_async else range(100)
    outcomes = [outcome async for outcome in batch.stream(double, items, concurrency=limit, ordered=ordered)]
    if not ordered:
        outcomes.sort(key=lambda outcome: outcome.index)
    assert [(outcome.index, outcome.item, outcome.unwrap()) for outcome in outcomes] == [
        (number, number, number * 2) for number in range(100)
    ]
    assert all(outcome.elapsed >= 0 for outcome in outcomes)
    assert [outcome async for outcome in batch.stream(double, items if is_async else [])] == []


async def test_items_that_are_both_iterables_are_read_asynchronously() -> None:
    class Both:
        def __iter__(self) -> Iterator[int]:
            raise AssertionError

        def __aiter__(self) -> AsyncIterator[int]:
            return numbers(3)

    assert [outcome.item async for outcome in batch.stream(double, Both(), ordered=True)] == [0, 1, 2]


async def test_invalid_argument_is_refused_at_the_call() -> None:
    invalid: list[dict[str, Any]] = [
        {"concurrency": 0},
        {"concurrency": True},
        {"concurrency": 1.5},
        {"max_failures": 0},
    ]
    for options in invalid:
        with pytest.raises(ValueError, match="must be a whole number"):
            batch.stream(double, [1], **options)
    no_items: Any = 7
    with pytest.raises(TypeError):
        batch.stream(double, no_items)


@pytest.mark.parametrize("case", ["raises later", "raises at once", "is not awaitable"])
async def test_error_of_a_call_is_an_outcome(case: str) -> None:
    def call(item: int) -> Any:
        if case == "raises at once":
            raise KeyError(item)
        return fail(item) if case == "raises later" else item

    outcomes = [outcome async for outcome in batch.stream(call, range(3), ordered=True)]
    assert [outcome.ok for outcome in outcomes] == [False] * 3
    with pytest.raises(TypeError if case == "is not awaitable" else KeyError):
        outcomes[0].unwrap()


async def test_fn_may_return_any_awaitable() -> None:
    def start(item: int) -> asyncio.Future[int]:
        future = asyncio.get_running_loop().create_future()
        future.set_result(item)
        return future

    assert [outcome.unwrap() async for outcome in batch.stream(start, [7])] == [7]


async def test_call_that_cancels_itself_has_failed() -> None:
    async def cancel(item: int) -> int:
        if item == 0:
            raise asyncio.CancelledError
        if item == 1 and (task := asyncio.current_task()):
            task.cancel()
            await asyncio.sleep(0)
        return item

    outcomes = [outcome async for outcome in batch.stream(cancel, range(3), ordered=True)]
    assert [outcome.ok for outcome in outcomes] == [False, False, True]
    with pytest.raises(batch.CancelledWithinError):
        outcomes[0].unwrap()


async def test_outcomes_can_be_pickled() -> None:
    async for outcome in batch.stream(double, [3]):
        assert pickle.loads(pickle.dumps(outcome)) == outcome
    async for outcome in batch.stream(fail, [3]):
        copy = pickle.loads(pickle.dumps(outcome))
        assert (copy.index, copy.item, repr(copy.error), copy.ok) == (0, 3, "KeyError(3)", False)


@pytest.mark.parametrize("max_failures", [None, 10])
async def test_errors_are_freed_without_the_garbage_collector(max_failures: int | None) -> None:
    class RecordedError(Exception):
        pass

    async def fail_once(_: int) -> None:
        raise RecordedError

    gc.collect()
    gc.disable()
    try:
        with suppress(ExceptionGroup):
            async for _ in batch.stream(fail_once, range(100), max_failures=max_failures):
                pass
        kept = sum(type(value) is RecordedError for value in gc.get_objects())
    finally:
        gc.enable()
    assert kept == 1  # of the last outcome, which `_` refers to


# --- bounds -------------------------------------------------------------------------------------------------


async def test_limit_bounds_the_calls_in_flight() -> None:
    calls = BlockingCalls()
    async with aclosing(batch.stream(calls, range(100), concurrency=3)) as outcomes:
        first = asyncio.ensure_future(anext(outcomes))
        await run_other_tasks()
        assert calls.started == [0, 1, 2]
        await calls.release(1)
        assert calls.started == [0, 1, 2, 3]
        assert (await first).item == 1


class Countdown:
    """Async iterator that is no generator, and an iterable too, which must not be used: it could block."""

    def __init__(self, start: int) -> None:
        self._left = start

    def __iter__(self) -> Iterator[int]:
        raise AssertionError("the async iterator was not used")

    def __aiter__(self) -> "Countdown":
        return self

    async def __anext__(self) -> int:
        if not self._left:
            raise StopAsyncIteration
        self._left -= 1
        return self._left


async def test_async_iterator_that_is_no_generator_is_read() -> None:
    outcomes = [outcome async for outcome in batch.stream(double, Countdown(3), ordered=True)]
    assert [outcome.unwrap() for outcome in outcomes] == [4, 2, 0]


async def test_slow_consumer_slows_the_source() -> None:
    source = iter(range(100))
    async with aclosing(batch.stream(double, source, concurrency=4)) as outcomes:
        await anext(outcomes)
        await run_other_tasks()
        assert next(source) == 1 + 2 * 4


async def test_slow_first_call_bounds_what_waits_for_its_turn() -> None:
    calls = BlockingCalls()
    async with aclosing(batch.stream(calls, range(100), concurrency=2, ordered=True)) as outcomes:
        first = asyncio.ensure_future(anext(outcomes))
        await run_other_tasks()
        for number in (1, 2, 3):
            await calls.release(number)
        assert calls.started == [0, 1, 2, 3]
        assert not first.done()
        await calls.release(0)
        assert [(await first).item] + [(await anext(outcomes)).item for _ in range(3)] == [0, 1, 2, 3]


async def test_slow_source_does_not_delay_outcomes() -> None:
    is_next_wanted = asyncio.Event()

    async def source() -> AsyncIterator[int]:
        yield 1
        await is_next_wanted.wait()
        yield 2

    async with aclosing(batch.stream(double, source())) as outcomes:
        assert (await anext(outcomes)).item == 1
        is_next_wanted.set()
        assert (await anext(outcomes)).item == 2


# --- errors that end a batch --------------------------------------------------------------------------------


@pytest.mark.parametrize("ordered", [True, False])
async def test_max_failures_stops_new_calls_and_yields_those_in_flight(*, ordered: bool) -> None:
    started: list[int] = []

    async def fail_if_odd(item: int) -> int:
        started.append(item)
        await asyncio.sleep(0.001 * item)
        if item % 2:
            raise KeyError(item)
        return item

    items: list[int] = []
    outcomes = batch.stream(fail_if_odd, range(100), concurrency=3, max_failures=2, ordered=ordered)
    with pytest.raises(ExceptionGroup, match="stopped after 2 failures") as error:
        await collect(outcomes, items)
    assert sorted(items) == started
    assert len(started) < 10
    assert [type(failure) for failure in error.value.exceptions] == [KeyError] * sum(n % 2 for n in started)


@pytest.mark.parametrize("is_cancellation_suppressed", [True, False])
async def test_max_failures_does_not_wait_for_the_source(*, is_cancellation_suppressed: bool) -> None:
    closed: list[bool] = []

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if not is_cancellation_suppressed:
                raise
            yield 2
        finally:
            closed.append(True)

    items: list[int] = []
    with pytest.raises(ExceptionGroup, match=r"stopped after 1 failure$"):
        await collect(batch.stream(fail, source(), max_failures=1), items)
    assert (items, closed) == ([1], [True])


@pytest.mark.parametrize("is_async", [True, False])
async def test_error_of_the_source_is_raised_after_the_outcomes(*, is_async: bool) -> None:
    def source() -> Iterator[int]:
        yield from range(3)
        raise LookupError("line 4")

    async def async_source() -> AsyncIterator[int]:
        for number in source():
            yield number

    items: list[int] = []
    with pytest.raises(LookupError, match="line 4"):
        await collect(batch.stream(double, async_source() if is_async else source()), items)
    assert sorted(items) == [0, 1, 2]


async def test_source_that_cancels_itself_is_an_error() -> None:
    async def source() -> AsyncIterator[int]:
        yield 1
        raise asyncio.CancelledError

    with pytest.raises(batch.CancelledWithinError, match="source"):
        async for _ in batch.stream(double, source()):
            pass


@pytest.mark.parametrize("is_started", [True, False])
async def test_cancellation_of_the_tasks_of_a_batch_is_an_error(*, is_started: bool) -> None:
    before = asyncio.all_tasks()

    async def cancel_tasks() -> None:
        if is_started:
            await run_other_tasks()
        for task in asyncio.all_tasks() - before:
            if task is not asyncio.current_task():
                task.cancel()

    cancelling = asyncio.create_task(cancel_tasks())
    with pytest.raises(batch.CancelledWithinError):
        [outcome.unwrap() async for outcome in batch.stream(BlockingCalls(), range(3))]
    await cancelling


@pytest.mark.parametrize("ordered", [True, False])
async def test_call_that_is_cancelled_before_it_starts_has_failed(*, ordered: bool) -> None:
    async def source() -> AsyncIterator[int]:
        before = asyncio.all_tasks()
        yield 0
        for call in asyncio.all_tasks() - before:
            call.cancel()
        for number in range(1, 9):
            yield number

    outcomes = [outcome async for outcome in batch.stream(double, source(), concurrency=2, ordered=ordered)]
    outcomes.sort(key=lambda outcome: outcome.index)
    assert [outcome.ok for outcome in outcomes] == [False] + [True] * 8
    with pytest.raises(batch.CancelledWithinError, match="before it started"):
        outcomes[0].unwrap()


async def test_exception_outside_exception_ends_the_batch() -> None:
    class Exit(BaseException):
        pass

    async def leave(item: int) -> int:
        if item == 1:
            raise Exit
        await asyncio.sleep(60)
        return item

    with pytest.raises(Exit):
        async for _ in batch.stream(leave, range(3)):
            pass


# --- closing ------------------------------------------------------------------------------------------------


async def test_cancellation_waits_for_the_calls_also_when_it_is_repeated() -> None:
    clean_up, ended = asyncio.Event(), list[int]()

    async def end_slowly(item: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await clean_up.wait()
            ended.append(item)

    async def job() -> None:
        async for _ in batch.stream(end_slowly, range(100), concurrency=2):
            pass

    task = asyncio.create_task(job())
    for _ in range(2):
        await run_other_tasks()
        task.cancel()
    await run_other_tasks()
    assert not task.done()
    clean_up.set()
    await asyncio.wait([task])
    assert task.cancelled()
    assert sorted(ended) == [0, 1]


@pytest.mark.parametrize("end", ["aclose", "break", "exception"])
async def test_leaving_the_loop_cancels_the_calls_and_closes_the_source(end: str) -> None:
    calls, closed = BlockingCalls(), list[bool]()

    def source() -> Iterator[int]:
        try:
            yield from range(100)
        finally:
            closed.append(True)

    async def release_first() -> None:
        await run_other_tasks()
        await calls.release(0)

    releasing = asyncio.create_task(release_first())
    if end == "aclose":
        async with aclosing(batch.stream(calls, source(), concurrency=3)) as outcomes:
            await anext(outcomes)
        assert closed == [True]
    elif end == "break":
        async for _ in batch.stream(calls, source(), concurrency=3):
            break
    else:
        with suppress(KeyError):
            async for _ in batch.stream(calls, source(), concurrency=3):
                raise KeyError
    await releasing
    await run_other_tasks()  # the event loop closes the generator
    assert {0, *calls.cancelled} == {*calls.started}
    assert closed == [True]


async def test_source_is_read_and_closed_in_one_task(loop_errors: list[object]) -> None:
    tasks: list[object] = []

    async def source() -> AsyncIterator[int]:
        tasks.append(asyncio.current_task())
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            tasks.append(asyncio.current_task())
            raise LookupError

    async with aclosing(batch.stream(double, source())) as outcomes:
        await anext(outcomes)
        await run_other_tasks()
    assert len(tasks) == 2
    assert len(set(tasks)) == 1
    assert [type(error) for error in loop_errors] == [LookupError]  # reported, as nobody waits for it
    loop_errors.clear()


async def test_batch_that_is_not_iterated_starts_nothing() -> None:
    calls = BlockingCalls()
    await batch.stream(calls, range(3)).aclose()
    await run_other_tasks()
    assert calls.started == []


async def test_call_that_closes_its_own_batch_does_not_deadlock() -> None:
    streams: list[Any] = []

    async def close(item: int) -> int:
        if item:
            await run_other_tasks()
            await streams[0].aclose()
        return item

    outcomes = batch.stream(close, range(100), concurrency=2)
    streams.append(outcomes)
    assert (await anext(outcomes)).item == 0
    await run_other_tasks()
    await run_other_tasks()
    assert [outcome async for outcome in outcomes] == []


@pytest.mark.parametrize(
    ("place", "loop"), [("call", "asyncio"), ("source", "asyncio"), ("loop", "asyncio"), ("call", "uvloop")]
)
def test_ctrl_c_ends_all_calls(place: str, loop: str) -> None:
    program = _INTERRUPTED.format(place=place, run=f"{loop}.run", sigint=signal.SIGINT.value)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], check=False, capture_output=True, timeout=120
    )
    assert done.stderr.decode().strip().endswith("KeyboardInterrupt"), done.stderr.decode()
    assert b"never retrieved" not in done.stderr
    assert b"destroyed" not in done.stderr
    assert sorted(done.stdout.split()) == [b"ended", b"ended", b"ended"]


_INTERRUPTED = """
import asyncio, signal, uvloop
from telnyx_rooms_async import batch

# A test run in the background may hand down a SIGINT that is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)

def interrupt(place):
    if place == {place!r}:
        signal.raise_signal({sigint})

started = []

async def all_started():
    while len(started) < 3:
        await asyncio.sleep(0)

async def call(item):
    started.append(item)
    try:
        if item == 1:
            await all_started()
            interrupt("call")
            raise KeyboardInterrupt if {place!r} == "call" else KeyError
        await asyncio.sleep(60)
    finally:
        print("ended")

async def source():
    for number in range(3):
        yield number
    await all_started()
    interrupt("source")
    if {place!r} == "source":
        raise KeyboardInterrupt

async def main():
    async for _ in batch.stream(call, source()):
        interrupt("loop")
        await asyncio.sleep(60)

{run}(main())
"""
