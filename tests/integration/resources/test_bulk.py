"""Bulk calls, and the jobs that they return, against the emulator."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import date
from math import inf
from typing import Any

import pytest

from telnyx_rooms_async import (
    InvalidArgumentError,
    NotFoundError,
    PaginationError,
    Room,
    RoomFields,
    RoomsClient,
    UnexpectedCountError,
    batch,
)
from telnyx_rooms_async.batch import BatchResult
from telnyx_rooms_async.emulator import Emulator, Fault


def named(count: int) -> list[RoomFields]:
    return [{"unique_name": f"Room {number}", "max_participants": 2 + number % 40} for number in range(count)]


def methods(telnyx: Emulator) -> list[str]:
    return [request.method for request in telnyx.requests]


async def test_create_many_creates_a_room_per_body(client: RoomsClient, telnyx: Emulator) -> None:
    bodies = named(100)
    outcomes = [outcome async for outcome in client.rooms.create_many(bodies, ordered=True)]
    assert [outcome.item for outcome in outcomes] == bodies
    rooms: dict[object, Room] = {room.unique_name: room for room in telnyx.rooms}
    assert [outcome.unwrap() for outcome in outcomes] == [rooms[body["unique_name"]] for body in bodies]
    assert methods(telnyx) == ["POST"] * 100


async def test_invalid_body_is_a_failed_outcome(client: RoomsClient, telnyx: Emulator) -> None:
    bodies: list[Any] = [{}, {"max_participants": 51}, {"capacity": 3, "colour": "red"}, 7, {5: 6}, {}]
    outcomes = [outcome async for outcome in client.rooms.create_many(bodies, ordered=True)]
    assert [outcome.ok for outcome in outcomes] == [True, False, False, False, False, True]
    errors = [outcome.error for outcome in outcomes if isinstance(outcome, batch.Failed)]
    assert all(isinstance(error, InvalidArgumentError) for error in errors)
    assert [str(error).split(";")[0] for error in errors] == [
        "max_participants must be an int from 2 to 50, not 51",
        "a room has no field 'capacity'",
        "a room must be given by its fields, not 7",
        "a room has no field 5",
    ]
    assert methods(telnyx) == ["POST", "POST"]


@pytest.mark.parametrize(
    "options", [{"concurrency": 0}, {"max_failures": 0}, {"on_lost_response": "guess"}], ids=str
)
async def test_invalid_option_is_refused_at_the_call(client: RoomsClient, options: Any) -> None:
    with pytest.raises(InvalidArgumentError):
        _ = client.rooms.create_many([], **options)


async def test_update_many_applies_pairs_of_id_and_fields(client: RoomsClient, telnyx: Emulator) -> None:
    telnyx.seed(3)
    ids = [room.id for room in telnyx.rooms]
    changes: list[Any] = [(ids[0], {"max_participants": 7}), (ids[1], {"enable_recording": True}), ids[2]]
    outcomes = [outcome async for outcome in client.rooms.update_many(changes, ordered=True)]
    assert [outcome.ok for outcome in outcomes] == [True, True, False]
    assert telnyx.rooms[0].max_participants == 7
    assert telnyx.rooms[1].enable_recording is True
    with pytest.raises(InvalidArgumentError, match="a change must be"):
        outcomes[2].unwrap()


async def test_end_many_ends_sessions_once(client: RoomsClient, telnyx: Emulator) -> None:
    telnyx.seed(3)
    ids = [str(telnyx.join(room.id).session_id) for room in telnyx.rooms]
    assert [outcome.ok async for outcome in client.sessions.end_many(ids)] == [True] * 3
    assert [room.active_session_id for room in telnyx.rooms] == [None] * 3
    assert [outcome.ok async for outcome in client.sessions.end_many(ids)] == [False] * 3


async def test_delete_all_deletes_rooms_of_all_pages(client: RoomsClient, telnyx: Emulator) -> None:
    telnyx.seed(600)
    outcomes = [outcome async for outcome in client.rooms.delete_all(everything=True, expect=600)]
    assert [outcome.ok for outcome in outcomes] == [True] * 600
    assert len({outcome.item.id for outcome in outcomes}) == 600
    assert telnyx.rooms == ()


async def test_delete_all_deletes_only_rooms_that_match(client: RoomsClient, telnyx: Emulator) -> None:
    telnyx.seed(3)
    room = await client.rooms.create(unique_name="Weekly")
    outcomes = [outcome async for outcome in client.rooms.delete_all(unique_name="Weekly", expect=1)]
    assert [outcome.item for outcome in outcomes] == [room]
    assert len(telnyx.rooms) == 3
    assert [outcome async for outcome in client.rooms.delete_all(created_at=date(1999, 1, 1))] == []


async def test_delete_all_compares_names_itself(client: RoomsClient, telnyx: Emulator) -> None:
    telnyx.seed(2)
    rooms = [{"id": room.id, "unique_name": room.unique_name} for room in telnyx.rooms]
    body = {"data": rooms, "meta": {"page_number": 1, "total_pages": 1, "total_results": 2}}
    telnyx.inject(Fault(body=body), operation="ListRooms", times=None)
    name = telnyx.rooms[0].unique_name
    assert [outcome.ok async for outcome in client.rooms.delete_all(unique_name=name)] == [True]
    assert len(telnyx.rooms) == 1


@pytest.mark.parametrize("expect", [0, 2, 4])
async def test_delete_all_deletes_nothing_unless_the_number_is_as_expected(
    client: RoomsClient, telnyx: Emulator, expect: int
) -> None:
    telnyx.seed(3)
    with pytest.raises(UnexpectedCountError, match=f"expected {expect}, found 3"):
        await anext(client.rooms.delete_all(everything=True, expect=expect))
    assert "DELETE" not in methods(telnyx)


@pytest.mark.parametrize("expect", [None, 2])
async def test_delete_all_of_a_list_that_keeps_changing(
    client: RoomsClient, telnyx: Emulator, expect: int | None
) -> None:
    telnyx.seed(2)
    first, second = telnyx.rooms
    for _ in range(3):  # six passes with different rooms
        for other in ("a-room", "b-room"):
            rooms = [{"id": first.id}, {"id": other}]
            telnyx.inject(Fault(body={"data": rooms, "meta": {"total_results": 2}}), operation="ListRooms")
    deletion = client.rooms.delete_all(everything=True, expect=expect)
    if expect is not None:
        with pytest.raises(PaginationError, match="kept changing"):
            await anext(deletion)
        assert "DELETE" not in methods(telnyx)
    else:
        assert [outcome.item.id async for outcome in deletion] == [first.id, second.id]
        assert telnyx.rooms == ()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"everything": False},
        {"everything": 1},
        {"everything": "no"},
        {"everything": True, "unique_name": "Weekly"},
        {"unique_name": ""},
        {"everything": True, "expect": -1},
        {"everything": True, "expect": True},
        {"everything": True, "concurrency": 0},
    ],
    ids=str,
)
async def test_ambiguous_delete_all_is_refused_at_the_call(client: RoomsClient, options: Any) -> None:
    with pytest.raises(InvalidArgumentError):
        _ = client.rooms.delete_all(**options)


async def test_room_deleted_by_another_client_counts_as_deleted(
    client: RoomsClient, telnyx: Emulator
) -> None:
    telnyx.seed(3)
    first, *_ = telnyx.rooms
    telnyx.inject(Fault(status=404), operation="DeleteRoom", when=lambda sent: first.id in sent.path)
    assert [outcome.ok async for outcome in client.rooms.delete_all(everything=True)] == [True] * 3


# --- jobs ------------------------------------------------------------------------------------------------


async def asynchronously(items: list[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


@pytest.mark.parametrize("source", [list, iter, asynchronously], ids=["list", "iterator", "async generator"])
async def test_awaited_job_returns_all_outcomes(
    client: RoomsClient, telnyx: Emulator, source: Callable[[list[Any]], Iterable[Any]]
) -> None:
    result = await client.rooms.create_many(source(named(5)))
    assert isinstance(result, BatchResult)
    assert {outcome.value for outcome in result.done} == set(telnyx.rooms)
    assert (result.failed, result.skipped) == ((), 0)
    result.raise_for_failures()


async def test_rooms_that_do_not_exist_are_failures_that_can_be_raised(
    client: RoomsClient, telnyx: Emulator
) -> None:
    telnyx.seed(2)
    ids = [room.id for room in telnyx.rooms]
    result = await client.rooms.delete_many([*ids, "0ccc7b54-4df3-4bca-a65a-3da1ecc777f0", "a"])
    assert {outcome.item for outcome in result.done} == set(ids)
    assert telnyx.rooms == ()
    with pytest.raises(ExceptionGroup, match="2 of 4 items failed") as caught:
        result.raise_for_failures()
    assert [type(error) for error in caught.value.exceptions] == [NotFoundError] * 2


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


@pytest.mark.parametrize("end", ["progress raises", "cancelled in progress"])
async def test_job_that_ends_in_progress_cancels_its_calls(
    client: RoomsClient, telnyx: Emulator, end: str
) -> None:
    telnyx.inject(Fault())
    telnyx.inject(Fault(delay=inf), times=None)
    before, is_reported = asyncio.all_tasks(), asyncio.Event()

    async def progress(_done: int, _failed: int) -> None:
        is_reported.set()
        if end == "progress raises":
            raise LookupError
        await asyncio.Event().wait()

    async def run() -> None:
        await client.rooms.create_many(named(100), progress=progress)

    job = asyncio.create_task(run())
    await is_reported.wait()
    if end == "cancelled in progress":
        job.cancel()
    with pytest.raises(LookupError if end == "progress raises" else asyncio.CancelledError):
        await job
    assert [task for task in asyncio.all_tasks() - before if "/batch/" in repr(task)] == []


@pytest.mark.parametrize("start", [lambda job: job, anext], ids=["awaited", "iterated"])
async def test_started_job_cannot_be_awaited(client: RoomsClient, start: Callable[[Any], Any]) -> None:
    job = client.rooms.create_many(named(2))
    await start(job)
    with pytest.raises(RuntimeError, match="create_many was started before"):
        await job
    await job.aclose()


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
