"""Jobs with a journal: run again, killed, torn, refused, against the emulator over a socket."""

import asyncio
import os
import pickle
import resource
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from telnyx_rooms_async import (
    Clock,
    InvalidArgumentError,
    Journal,
    JournalError,
    NameTakenError,
    OutcomeUnknownError,
    Room,
    RoomFields,
    RoomsClient,
    batch,
)
from telnyx_rooms_async.emulator import Emulator, Fault
from tests.helpers.processes import ImporterProcess, ImportResult, inject_random_faults


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal is to be."""
    return tmp_path / "rooms.journal"


@pytest.fixture(autouse=True)
async def _nothing_left(path: Path, telnyx: Emulator, client: RoomsClient) -> AsyncIterator[None]:
    """Look after each test for tasks, for open journals, and for half a line."""
    before = asyncio.all_tasks()
    yield
    await asyncio.sleep(0)
    assert {task for task in asyncio.all_tasks() - before if "batch/job.py" in repr(task)} == set()
    assert open_files(path) == []
    if path.is_file() and path.read_bytes().startswith(b"{"):
        assert path.read_bytes().endswith(b"\n")


def open_files(path: Path) -> list[str]:
    """List the descriptors of this process that lead to a file."""
    links = Path("/proc/self/fd")
    return [link.name for link in links.iterdir() if link.is_symlink() and str(link.readlink()) == str(path)]


def named(count: int) -> list[RoomFields]:
    """Name some rooms."""
    return [{"unique_name": f"Room {number}", "max_participants": 7} for number in range(count)]


async def create(
    client: RoomsClient, path: Path, count: int, **options: Any
) -> tuple[Journal, list[batch.Outcome[RoomFields, Room]]]:
    """Run a job to its end."""
    journal = Journal(path)
    outcomes = [each async for each in client.rooms.create_many(named(count), journal=journal, **options)]
    return journal, outcomes


def creations(telnyx: Emulator) -> int:
    """Count what was sent to create rooms."""
    return sum(request.method == "POST" for request in telnyx.requests)


async def test_what_is_done_is_passed_over(client: RoomsClient, telnyx: Emulator, path: Path) -> None:
    """A second run over the same input sends nothing, yields nothing, and says so."""
    journal, outcomes = await create(client, path, 50)
    assert (journal.skipped, len(outcomes)) == (0, 50)
    sent = len(telnyx.requests)
    journal, outcomes = await create(client, path, 50)
    assert (journal.skipped, outcomes) == (50, [])
    assert len(telnyx.requests) == sent


async def test_a_longer_input_goes_on_from_there(client: RoomsClient, telnyx: Emulator, path: Path) -> None:
    """New items keep the places that they have in the input."""
    await create(client, path, 5)
    journal, outcomes = await create(client, path, 8, ordered=True)
    assert journal.skipped == 5
    assert [(each.index, each.item) for each in outcomes] == list(enumerate(named(8)))[5:]
    assert len(telnyx.rooms) == 8


async def test_what_failed_is_tried_again(client: RoomsClient, telnyx: Emulator, path: Path) -> None:
    """A refusal of yesterday need not be one of today."""
    room = await client.rooms.create(unique_name="Room 1")
    journal, outcomes = await create(client, path, 3, ordered=True)
    assert [each.ok for each in outcomes] == [True, False, True]
    await client.rooms.delete(room.id)
    journal, outcomes = await create(client, path, 3)
    assert [(each.index, each.ok) for each in outcomes] == [(1, True)]
    assert journal.skipped == 2


async def test_a_room_of_the_same_name_in_the_input_stays_refused(client: RoomsClient, path: Path) -> None:
    """A certain failure is not mended by the room of another item."""
    bodies: list[RoomFields] = [{"unique_name": "Weekly"}, {"unique_name": "Weekly"}]
    for failed in ([False], [False]):
        outcomes = [each async for each in client.rooms.create_many(bodies, limit=1, journal=Journal(path))]
        assert [each.ok for each in outcomes if each.index == 1] == failed


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_what_was_in_flight_is_settled(
    client: RoomsClient, telnyx: Emulator, path: Path, cut: Any
) -> None:
    """A room whose answer was lost is looked for by its name; it is adopted if it is there, or created."""
    telnyx.script(Fault(cut=cut), operation="CreateRoom")
    _journal, (first,) = await create(client, path, 1, on_lost_response="raise")
    assert not first.ok
    _, (again,) = await create(client, path, 1, on_lost_response="raise")
    assert again.unwrap() == telnyx.rooms[0]
    assert len(telnyx.rooms) == 1
    assert creations(telnyx) == (1 if cut == "after" else 2)


async def test_a_room_of_somebody_else_is_not_adopted(
    client: RoomsClient, telnyx: Emulator, path: Path
) -> None:
    """One that has the name, and not the fields, or was there before the job, is another's."""
    telnyx.script(Fault(cut="before"), operation="CreateRoom")
    await create(client, path, 1, on_lost_response="raise")
    await client.rooms.create(unique_name="Room 0", max_participants=8)
    _, (outcome,) = await create(client, path, 1)
    with pytest.raises(NameTakenError):
        outcome.unwrap()


async def test_a_request_that_was_on_its_way_is_no_second_room(
    client: RoomsClient, telnyx: Emulator, path: Path
) -> None:
    """When the look finds nothing and the name is then taken, it is the room of the earlier run."""
    telnyx.script(Fault(cut="before"), operation="CreateRoom")
    await create(client, path, 1, on_lost_response="raise")
    await client.rooms.create(unique_name="Room 0", max_participants=7)
    telnyx.script(Fault(body=EMPTY), operation="ListRooms")
    _, (outcome,) = await create(client, path, 1)
    assert outcome.unwrap() == telnyx.rooms[0]


EMPTY: dict[str, Any] = {"data": [], "meta": {"page_number": 1, "total_pages": 0, "total_results": 0}}


async def no_time(_seconds: float) -> None:
    """Pause for a moment only."""
    await asyncio.sleep(0)


async def test_a_room_may_take_a_moment_to_show(telnyx: Emulator, path: Path) -> None:
    """When its name is taken, it is looked for as often as after a lost answer."""
    async with RoomsClient(telnyx.api_key, base_url=telnyx.url, clock=Clock(sleep=no_time)) as client:
        telnyx.script(Fault(cut="after"), operation="CreateRoom")
        await create(client, path, 1, on_lost_response="raise")
        telnyx.script(Fault(body=EMPTY), operation="ListRooms", times=4)
        _, (outcome,) = await create(client, path, 1)
    assert outcome.unwrap() == telnyx.rooms[0]
    assert creations(telnyx) == 2


@pytest.mark.parametrize("on_lost_response", ["find", "find_then_resend"])
async def test_a_room_that_does_not_show_is_not_written_off(
    telnyx: Emulator, path: Path, on_lost_response: str
) -> None:
    """A name that is taken, by nobody that is seen, leaves the item open: a later run finds the room."""
    async with RoomsClient(telnyx.api_key, base_url=telnyx.url, clock=Clock(sleep=no_time)) as client:
        telnyx.script(Fault(cut="after"), operation="CreateRoom")
        telnyx.script(Fault(body=EMPTY), operation="ListRooms", times=None)
        for _ in range(2):
            _, (outcome,) = await create(client, path, 1, on_lost_response=on_lost_response)
            assert isinstance(outcome, batch.Failed)
            assert isinstance(outcome.error, OutcomeUnknownError)
            assert outcome.error.unique_name == "Room 0"
        telnyx.unscript()
        _, (outcome,) = await create(client, path, 1, on_lost_response=on_lost_response)
    assert outcome.unwrap() == telnyx.rooms[0]


async def test_a_room_among_many_similar_names(client: RoomsClient, telnyx: Emulator, path: Path) -> None:
    """A resumed job reads all pages of what the filter lets through."""
    telnyx.script(Fault(cut="after"), operation="CreateRoom")
    await create(client, path, 1, on_lost_response="raise")
    room = telnyx.rooms[0]
    others = [{"id": f"other-{number}", "unique_name": f"room 0 {number}"} for number in range(2)]
    ours = {"id": room.id, "unique_name": "Room 0", "max_participants": 7, "created_at": str(room.created_at)}
    for number, data in enumerate((others, [ours]), 1):
        meta = {"page_number": number, "page_size": 2, "total_pages": 2, "total_results": 3}
        telnyx.script(Fault(body={"data": data, "meta": meta}), operation="ListRooms")
    _, (outcome,) = await create(client, path, 1)
    assert outcome.unwrap().id == room.id
    assert creations(telnyx) == 1


@pytest.mark.parametrize("skew", [-86_400, -30, 30, 86_400])
async def test_what_was_in_flight_is_settled_by_the_server_s_clock(path: Path, skew: int) -> None:
    """A room is known by when it was made, however far off the server's clock is."""

    def now() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=skew)

    async with Emulator(clock=now) as telnyx, RoomsClient(telnyx.api_key, base_url=telnyx.url) as client:
        telnyx.script(Fault(cut="after"), operation="CreateRoom")
        await create(client, path, 1, on_lost_response="raise")
        _, (outcome,) = await create(client, path, 1)
        assert outcome.unwrap() == telnyx.rooms[0]


async def test_a_look_that_fails_leaves_it_open(client: RoomsClient, telnyx: Emulator, path: Path) -> None:
    """A key that was refused says nothing of the room: the next run looks again."""
    telnyx.script(Fault(cut="after"), operation="CreateRoom")
    await create(client, path, 1, on_lost_response="raise")
    telnyx.script(Fault(status=401), operation="ListRooms")
    _, (outcome,) = await create(client, path, 1)
    assert not outcome.ok
    _, (outcome,) = await create(client, path, 1)
    assert outcome.unwrap() == telnyx.rooms[0]


async def test_without_a_name_a_room_cannot_be_journaled(
    client: RoomsClient, telnyx: Emulator, path: Path
) -> None:
    """It could not be found again, so nothing is sent for it."""
    bodies: list[RoomFields] = [{"max_participants": 3}]
    (outcome,) = [each async for each in client.rooms.create_many(bodies, journal=Journal(path))]
    with pytest.raises(InvalidArgumentError, match="unique_name must be given"):
        outcome.unwrap()
    assert not telnyx.requests


async def test_updates_deletions_and_ends_have_journals_too(
    client: RoomsClient, telnyx: Emulator, tmp_path: Path
) -> None:
    """What was cut off is done once more, and found done: that is no failure then."""
    telnyx.seed(4)
    rooms = telnyx.rooms
    sessions = [str(telnyx.join(room.id).session_id) for room in rooms]
    calls: list[tuple[str, str, Any, Any]] = [
        ("sessions", "end_many", sessions, "EndSession"),
        ("rooms", "update_many", [(room.id, {"max_participants": 9}) for room in rooms], "UpdateRoom"),
        ("rooms", "delete_many", [room.id for room in rooms], "DeleteRoom"),
    ]
    once = RoomsClient(telnyx.api_key, base_url=telnyx.url, timeout=0.3)
    async with once:
        for resource, verb, items, operation in calls:
            run = getattr(getattr(once, resource), verb)
            telnyx.script(Fault(cut="after"), operation=operation, times=2)
            telnyx.script(Fault(cut="before"), operation=operation, times=2)
            outcomes = [each async for each in run(items, journal=Journal(tmp_path / verb), limit=1)]
            telnyx.unscript()
            while not all(each.ok for each in outcomes):
                outcomes = [each async for each in run(items, journal=Journal(tmp_path / verb))]
            assert [each async for each in run(items, journal=Journal(tmp_path / verb))] == []
    assert telnyx.rooms == ()


async def test_a_torn_last_line_is_cut_off(client: RoomsClient, telnyx: Emulator, path: Path) -> None:
    """Wherever the file ends, what is whole of it stays, and the room is there once."""
    await create(client, path, 1)
    whole = path.read_bytes()
    header, begun, _ = whole.splitlines(keepends=True)
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        if end < len(header + begun):  # nothing has been sent yet
            await client.rooms.delete(telnyx.rooms[0].id)
        _, (outcome,) = await create(client, path, 1)
        assert outcome.unwrap() == telnyx.rooms[0]
        assert len(telnyx.rooms) == 1
        if end >= len(header):
            assert path.read_bytes().startswith(whole[: whole.rfind(b"\n", 0, end) + 1])


HEADER = (
    '{"telnyx_rooms_journal":2,"job":"%s","started":1,"base_url":"https://example.com","account":"5d41"}\n'
)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("unique_name\nWeekly\n", "it is no journal"),
        ("Weekly", "it is no journal"),
        ('{"telnyx_rooms_journal":1,"job":"create_many","started":1}\n', "it is of version 1, not 2"),
        (HEADER % "delete_many", "it is of another job: delete_many"),
        (HEADER % "create_many" + "x\n", "line 2: is damaged"),
        (HEADER % "create_many", "it was begun at https://example.com, not at http://127.0.0.1:"),
    ],
)
async def test_another_file_is_refused_and_left_as_it_is(
    client: RoomsClient, telnyx: Emulator, path: Path, content: str, problem: str
) -> None:
    """Nothing is sent, and nothing is cut off what may be somebody's work."""
    path.write_text(content)
    with pytest.raises(JournalError, match=problem) as refused:
        await create(client, path, 1)
    assert refused.value.path == str(path)
    assert path.read_text() == content
    assert not telnyx.requests


@pytest.mark.parametrize("key_rotated", [False, True])
async def test_a_journal_of_another_base_url_is_refused(
    client: RoomsClient, telnyx: Emulator, path: Path, *, key_rotated: bool
) -> None:
    """What is done there is not done here: nothing is sent, and both URLs are told."""
    await create(client, path, 3)
    async with (
        Emulator(api_key=telnyx.api_key) as other,
        RoomsClient(telnyx.api_key, base_url=other.url) as another,
    ):
        journal = Journal(path, key_rotated=key_rotated)
        with pytest.raises(JournalError, match=f"begun at {telnyx.url}, not at {other.url}"):
            await anext(another.rooms.create_many(named(3), journal=journal))
        assert not other.requests


async def test_a_journal_of_another_account_is_refused(
    client: RoomsClient, telnyx: Emulator, path: Path
) -> None:
    """Nothing is sent, and neither key is shown."""
    await create(client, path, 3)
    telnyx.requests.clear()
    key = "KEY0123CANARYKEY"
    async with RoomsClient(key, base_url=telnyx.url) as another:
        with pytest.raises(JournalError, match=f"{telnyx.url} with another API key") as refused:
            await create(another, path, 3)
    own = refused.tb.tb_next  # the frame of this test holds the key
    told = traceback.TracebackException(refused.type, refused.value, own, capture_locals=True)
    said = "".join(told.format())
    for secret in (key, str(telnyx.api_key)):
        assert secret not in said
        assert secret not in path.read_text()
    assert not telnyx.requests


async def test_a_journal_goes_on_with_a_rotated_key(
    client: RoomsClient, telnyx: Emulator, path: Path
) -> None:
    """When the user says that the account is the same, what is done is passed over."""
    await create(client, path, 3)
    async with RoomsClient("KEY0123CANARYKEY", base_url=telnyx.url) as another:
        journal = Journal(path, key_rotated=True)
        assert [each async for each in another.rooms.create_many(named(3), journal=journal)] == []
    assert journal.skipped == 3
    for wrong in ("false", 1, None):
        with pytest.raises(InvalidArgumentError, match="key_rotated must be True or False"):
            Journal(path, key_rotated=wrong)  # type: ignore[arg-type]  # wrong on purpose


async def test_a_base_url_may_be_spelled_in_several_ways(telnyx: Emulator, path: Path) -> None:
    """It is the same place."""
    url = telnyx.url.replace("127.0.0.1", "localhost")
    for spelling in (url, f"{url}/", url.upper().replace("/V2", "/v2")):
        async with RoomsClient(telnyx.api_key, base_url=spelling) as client:
            journal, _ = await create(client, path, 3)
    assert journal.skipped == 3


async def test_only_its_owner_can_read_a_journal(client: RoomsClient, path: Path) -> None:
    """Whatever the umask allows."""
    before = os.umask(0)
    try:
        await create(client, path, 1)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_journal_of_other_input_is_refused(client: RoomsClient, telnyx: Emulator, path: Path) -> None:
    """Nothing is sent for the first item that differs, nor for those after it."""
    await create(client, path, 3)
    sent = len(telnyx.requests)
    others = [*named(2), RoomFields(unique_name="Other"), *named(5)[3:]]
    with pytest.raises(JournalError, match="item 2 is another one"):
        await anext(client.rooms.create_many(others, journal=Journal(path)))
    with pytest.raises(JournalError, match="it knows 3 items, and the input has 2"):
        await create(client, path, 2)
    assert len(telnyx.requests) == sent


@pytest.mark.parametrize("kind", ["folder", "device", "no such folder"])
async def test_what_cannot_be_a_journal_is_refused(client: RoomsClient, tmp_path: Path, kind: str) -> None:
    """One clear error, before anything is sent."""
    paths = {"folder": tmp_path, "device": Path("/dev/full"), "no such folder": tmp_path / "a" / "b"}
    with pytest.raises(JournalError, match=r"(it cannot be used|it is no regular file)"):
        await create(client, paths[kind], 1)


async def test_two_jobs_cannot_have_one_journal(client: RoomsClient, telnyx: Emulator, path: Path) -> None:
    """The second is refused, the first goes on, and afterwards it is free."""
    async with aclosing(client.rooms.create_many(named(50), journal=Journal(path), limit=2)) as outcomes:
        await anext(outcomes)
        with pytest.raises(JournalError, match="another job has it"):
            await create(client, path, 50)
        assert len([each async for each in outcomes]) == 49
    assert (await create(client, path, 50))[0].skipped == 50


async def test_two_processes_cannot_have_one_journal(
    client: RoomsClient, telnyx: Emulator, path: Path
) -> None:
    """The lock is that of the system, so it goes with its process, however that ends."""
    importer = ImporterProcess(telnyx, path, 5_000)
    killed = asyncio.create_task(importer.run(kill_after=50))
    while len(telnyx.requests) < 10:
        await asyncio.sleep(0.001)
    with pytest.raises(JournalError, match="another job has it"):
        await create(client, path, 5_000)
    await killed
    async with aclosing(client.rooms.create_many(named(5_000), journal=Journal(path))) as outcomes:
        assert (await anext(outcomes)).ok


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """Let no file grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [0, 10, 100, 1000, 3000])
async def test_a_full_disk_is_one_clear_error(
    client: RoomsClient, telnyx: Emulator, path: Path, size: int
) -> None:
    """The job ends with it, the journal keeps whole lines, and with more room another run goes on."""
    with full_disk(size), pytest.raises(JournalError, match="File too large"):
        await create(client, path, 100, limit=4)
    assert path.read_bytes()[-1:] in (b"", b"\n")
    made = len(telnyx.rooms)
    assert made < 100
    _, outcomes = await create(client, path, 100)
    assert all(each.ok for each in outcomes)
    assert len(telnyx.rooms) == 100


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("closed", None),
        ("an exception", LookupError),
        ("cancelled", asyncio.CancelledError),
        ("max_failures", ExceptionGroup),
    ],
)
async def test_a_job_that_is_left_leaves_nothing_behind(
    client: RoomsClient, telnyx: Emulator, path: Path, how: str, error: Any
) -> None:
    """No task, no open file, no half line; and another run ends with each room once."""
    is_under_way = asyncio.Event()

    async def job() -> None:
        max_failures = 1 if how == "max_failures" else None
        outcomes = client.rooms.create_many(named(200), journal=Journal(path), max_failures=max_failures)
        async with aclosing(outcomes):
            async for each in outcomes:
                if each.index == 20:
                    is_under_way.set()
                    if how == "closed":
                        break
                    if how == "an exception":
                        raise LookupError

    if how == "max_failures":
        telnyx.script(Fault(status=422), operation="CreateRoom")
    task = asyncio.create_task(job())
    if how == "cancelled":
        await is_under_way.wait()
        task.cancel()
    (ended,) = await asyncio.gather(task, return_exceptions=True)
    assert ended is None if error is None else isinstance(ended, error)
    assert open_files(path) == []
    assert path.read_bytes().endswith(b"\n")
    assert len(telnyx.rooms) < 200
    while not all(each.ok for each in (await create(client, path, 200))[1]):
        pass
    assert len({room.unique_name for room in telnyx.rooms}) == len(telnyx.rooms) == 200


async def test_the_intent_is_on_the_disk_before_the_request_is_sent(
    client: RoomsClient, telnyx: Emulator, path: Path
) -> None:
    """What the server has seen, the journal knows."""
    missing: list[object] = []

    def look(request: Any) -> bool:
        number = int(request.json["unique_name"].removeprefix("Room "))
        if f'"index":{number},'.encode() not in path.read_bytes():
            missing.append(number)
        return False

    telnyx.script(Fault(), operation="CreateRoom", times=None, when=look)
    async for each in client.rooms.create_many(named(100), journal=Journal(path), limit=16):
        done = f'"index":{each.index},"digest":"'.encode()
        assert any(
            line.startswith(b"{" + done) and b'"done"' in line for line in path.read_bytes().split(b"\n")
        )
    assert missing == []


async def test_the_journal_holds_no_key_and_no_item(
    client: RoomsClient, telnyx: Emulator, path: Path
) -> None:
    """What it tells is numbers, digests, ids and errors."""
    await create(client, path, 3)
    text = path.read_text()
    assert telnyx.api_key not in text
    assert "Room 1" not in text
    assert all(room.id in text for room in telnyx.rooms)


def test_a_journal_pickles(path: Path) -> None:
    """A process can hand it to another."""
    assert pickle.loads(pickle.dumps(Journal(path))).path == str(path)
    assert repr(Journal(path)) == f"Journal({str(path)!r})"
    copy = pickle.loads(pickle.dumps(JournalError(str(path), "it is no journal")))
    assert (copy.path, copy.problem) == (str(path), "it is no journal")


async def test_a_job_that_is_killed_makes_each_room_once(telnyx: Emulator, path: Path) -> None:
    """Killed at random moments, amid lost answers and refusals, and run again until all is done."""
    dice = Random(7)
    inject_random_faults(telnyx, dice, 0.01)
    importer = ImporterProcess(telnyx, path, 300)
    for _ in range(4):
        await importer.run(kill_after=dice.randrange(1, 120))
    while (ended := await importer.run()) is None or ended.failed:
        pass
    assert len(telnyx.rooms) == 300
    assert len({room.unique_name for room in telnyx.rooms}) == 300
    sent = len(telnyx.requests)
    assert await importer.run() == ImportResult(skipped=300, done=0, failed=0)
    assert len(telnyx.requests) == sent
