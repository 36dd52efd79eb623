"""What the bulk methods return: jobs that are iterated or awaited."""

import gc
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import pytest

from telnyx_rooms_async import InvalidArgumentError, NotFoundError, RoomsClient
from telnyx_rooms_async.batch import BatchResult, Journal
from telnyx_rooms_async.emulator import Emulator


async def names(count: int) -> AsyncIterator[Any]:
    for number in range(count):
        yield {"unique_name": f"Room {number}"}


@pytest.mark.parametrize(
    "source",
    [list, iter, lambda items: (item for item in items), lambda items: names(len(items))],
    ids=["list", "iterator", "generator", "async generator"],
)
async def test_awaited_job_returns_all_outcomes(
    client: RoomsClient, telnyx: Emulator, source: Callable[[list[Any]], Iterable[Any]]
) -> None:
    result = await client.rooms.create_many(source([{"unique_name": f"Room {n}"} for n in range(5)]))
    assert isinstance(result, BatchResult)
    assert {outcome.value for outcome in result.done} == set(telnyx.rooms)
    assert (result.failed, result.skipped) == ((), 0)
    result.raise_for_failures()


async def test_failures_can_be_raised(client: RoomsClient, telnyx: Emulator) -> None:
    telnyx.seed(1)
    ids = [telnyx.rooms[0].id, "a", "b"]
    result = await client.rooms.delete_many(ids)
    assert ([outcome.item for outcome in result.done], len(result.failed)) == (ids[:1], 2)
    with pytest.raises(ExceptionGroup, match="2 of 3 items failed") as caught:
        result.raise_for_failures()
    assert caught.group_contains(NotFoundError)


async def test_skipped_items_are_counted(client: RoomsClient, tmp_path: Any) -> None:
    bodies: list[Any] = [{"unique_name": "a"}, {"unique_name": "b"}]
    for skipped in (0, 2):
        result = await client.rooms.create_many(bodies, journal=Journal(tmp_path / "journal"))
        assert (len(result.done), result.skipped) == (2 - skipped, skipped)


@pytest.mark.parametrize("is_async", [True, False])
async def test_progress_is_reported_after_each_item(
    client: RoomsClient, telnyx: Emulator, *, is_async: bool
) -> None:
    telnyx.seed(2)
    reported: list[tuple[int, int]] = []

    async def report(done: int, failed: int) -> None:
        reported.append((done, failed))

    def report_at_once(done: int, failed: int) -> None:
        reported.append((done, failed))

    ids = [telnyx.rooms[0].id, "a", telnyx.rooms[1].id]
    progress = report if is_async else report_at_once
    await client.rooms.delete_many(ids, concurrency=1, ordered=True, progress=progress)
    assert reported == [(1, 0), (1, 1), (2, 1)]
    with pytest.raises(InvalidArgumentError, match="progress must be"):
        await client.rooms.delete_many(ids, progress=3)  # type: ignore[arg-type]  # that is the point


async def test_job_that_is_dropped_without_a_start_warns(client: RoomsClient, telnyx: Emulator) -> None:
    job: object = client.rooms.delete_many(["a"])
    with pytest.warns(RuntimeWarning, match="delete_many was never started"):
        del job
    assert telnyx.requests == []


async def test_job_that_was_left_early_or_closed_does_not_warn(client: RoomsClient, telnyx: Emulator) -> None:
    telnyx.seed(3)
    async for _ in client.rooms.delete_many(telnyx.rooms, concurrency=1):
        break
    await client.rooms.delete_many(["a"]).aclose()
    gc.collect()
    assert len(telnyx.rooms) == 2
