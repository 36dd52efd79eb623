"""Histories of the emulator: deterministic, plausible, and with the rare cases of real accounts."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from operator import attrgetter
from random import Random
from typing import Any

import pytest

from telnyx_rooms_async import RoomParticipant, RoomsClient, RoomSession
from telnyx_rooms_async.emulator import Emulator
from telnyx_rooms_async.reports import attendance_of

NOW = datetime(2026, 3, 4, 14, 30, tzinfo=UTC)  # a Wednesday


@pytest.fixture
async def telnyx() -> AsyncIterator[Emulator]:
    async with Emulator(clock=lambda: NOW) as emulator:
        yield emulator


@pytest.fixture
async def client(telnyx: Emulator) -> AsyncIterator[RoomsClient]:
    async with RoomsClient(telnyx.api_key, base_url=telnyx.url) as client:
        yield client


async def sessions_of(client: RoomsClient) -> list[RoomSession]:
    return await client.sessions.list(include_participants=True, page_size=250).all()


async def test_sessions_are_in_working_hours_and_follow_each_other(
    telnyx: Emulator, client: RoomsClient
) -> None:
    telnyx.seed(3)
    telnyx.seed_history(days=30, rooms=4, sessions=200)
    assert [room.unique_name for room in telnyx.rooms[3:]] == ["Room 4", "Room 5", "Room 6", "Room 7"]
    sessions = await sessions_of(client)
    *ended, going_on = sessions
    assert len(ended) == 200
    for session in ended:
        assert session.created_at is not None
        assert session.created_at.weekday() < 5
        assert NOW - timedelta(days=31) < session.created_at < NOW - timedelta(hours=14)
        assert 8 <= session.created_at.hour < 18
    room_of = attrgetter("room_id")
    for _, sessions_of_room in groupby(sorted(sessions, key=room_of), room_of):
        for first, second in pairwise(sessions_of_room):
            assert first.ended_at
            assert second.created_at
            assert first.ended_at < second.created_at
    assert going_on.active
    assert [room.active_session_id for room in telnyx.rooms[3:]] == [going_on.id, None, None, None]


def rare_case(participant: RoomParticipant) -> str:
    joined_at, left_at = participant.joined_at, participant.left_at
    if left_at is None or joined_at is None:
        return "never left"
    return "left before joined" if left_at < joined_at else "no length" if left_at == joined_at else ""


async def test_rare_cases_are_included(telnyx: Emulator, client: RoomsClient) -> None:
    telnyx.seed_history(days=14, rooms=2, sessions=100)
    *ended, _ = await sessions_of(client)
    participants = [participant for session in ended for participant in session.participants or ()]
    kinds = {"", "never left", "left before joined", "no length"}
    assert {rare_case(participant) for participant in participants} == kinds
    assert "" in {participant.context for participant in participants}
    joins = [[participant.joined_at for participant in session.participants or ()] for session in ended]
    assert any(len(set(times)) == 1 for times in joins)
    lengths = [
        session.ended_at - session.created_at for session in ended if session.ended_at and session.created_at
    ]
    assert max(lengths) > timedelta(hours=24)
    attendees = [attendee for session in ended for attendee in attendance_of([session], as_of=NOW).attendees]
    assert any(attendee.reconnects for attendee in attendees)
    assert any(len(attendee.participants) > 1 and not attendee.reconnects for attendee in attendees)


async def test_recordings_and_compositions_can_be_downloaded(
    telnyx: Emulator, client: RoomsClient, tmp_path: Any
) -> None:
    telnyx.seed_history(days=14, rooms=2)
    recordings = await client.recordings.list(page_size=250).all()
    assert {recording.room_id for recording in recordings} == {telnyx.rooms[0].id}
    assert {recording.status for recording in recordings} == {"completed", "processing"}
    composition = await client.compositions.list().first()
    assert composition is not None
    for resource, file in ((client.recordings, recordings[0]), (client.compositions, composition)):
        telnyx.media(file.id).size = 1000
        await resource.download(file.id, tmp_path / file.id)
        assert (tmp_path / file.id).read_bytes() == bytes(telnyx.media(file.id))


async def test_session_that_goes_on_ends_with_its_last_participant(
    telnyx: Emulator, client: RoomsClient
) -> None:
    telnyx.seed_history(days=1, rooms=1, sessions=1)
    _, session = await sessions_of(client)
    present = [participant for participant in session.participants or () if participant.left_at is None]
    assert 0 < len(present) < len(session.participants or ())
    for participant in present:
        telnyx.leave(participant.id)
    assert (await client.sessions.retrieve(session.id)).ended_at == NOW


async def test_participant_that_never_left_an_ended_session_cannot_leave(
    telnyx: Emulator, client: RoomsClient
) -> None:
    telnyx.seed_history(days=7, rooms=1, sessions=40)
    *ended, going_on = await sessions_of(client)
    (never_left,) = (
        participant
        for session in ended
        for participant in session.participants or ()
        if not participant.left_at
    )
    with pytest.raises(LookupError):
        telnyx.leave(never_left.id)
    assert telnyx.rooms[0].active_session_id == going_on.id


async def history(**options: Any) -> list[RoomSession]:
    async with (
        Emulator(clock=lambda: NOW) as telnyx,
        RoomsClient(telnyx.api_key, base_url=telnyx.url) as client,
    ):
        telnyx.seed_history(days=7, rooms=3, **options)
        return await sessions_of(client)


async def test_history_follows_from_the_day_and_the_random_numbers() -> None:
    assert await history() == await history() != await history(random=Random(1))


def test_second_history_has_other_ids() -> None:
    telnyx = Emulator(clock=lambda: NOW)
    for _ in range(2):
        telnyx.seed_history(days=1, rooms=1, random=Random(1))
    assert len({room.id for room in telnyx.rooms}) == 2


def test_history_of_weekend_days_only_has_sessions() -> None:
    telnyx = Emulator(clock=lambda: datetime(2026, 3, 8, tzinfo=UTC))  # a Sunday
    telnyx.seed_history(days=1, rooms=1, sessions=5)
    assert len(telnyx._state.sessions.select()) == 6


@pytest.mark.parametrize("options", [{"days": 0}, {"days": 3651}, {"rooms": 0}, {"sessions": -1}])
def test_invalid_arguments_are_refused(options: dict[str, int]) -> None:
    telnyx = Emulator()
    with pytest.raises(ValueError, match=f"^{next(iter(options))} must be from "):
        telnyx.seed_history(**options)  # type: ignore[arg-type]  # integers only
    assert telnyx.rooms == ()
