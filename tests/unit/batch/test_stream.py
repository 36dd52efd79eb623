"""Many calls, a few at a time: whatever the calls, the source and the loop do, nothing is left behind."""

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
import uvloop

from telnyx_rooms_async import batch


@pytest.fixture(autouse=True)
async def _nothing_left() -> AsyncIterator[None]:
    """Look after each test for tasks that outlived it, and for what only the collector found."""
    troubles: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: troubles.append(told))
    before = asyncio.all_tasks()
    yield
    gc.collect()
    assert asyncio.all_tasks() - before - {asyncio.current_task()} == set()
    assert troubles == []


class Hall:
    """Calls that wait until they are let go, and a count of how many wait at once."""

    def __init__(self) -> None:
        self.inside: dict[int, asyncio.Future[None]] = {}
        self.came: list[int] = []
        self.cancelled: list[int] = []

    async def __call__(self, item: int) -> int:
        """Wait."""
        self.came.append(item)
        self.inside[item] = asyncio.get_running_loop().create_future()
        try:
            await self.inside[item]
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            self.cancelled.append(item)
            raise
        finally:
            del self.inside[item]
        return item * 10

    async def let_go(self, *items: int) -> None:
        """Let some end, and give the batch time to notice."""
        for item in items:
            self.inside[item].set_result(None)
        await moments()


async def moments() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def double(item: int) -> int:
    """Go well."""
    await asyncio.sleep(0)
    return item * 2


async def refuse(item: int) -> int:
    """Go wrong."""
    await asyncio.sleep(0)
    raise KeyError(item)


async def collect(outcomes: AsyncIterator[batch.Outcome[int, int]], items: list[int]) -> None:
    """Note the items of a batch that ends in an error."""
    async for each in outcomes:
        items.append(each.item)  # noqa: PERF401 - a comprehension would lose them with the error


async def later(numbers: range) -> AsyncIterator[int]:
    """Yield as a slow source does."""
    for number in numbers:
        await asyncio.sleep(0)
        yield number


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("limit", [1, 3, 1000])
@pytest.mark.parametrize("is_async", [True, False])
async def test_every_item_has_one_outcome(*, ordered: bool, limit: int, is_async: bool) -> None:
    """Each item is called with once, and its outcome says which it was."""
    items = later(range(100)) if is_async else range(100)
    outcomes = [each async for each in batch.stream(double, items, limit=limit, ordered=ordered)]
    assert sorted((each.index, each.item, each.unwrap()) for each in outcomes) == [
        (number, number, number * 2) for number in range(100)
    ]
    assert all(each.elapsed >= 0 for each in outcomes)


@pytest.mark.parametrize("items", [[], later(range(0))])
async def test_no_items_have_no_outcomes(items: Any) -> None:
    """A batch of nothing ends at once."""
    assert [each async for each in batch.stream(double, items)] == []


async def test_what_is_both_kinds_of_iterable_is_iterated_as_the_loop_likes() -> None:
    """The asynchronous side of a source that has both is used: the other would block."""

    class Both:
        def __iter__(self) -> Iterator[int]:
            raise AssertionError

        def __aiter__(self) -> AsyncIterator[int]:
            return later(range(3))

    assert [each.item async for each in batch.stream(double, Both(), ordered=True)] == [0, 1, 2]


@pytest.mark.parametrize("options", [{"limit": 0}, {"limit": True}, {"limit": 1.5}, {"max_failures": 0}])
async def test_a_number_out_of_bounds_is_refused_at_the_call(options: Any) -> None:
    """Nobody has to iterate to learn of a mistake."""
    with pytest.raises(ValueError, match="must be a whole number"):
        batch.stream(double, [1], **options)


async def test_what_is_no_iterable_is_refused_at_the_call() -> None:
    """Likewise."""
    items: Any = 7
    with pytest.raises(TypeError):
        batch.stream(double, items)


async def test_the_limit_holds() -> None:
    """No more calls are in flight than allowed, and a place that is free is taken."""
    hall = Hall()
    async with aclosing(batch.stream(hall, range(100), limit=3)) as outcomes:
        first = asyncio.ensure_future(anext(outcomes))
        await moments()
        assert hall.came == [0, 1, 2]
        await hall.let_go(1)
        assert hall.came == [0, 1, 2, 3]
        assert (await first).item == 1


async def test_a_slow_loop_slows_the_source() -> None:
    """While the loop does not come back, at most twice the limit are begun."""
    pulled: list[int] = []

    def source() -> Iterator[int]:
        for number in range(100):
            pulled.append(number)
            yield number

    async with aclosing(batch.stream(double, source(), limit=4)) as outcomes:
        await anext(outcomes)
        await moments()
        assert len(pulled) == 1 + 8


async def test_a_slow_head_holds_back_what_comes_after_it_but_not_without_bounds() -> None:
    """In order, what has finished behind a slow item waits, and no more than twice the limit is known."""
    hall = Hall()
    async with aclosing(batch.stream(hall, range(100), limit=2, ordered=True)) as outcomes:
        first = asyncio.ensure_future(anext(outcomes))
        await moments()
        for number in (1, 2, 3):
            await hall.let_go(number)
        assert hall.came == [0, 1, 2, 3]
        assert not first.done()
        await hall.let_go(0)
        assert [(await first).item] + [(await anext(outcomes)).item for _ in range(3)] == [0, 1, 2, 3]


async def test_a_slow_source_does_not_hold_back_outcomes() -> None:
    """What has finished is yielded while the source takes its time."""
    go_on = asyncio.Event()

    async def source() -> AsyncIterator[int]:
        yield 1
        await go_on.wait()
        yield 2

    async with aclosing(batch.stream(double, source())) as outcomes:
        assert (await anext(outcomes)).item == 1
        go_on.set()
        assert (await anext(outcomes)).item == 2


@pytest.mark.parametrize("kind", ["raises late", "raises at once", "is no coroutine"])
async def test_an_error_is_an_outcome(kind: str) -> None:
    """However a call goes wrong, the others go on."""

    def at_once(item: int) -> Any:
        if kind == "raises at once":
            raise KeyError(item)
        return item if kind == "is no coroutine" else refuse(item)

    outcomes = [each async for each in batch.stream(at_once, range(3), ordered=True)]
    assert [each.ok for each in outcomes] == [False] * 3
    with pytest.raises(TypeError if kind == "is no coroutine" else KeyError):
        outcomes[0].unwrap()


async def test_a_plain_function_may_return_an_awaitable() -> None:
    """It need not be a coroutine function."""

    def promise(item: int) -> asyncio.Future[int]:
        future = asyncio.get_running_loop().create_future()
        future.set_result(item)
        return future

    assert [each.unwrap() async for each in batch.stream(promise, [7])] == [7]


@pytest.mark.parametrize("ordered", [True, False])
async def test_it_stops_after_so_many_failures(*, ordered: bool) -> None:
    """Nothing new begins; what is in flight ends and is yielded; then all errors are raised."""
    came: list[int] = []

    async def odd_ones_fail(item: int) -> int:
        came.append(item)
        await asyncio.sleep(0.001 * item)
        if item % 2:
            raise KeyError(item)
        return item

    outcomes: list[int] = []
    with pytest.raises(ExceptionGroup, match="stopped after 2 failures") as stopped:
        await collect(
            batch.stream(odd_ones_fail, range(100), limit=3, max_failures=2, ordered=ordered), outcomes
        )
    assert sorted(outcomes) == came
    assert len(came) < 10
    assert [type(error) for error in stopped.value.exceptions] == [KeyError] * sum(n % 2 for n in came)


async def test_it_does_not_wait_for_a_source_when_it_stops() -> None:
    """A source that may never give another item is closed."""
    closed: list[bool] = []

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    with pytest.raises(ExceptionGroup, match=r"stopped after 1 failure$"):
        async for _ in batch.stream(refuse, source(), max_failures=1):
            pass
    assert closed == [True]


async def test_a_source_that_ignores_the_stop_is_not_read_further() -> None:
    """An item that comes after the stop is not called with."""

    async def source() -> AsyncIterator[int]:
        yield 1
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            yield 2

    outcomes: list[int] = []
    with pytest.raises(ExceptionGroup):
        await collect(batch.stream(refuse, source(), max_failures=1), outcomes)
    assert outcomes == [1]


@pytest.mark.parametrize("is_async", [True, False])
async def test_an_error_of_the_source_comes_last(*, is_async: bool) -> None:
    """What is in flight is yielded before it, and it is raised as it is."""

    def source() -> Iterator[int]:
        yield from range(3)
        raise LookupError("line 4")

    async def source_too() -> AsyncIterator[int]:
        for number in source():
            yield number

    outcomes: list[int] = []
    with pytest.raises(LookupError, match="line 4"):
        await collect(batch.stream(double, source_too() if is_async else source()), outcomes)
    assert sorted(outcomes) == [0, 1, 2]


async def test_a_call_that_is_cancelled_from_within_has_failed() -> None:
    """Only who runs the batch can cancel it."""

    async def give_up(item: int) -> int:
        match item:
            case 0:
                raise asyncio.CancelledError
            case 1:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
                await asyncio.sleep(0)
        return item

    outcomes = [each async for each in batch.stream(give_up, range(3), ordered=True)]
    assert [each.ok for each in outcomes] == [False, False, True]
    with pytest.raises(batch.CancelledWithinError):
        outcomes[0].unwrap()


async def test_a_source_that_is_cancelled_from_within_has_failed() -> None:
    """A loop that just ended would look as if all had been done."""

    async def source() -> AsyncIterator[int]:
        yield 1
        raise asyncio.CancelledError

    with pytest.raises(batch.CancelledWithinError, match="source"):
        async for _ in batch.stream(double, source()):
            pass


async def test_cancelling_cancels_what_is_in_flight_and_waits_for_it() -> None:
    """When the cancelled task is over, so are its calls."""
    hall = Hall()

    async def job() -> None:
        async for _ in batch.stream(hall, range(100), limit=3):
            pass

    task = asyncio.create_task(job())
    await moments()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert sorted(hall.cancelled) == [0, 1, 2]
    assert hall.came == [0, 1, 2]


async def test_a_second_cancellation_leaves_no_call_behind() -> None:
    clean_up, ended = asyncio.Event(), list[int]()

    async def slow_to_end(item: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await clean_up.wait()
            ended.append(item)

    async def job() -> None:
        async for _ in batch.stream(slow_to_end, range(100), limit=2):
            pass

    task = asyncio.create_task(job())
    for _ in range(2):
        await moments()
        task.cancel()
    await moments()
    assert not task.done()
    clean_up.set()
    await asyncio.wait([task])
    assert task.cancelled()
    assert ended == [0, 1]


@pytest.mark.parametrize("how", ["closed", "broken off", "an exception"])
async def test_leaving_the_loop_cancels_what_is_in_flight(how: str) -> None:
    """Closing does it at once; else the event loop does it in a moment."""
    hall = Hall()
    closed: list[bool] = []

    def source() -> Iterator[int]:
        try:
            yield from range(100)
        finally:
            closed.append(True)

    async def let_one_go() -> None:
        await moments()
        await hall.let_go(0)

    helper = asyncio.create_task(let_one_go())
    if how == "closed":
        async with aclosing(batch.stream(hall, source(), limit=3)) as outcomes:
            await anext(outcomes)
        assert closed == [True]
    elif how == "broken off":
        async for _ in batch.stream(hall, source(), limit=3):
            break
    else:
        with suppress(KeyError):
            async for _ in batch.stream(hall, source(), limit=3):
                raise KeyError
    await helper
    await moments()
    assert {0, *hall.cancelled} == {*hall.came}
    assert closed == [True]


async def test_closing_ends_a_source_that_is_being_pulled() -> None:
    """A source learns in its own task that nobody wants more."""
    tasks: list[object] = []

    async def source() -> AsyncIterator[int]:
        tasks.append(asyncio.current_task())
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            tasks.append(asyncio.current_task())

    async with aclosing(batch.stream(double, source())) as outcomes:
        await anext(outcomes)
        await moments()
    assert len(tasks) == 2
    assert len(set(tasks)) == 1


async def test_other_sources_than_generators_are_not_closed() -> None:
    """An open file is its owner's."""

    class Lines:
        closed = False

        def __iter__(self) -> Iterator[int]:
            return self

        def __next__(self) -> int:
            return 1

        def close(self) -> None:
            self.closed = True

    lines = Lines()
    async with aclosing(batch.stream(double, lines)) as outcomes:
        await anext(outcomes)
    assert not lines.closed


async def test_a_source_that_fails_when_it_is_closed_is_told_of() -> None:
    """It changes nothing for who closes, and is not hidden either."""
    told: list[Any] = []
    loop = asyncio.get_running_loop()
    handler = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: told.append(context["exception"]))

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            raise LookupError

    async with aclosing(batch.stream(double, source())) as outcomes:
        await anext(outcomes)
    await moments()
    loop.set_exception_handler(handler)
    assert [type(error) for error in told] == [LookupError]


async def test_a_batch_that_is_never_iterated_does_nothing() -> None:
    """Nothing begins before the first step."""
    hall = Hall()
    batch.stream(hall, range(3))
    await batch.stream(hall, range(3)).aclose()
    await moments()
    assert hall.came == []


async def test_a_call_may_close_the_batch() -> None:
    """It cannot wait for itself, and so does not hang."""
    streams: list[Any] = []

    async def close(item: int) -> int:
        if item:
            await moments()
            await streams[0].aclose()
        return item

    outcomes = batch.stream(close, range(100), limit=2)
    streams.append(outcomes)
    assert (await anext(outcomes)).item == 0
    await moments()
    await moments()
    assert [each async for each in outcomes] == []


async def test_an_error_that_is_no_exception_ends_everything() -> None:
    """What is not meant for the program's own handlers is not made an outcome."""

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


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("where", ["call", "source", "loop"])
def test_ctrl_c_ends_a_batch(where: str, loop: str) -> None:
    """Wherever the interrupt strikes, all calls end, and the program with it."""
    program = _INTERRUPTED.format(where=where, run=f"{loop}.run", sigint=signal.SIGINT.value)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], check=False, capture_output=True, timeout=30
    )
    assert done.stderr.decode().strip().endswith("KeyboardInterrupt"), done.stderr.decode()
    assert b"never retrieved" not in done.stderr
    assert b"destroyed" not in done.stderr
    assert sorted(done.stdout.split()) == [b"ended", b"ended", b"ended"]


_INTERRUPTED = """
import asyncio, signal, uvloop
from telnyx_rooms_async import batch

def strike(where):
    if where == {where!r}:
        signal.raise_signal({sigint})

async def call(item):
    try:
        if item == 1:
            await asyncio.sleep(0.01)
            strike("call")
            raise KeyboardInterrupt if {where!r} == "call" else KeyError
        await asyncio.sleep(10)
    finally:
        print("ended")

async def source():
    for number in range(3):
        yield number
    await asyncio.sleep(0.01)
    strike("source")
    if {where!r} == "source":
        raise KeyboardInterrupt

async def main():
    async for _ in batch.stream(call, source()):
        strike("loop")
        await asyncio.sleep(10)

{run}(main())
"""


def test_it_runs_on_uvloop() -> None:
    """Nothing depends on whose loop it is."""

    async def main() -> list[int]:
        return [each.unwrap() async for each in batch.stream(double, range(50), limit=7, ordered=True)]

    assert uvloop.run(main()) == [2 * number for number in range(50)]


async def test_outcomes_pickle() -> None:
    """A process can hand them to another."""
    async for each in batch.stream(double, [3]):
        assert pickle.loads(pickle.dumps(each)) == each
    async for each in batch.stream(refuse, [3]):
        copy = pickle.loads(pickle.dumps(each))
        assert (copy.index, copy.item, repr(copy.error), copy.ok) == (0, 3, "KeyError(3)", False)


async def test_errors_are_not_kept_by_cycles() -> None:
    """A million failures are given back as they go, without the collector."""
    gc.collect()
    gc.disable()
    try:
        async for _ in batch.stream(refuse, range(100)):
            pass
        kept = [each for each in gc.get_objects() if isinstance(each, KeyError | batch.Failed)]
    finally:
        gc.enable()
    # Others may look for something in vain meanwhile: threads of Dask do, once there were any.
    ours = [each for each in kept if isinstance(each, batch.Failed) or set(map(type, each.args)) == {int}]
    assert len(ours) == 2  # the last one, which the loop's own name keeps
