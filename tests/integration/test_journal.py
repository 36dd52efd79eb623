"""Batch jobs with a journal, against the emulator."""

import asyncio
import copy
import os
import pickle
import resource
import shutil
import sqlite3
import traceback
from collections.abc import AsyncIterator, Generator
from contextlib import aclosing, closing, contextmanager
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path
from random import Random
from typing import Any

import pytest

from telnyx_rooms_async import (
    Clock,
    InvalidArgumentError,
    JournalError,
    NameTakenError,
    OutcomeUnknownError,
    RetryPolicy,
    Room,
    RoomFields,
    RoomsClient,
    batch,
)
from telnyx_rooms_async.batch import Journal, JournalSummary
from telnyx_rooms_async.batch.operations import digest_of
from telnyx_rooms_async.emulator import Emulator, Fault
from tests.helpers.clocks import wait_until
from tests.helpers.processes import count_creates, importer_process, inject_random_faults

EMPTY_PAGE: dict[str, Any] = {"data": [], "meta": {"page_number": 1, "total_pages": 0, "total_results": 0}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rooms.journal"


@pytest.fixture
async def client(telnyx: Emulator) -> AsyncIterator[RoomsClient]:
    """A client that does not pause before retries and look-ups."""
    async with RoomsClient(
        telnyx.api_key, base_url=telnyx.url, clock=Clock(sleep=lambda _: asyncio.sleep(0))
    ) as client:
        yield client


@pytest.fixture(autouse=True)
async def _no_leaks(path: Path, telnyx: Emulator, client: RoomsClient) -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    await asyncio.sleep(0)
    assert [task for task in asyncio.all_tasks() - before if "/batch/" in repr(task)] == []
    assert open_files(path) == []


def open_files(path: Path) -> list[str]:
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return [link.name for link in links if str(link.readlink()).startswith(str(path))]


def bodies(count: int) -> list[RoomFields]:
    return [{"unique_name": f"Room {number}", "max_participants": 7} for number in range(count)]


async def create(
    client: RoomsClient, path: Path, count: int, **options: Any
) -> tuple[Journal, list[batch.Outcome[RoomFields, Room]]]:
    journal = Journal(path)
    outcomes = client.rooms.create_many(bodies(count), journal=journal, **options)
    return journal, [outcome async for outcome in outcomes]


async def lose_response(client: RoomsClient, telnyx: Emulator, path: Path, cut: Any = "after") -> None:
    """Run a job of one room whose create request is cut off, so that its item stays open."""
    telnyx.inject(Fault(cut=cut), operation="CreateRoom")
    _, (outcome,) = await create(client, path, 1, on_lost_response="raise")
    assert not outcome.ok


# --- resuming -----------------------------------------------------------------------------------------------


async def test_finished_items_are_skipped(client: RoomsClient, telnyx: Emulator, path: Path) -> None:
    journal, outcomes = await create(client, path, 50)
    assert (journal.skipped, len(outcomes)) == (0, 50)
    sent = len(telnyx.requests)
    assert ((await create(client, path, 50))[1], len(telnyx.requests)) == ([], sent)
    journal = Journal(path)
    result = await client.rooms.create_many(bodies(52), journal=journal, ordered=True)
    assert result.skipped == journal.skipped == 50
    assert [(outcome.index, outcome.item) for outcome in result.done] == list(enumerate(bodies(52)))[50:]
    assert await journal.summary() == JournalSummary(done=52, failed=0, open=0)


async def test_failed_items_are_retried(client: RoomsClient, path: Path) -> None:
    room = await client.rooms.create(unique_name="Room 1")
    journal, outcomes = await create(client, path, 3, ordered=True)
    assert [outcome.ok for outcome in outcomes] == [True, False, True]
    assert await journal.summary() == JournalSummary(done=2, failed=1, open=0)
    await client.rooms.delete(room.id)
    journal, outcomes = await create(client, path, 3)
    assert [(outcome.index, outcome.ok) for outcome in outcomes] == [(1, True)]
    assert journal.skipped == 2


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        *((Fault(status=status), "failed") for status in (400, 404, 499)),
        *((Fault(status=status), "open") for status in (408, 500, 399)),
        (Fault(status=429, retry_after=0), "open"),
        (Fault(cut="after"), "open"),
    ],
)
async def test_item_has_failed_only_if_it_was_certainly_not_processed(
    telnyx: Emulator, path: Path, fault: Fault, state: str
) -> None:
    telnyx.seed(1)
    telnyx.inject(fault, times=None)
    change: tuple[str, RoomFields] = telnyx.rooms[0].id, {"max_participants": 9}
    retry = RetryPolicy(max_attempts=1)
    async with RoomsClient(telnyx.api_key, base_url=telnyx.url, retry=retry) as client:
        (outcome,) = [outcome async for outcome in client.rooms.update_many([change], journal=Journal(path))]
    assert not outcome.ok
    assert getattr(await Journal(path).summary(), state) == 1


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_open_item_is_found_by_name_or_created(
    client: RoomsClient, telnyx: Emulator, path: Path, cut: str
) -> None:
    await lose_response(client, telnyx, path, cut)
    telnyx.inject(Fault(status=401), operation="ListRooms")
    _, (outcome,) = await create(client, path, 1)  # the look-up fails
    assert not outcome.ok
    assert await Journal(path).summary() == JournalSummary(done=0, failed=0, open=1)
    _, (outcome,) = await create(client, path, 1, on_lost_response="raise")
    assert [outcome.unwrap()] == list(telnyx.rooms)
    assert count_creates(telnyx) == (1 if cut == "after" else 2)


async def test_room_is_adopted_only_if_it_has_the_same_settings(
    client: RoomsClient, telnyx: Emulator, path: Path
) -> None:
    await lose_response(client, telnyx, path, "before")
    await client.rooms.create(unique_name="Room 0", max_participants=8)
    _, (outcome,) = await create(client, path, 1)
    with pytest.raises(NameTakenError):
        outcome.unwrap()
    assert await Journal(path).summary() == JournalSummary(done=0, failed=1, open=0)


async def test_item_stays_open_when_several_rooms_match(
    client: RoomsClient, telnyx: Emulator, path: Path
) -> None:
    await lose_response(client, telnyx, path)
    room = telnyx.rooms[0].to_dict()
    telnyx.inject(Fault(body={"data": [room, {**room, "id": "a-twin"}]}), operation="ListRooms", times=None)
    _, (outcome,) = await create(client, path, 1)
    with pytest.raises(OutcomeUnknownError) as caught:
        outcome.unwrap()
    assert caught.value.room_ids == (room["id"], "a-twin")
    assert await Journal(path).summary() == JournalSummary(done=0, failed=0, open=1)


async def test_room_that_appears_between_lookup_and_create_is_adopted(
    client: RoomsClient, telnyx: Emulator, path: Path
) -> None:
    await lose_response(client, telnyx, path, "before")
    await client.rooms.create(unique_name="Room 0", max_participants=7)
    telnyx.inject(Fault(body=EMPTY_PAGE), operation="ListRooms")
    _, (outcome,) = await create(client, path, 1)
    assert outcome.unwrap() == telnyx.rooms[0]


@pytest.mark.parametrize("on_lost_response", ["find", "find_then_resend"])
async def test_item_stays_open_until_its_room_is_listed(
    client: RoomsClient, telnyx: Emulator, path: Path, on_lost_response: str
) -> None:
    await lose_response(client, telnyx, path)
    telnyx.inject(Fault(body=EMPTY_PAGE), operation="ListRooms", times=None)
    for _ in range(2):
        _, (outcome,) = await create(client, path, 1, on_lost_response=on_lost_response)
        assert isinstance(outcome, batch.Failed)
        assert isinstance(outcome.error, OutcomeUnknownError)
        assert outcome.error.unique_name == "Room 0"
    telnyx.clear_faults()
    telnyx.inject(Fault(body=EMPTY_PAGE), operation="ListRooms", times=3)  # listed after some attempts
    _, (outcome,) = await create(client, path, 1, on_lost_response=on_lost_response)
    assert outcome.unwrap() == telnyx.rooms[0]


@pytest.mark.parametrize("skew", [-86_400, 30])
async def test_age_of_a_room_is_judged_by_the_server_clock(path: Path, skew: int) -> None:
    def now() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=skew)

    async with Emulator(clock=now) as telnyx, RoomsClient(telnyx.api_key, base_url=telnyx.url) as client:
        await lose_response(client, telnyx, path)
        _, (outcome,) = await create(client, path, 1)
        assert outcome.unwrap() == telnyx.rooms[0]


async def test_room_without_a_name_is_refused(client: RoomsClient, telnyx: Emulator, path: Path) -> None:
    items: list[RoomFields] = [{"max_participants": 3}]
    (outcome,) = [outcome async for outcome in client.rooms.create_many(items, journal=Journal(path))]
    with pytest.raises(InvalidArgumentError, match="unique_name"):
        outcome.unwrap()
    assert not telnyx.requests
    assert await Journal(path).summary() == JournalSummary(done=0, failed=1, open=0)


@pytest.mark.parametrize("method", ["rooms.update_many", "rooms.delete_many", "sessions.end_many"])
async def test_repeated_operation_of_an_open_item_succeeds(
    telnyx: Emulator, tmp_path: Path, method: str
) -> None:
    telnyx.seed(4)
    ids = [room.id for room in telnyx.rooms]
    items: dict[str, list[Any]] = {
        "rooms.update_many": [(room_id, {"max_participants": 9}) for room_id in ids],
        "rooms.delete_many": ids,
        "sessions.end_many": [str(telnyx.join(room_id).session_id) for room_id in ids],
    }
    resource_name, verb = method.split(".")
    async with RoomsClient(telnyx.api_key, base_url=telnyx.url, max_retries=0) as client:
        run = getattr(getattr(client, resource_name), verb)
        telnyx.inject(Fault(cut="before"), times=2)
        telnyx.inject(Fault(cut="after"), times=2)
        journal = Journal(tmp_path / verb)
        outcomes = [outcome async for outcome in run(items[method], journal=journal, concurrency=1)]
        telnyx.clear_faults()
        while not all(outcome.ok for outcome in outcomes):
            outcomes = [outcome async for outcome in run(items[method], journal=journal)]
        assert [outcome async for outcome in run(items[method], journal=journal)] == []
        assert await journal.summary() == JournalSummary(done=4, failed=0, open=0)


async def test_open_session_that_is_gone_counts_as_ended(telnyx: Emulator, path: Path) -> None:
    telnyx.seed(1)
    session_id = str(telnyx.join(telnyx.rooms[0].id).session_id)
    async with RoomsClient(telnyx.api_key, base_url=telnyx.url, max_retries=0) as client:
        telnyx.inject(Fault(cut="after"))
        await client.sessions.end_many([session_id], journal=Journal(path))
        telnyx.inject(Fault(status=404))  # as after the deletion of its room
        await client.sessions.end_many([session_id], journal=Journal(path))
    assert await Journal(path).summary() == JournalSummary(done=1, failed=0, open=0)


async def test_other_tasks_run_while_finished_items_are_skipped(client: RoomsClient, path: Path) -> None:
    items, journal, progress = bodies(3_000), Journal(path), set[int]()
    await create(client, path, 1)
    rows = [(index, digest_of(item)) for index, item in enumerate(items)]
    with closing(sqlite3.connect(path)) as database:
        database.executemany("REPLACE INTO items (item_index, digest, state) VALUES (?, ?, 'done')", rows)
        database.commit()

    async def resume() -> None:
        assert [outcome async for outcome in client.rooms.create_many(items, journal=journal)] == []

    task = asyncio.create_task(resume())
    while not task.done():
        progress.add(journal.skipped)
        await asyncio.sleep(0)
    await task
    assert journal.skipped == 3_000
    assert len(progress) > 4


# --- the file -----------------------------------------------------------------------------------------------


async def test_start_is_on_the_disk_before_the_request_and_the_outcome_before_it_is_yielded(
    client: RoomsClient, telnyx: Emulator, path: Path
) -> None:
    missing: list[str] = []

    def query(statement: str) -> Any:
        """Query the journal as it would be after a crash now."""
        crashed = path.with_suffix(".crashed")
        for suffix in ("", "-wal"):
            shutil.copyfile(f"{path}{suffix}", f"{crashed}{suffix}")
        with closing(sqlite3.connect(crashed)) as database:
            return database.execute(statement).fetchone()[0]

    def check(_request: object) -> bool:
        count = count_creates(telnyx)
        if count % 10 == 1 and query("SELECT start_limit FROM job") < count:
            missing.append("start")
        return False

    telnyx.inject(Fault(), operation="CreateRoom", times=None, when=check)
    outcomes = client.rooms.create_many(bodies(120), journal=Journal(path), concurrency=4)
    async for outcome in outcomes:
        if outcome.index % 10 == 0:
            statement = f"SELECT room_id FROM items WHERE item_index = {outcome.index}"
            assert query(statement) == outcome.unwrap().id
    assert missing == []


async def test_torn_last_transaction_is_dropped(client: RoomsClient, telnyx: Emulator, path: Path) -> None:
    wal = path.with_name(f"{path.name}-wal")
    started: list[bytes] = []

    def keep(_request: object) -> bool:
        started.append(wal.read_bytes())
        return False

    telnyx.inject(Fault(), operation="CreateRoom", when=keep)
    async with aclosing(client.rooms.create_many(bodies(1), journal=Journal(path))) as outcomes:
        room = (await anext(outcomes)).unwrap()
        database, complete = path.read_bytes(), wal.read_bytes()
    assert complete.startswith(started[0])
    for size in range(len(started[0]), len(complete), 500):
        path.write_bytes(database)
        wal.write_bytes(complete[:size])
        _, (outcome,) = await create(client, path, 1)
        assert outcome.unwrap() == room
    assert len(telnyx.rooms) == 1


@pytest.mark.parametrize("content", [b"unique_name\nWeekly\n" * 100, b"SQLite format 3\0" + b"x" * 4000])
async def test_other_file_is_refused_and_not_changed(
    client: RoomsClient, telnyx: Emulator, path: Path, content: bytes
) -> None:
    path.write_bytes(content)
    with pytest.raises(JournalError, match="it is not a journal") as error:
        await create(client, path, 1)
    assert error.value.path == str(path)
    with pytest.raises(JournalError, match="it is not a journal"):
        await Journal(path).summary()
    assert path.read_bytes() == content
    assert not telnyx.requests


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("PRAGMA application_id = 7", "it is not a journal"),
        ("PRAGMA user_version = 5", "it has format version 5, not 4"),
        ("DELETE FROM job", "it is damaged"),
        (
            "UPDATE job SET operation = 'delete_many'",
            "it belongs to another job: delete_many, not create_many",
        ),
        (
            "UPDATE job SET base_url = 'https://example.com'",
            "it was created for https://example.com, not for",
        ),
    ],
)
async def test_journal_of_another_job_or_version_is_refused(
    client: RoomsClient, telnyx: Emulator, path: Path, statement: str, problem: str
) -> None:
    await create(client, path, 1)
    with closing(sqlite3.connect(path)) as database:
        database.executescript(statement)  # in auto-commit mode
    sent = len(telnyx.requests)
    with pytest.raises(JournalError, match=problem):
        await create(client, path, 1)
    assert len(telnyx.requests) == sent


async def test_truncated_journal_is_refused(client: RoomsClient, telnyx: Emulator, path: Path) -> None:
    await create(client, path, 100)
    content = path.read_bytes()
    for size in (100, 4096, len(content) // 2):
        path.write_bytes(content[:size])
        with pytest.raises(JournalError, match="it is damaged"):
            await create(client, path, 100)
    assert count_creates(telnyx) == 100


@pytest.mark.parametrize("kind", ["folder", "device", "missing folder"])
async def test_path_that_cannot_be_a_journal_is_refused(
    client: RoomsClient, telnyx: Emulator, tmp_path: Path, kind: str
) -> None:
    paths = {"folder": tmp_path, "device": Path("/dev/full"), "missing folder": tmp_path / "a" / "b"}
    with pytest.raises(JournalError, match=r"it cannot be used|it is not a regular file"):
        await create(client, paths[kind], 1)
    assert not telnyx.requests


async def test_only_the_owner_can_read_a_journal(client: RoomsClient, path: Path) -> None:
    mask = os.umask(0)
    try:
        async with aclosing(client.rooms.create_many(bodies(2), journal=Journal(path))) as outcomes:
            await anext(outcomes)
            assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
    finally:
        os.umask(mask)


async def test_journal_contains_no_key_no_item_and_no_message(
    client: RoomsClient, telnyx: Emulator, path: Path
) -> None:
    await client.rooms.create(unique_name="Room 1")
    await create(client, path, 3)
    content = path.read_bytes()
    for absent in (telnyx.api_key, "Room", "taken"):
        assert absent.encode() not in content
    assert content.count(b"NameTakenError") == 1


@contextmanager
def small_disk(size: int) -> Generator[None, None, None]:
    """Limit the size of files in bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [0, 5_000, 17_000, 50_000])
async def test_full_disk_ends_the_job_and_loses_nothing(
    client: RoomsClient, telnyx: Emulator, path: Path, size: int
) -> None:
    with small_disk(size), pytest.raises(JournalError, match="I/O error"):
        await create(client, path, 100, concurrency=4)
    assert len(telnyx.rooms) < 100
    _, outcomes = await create(client, path, 100)
    assert all(outcome.ok for outcome in outcomes)
    assert len(telnyx.rooms) == 100


# --- what a journal belongs to ------------------------------------------------------------------------------


@pytest.mark.parametrize("key_rotated", [False, True])
async def test_journal_of_another_base_url_is_refused(
    client: RoomsClient, telnyx: Emulator, path: Path, *, key_rotated: bool
) -> None:
    await create(client, path, 3)
    async with (
        Emulator(api_key=telnyx.api_key) as other,
        RoomsClient(telnyx.api_key, base_url=other.url) as another,
    ):
        journal = Journal(path, key_rotated=key_rotated)
        with pytest.raises(JournalError, match=f"created for {telnyx.url}, not for {other.url}"):
            await anext(another.rooms.create_many(bodies(3), journal=journal))
        assert not other.requests


async def test_journal_of_another_key_is_refused_unless_the_key_was_rotated(
    client: RoomsClient, telnyx: Emulator, path: Path
) -> None:
    await create(client, path, 3)
    telnyx.requests.clear()
    key = "KEY0123CANARYKEY"
    async with RoomsClient(key, base_url=telnyx.url) as another:
        with pytest.raises(JournalError, match=f"{telnyx.url} with another API key") as error:
            await create(another, path, 3)
        journal = Journal(path, key_rotated=True)
        assert [outcome async for outcome in another.rooms.create_many(bodies(3), journal=journal)] == []
    assert journal.skipped == 3
    assert not telnyx.requests
    frames = error.tb.tb_next  # the frame of this test holds the key
    report = traceback.TracebackException(error.type, error.value, frames, capture_locals=True)
    for secret in (key, str(telnyx.api_key)):
        assert secret not in "".join(report.format())


@pytest.mark.parametrize("value", ["false", 1, None])
def test_key_rotated_must_be_a_bool(path: Path, value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="key_rotated must be True or False"):
        Journal(path, key_rotated=value)


async def test_base_url_may_be_spelled_in_several_ways(telnyx: Emulator, path: Path) -> None:
    url = telnyx.url.replace("127.0.0.1", "localhost")
    for spelling in (url, f"{url}/", url.upper().replace("/V2", "/v2")):
        async with RoomsClient(telnyx.api_key, base_url=spelling) as client:
            journal, _ = await create(client, path, 3)
    assert journal.skipped == 3


async def test_journal_of_other_input_is_refused(client: RoomsClient, telnyx: Emulator, path: Path) -> None:
    await create(client, path, 3)
    sent = len(telnyx.requests)
    others = [*bodies(2), RoomFields(unique_name="Other"), *bodies(5)[3:]]
    with pytest.raises(JournalError, match="item 2 differs"):
        await anext(client.rooms.create_many(others, journal=Journal(path)))
    with pytest.raises(JournalError, match="it has 3 items, the input has 2"):
        await create(client, path, 2)
    assert len(telnyx.requests) == sent


# --- one job at a time, and its end -------------------------------------------------------------------------


async def test_journal_is_locked_while_a_job_uses_it(client: RoomsClient, path: Path) -> None:
    journal = Journal(path)
    async with aclosing(client.rooms.create_many(bodies(50), journal=journal, concurrency=2)) as outcomes:
        await anext(outcomes)
        for _ in range(2):
            with pytest.raises(JournalError, match="another job is using it"):
                await create(client, path, 50)
        with pytest.raises(JournalError, match="another job is using it"):
            await Journal(path).summary()
        assert (await journal.summary()).done >= 1
        assert len([outcome async for outcome in outcomes]) == 49
    assert (await create(client, path, 50))[0].skipped == 50


@pytest.mark.parametrize(
    ("end", "error"),
    [
        ("closed", None),
        ("an exception", LookupError),
        ("cancelled", asyncio.CancelledError),
        ("max_failures", ExceptionGroup),
    ],
)
async def test_interrupted_job_can_be_resumed(
    client: RoomsClient, telnyx: Emulator, path: Path, end: str, error: Any
) -> None:
    is_running = asyncio.Event()

    async def job() -> None:
        max_failures = 1 if end == "max_failures" else None
        outcomes = client.rooms.create_many(bodies(200), journal=Journal(path), max_failures=max_failures)
        async with aclosing(outcomes):
            async for outcome in outcomes:
                if outcome.index == 20:
                    is_running.set()
                    if end == "closed":
                        break
                    if end == "an exception":
                        raise LookupError

    if end == "max_failures":
        telnyx.inject(Fault(status=422), operation="CreateRoom")
    task = asyncio.create_task(job())
    if end == "cancelled":
        await is_running.wait()
        task.cancel()
    (result,) = await asyncio.gather(task, return_exceptions=True)
    assert result is None if error is None else isinstance(result, error)
    assert open_files(path) == []
    assert len(telnyx.rooms) < 200
    while not all(outcome.ok for outcome in (await create(client, path, 200))[1]):
        pass
    assert len({room.unique_name for room in telnyx.rooms}) == len(telnyx.rooms) == 200


async def test_killed_job_creates_each_room_once(client: RoomsClient, telnyx: Emulator, path: Path) -> None:
    telnyx.inject(Fault(delay=inf), operation="CreateRoom")  # the process is certainly running
    inject_random_faults(telnyx, Random(7), 0.01)
    async with importer_process(telnyx, path, 60) as process:
        await wait_until(lambda: count_creates(telnyx) > 20)
        with pytest.raises(JournalError, match="another job is using it"):
            await Journal(path).summary()
        process.kill()
        await process.wait()
    assert (await Journal(path).summary()).open > 0  # the lock is released
    while not all(outcome.ok for outcome in (await create(client, path, 60))[1]):
        pass
    assert len({room.unique_name for room in telnyx.rooms}) == len(telnyx.rooms) == 60
    sent = len(telnyx.requests)
    journal, _ = await create(client, path, 60)
    assert (journal.skipped, len(telnyx.requests)) == (60, sent)
    assert await journal.summary() == JournalSummary(done=60, failed=0, open=0)


@pytest.mark.parametrize("exists", [False, True])
async def test_summary_of_a_missing_or_empty_file_changes_nothing(path: Path, *, exists: bool) -> None:
    if exists:
        path.touch()
    assert await Journal(path).summary() == JournalSummary(done=0, failed=0, open=0)
    assert [file.stat().st_size for file in path.parent.iterdir()] == [0] * exists


async def test_journal_can_be_copied_and_pickled(client: RoomsClient, path: Path) -> None:
    journal = Journal(path, key_rotated=True)
    async with aclosing(client.rooms.create_many(bodies(2), journal=journal)) as outcomes:
        await anext(outcomes)
        for other in (copy.deepcopy(journal), pickle.loads(pickle.dumps(journal))):
            assert (other.path, other.key_rotated) == (str(path), True)
    assert repr(journal) == f"Journal({str(path)!r})"
