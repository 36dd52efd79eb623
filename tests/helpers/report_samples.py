"""Sessions for reports: lessons of an hour, whose people come and go at random."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from telnyx_rooms_async import RoomParticipant, RoomSession
from telnyx_rooms_async.reports import Attendance, Prices, Usage, UsageMeter, attendance_of
from telnyx_rooms_async.reports.usage import By

NAMES: Final = (
    "Alice", "Zoë Bär", "🙂 Smile", "שלום עולם", "محمد علي", "李小龍", "👩‍🎓 Ana", "$x^2$ <b>&", "=1+1",
    "W" * 60, "Dr. Maximiliane-Friederike von Hohenlohe-Langenburg",
    "two\nlines \x1b[31m\u202e\x00",
)  # fmt: skip
START: Final = datetime(2026, 3, 1, 9, tzinfo=UTC)


def lesson(people: int, *, is_active: bool = False) -> Attendance:
    """Return the attendance of a lesson, with the unusual names first."""
    random = Random(people)
    names = [*NAMES, *(f"Student {number}" for number in range(people))]
    participants: list[RoomParticipant] = []
    for name in names[:people]:
        joined = random.randrange(600)
        while joined < 3000:
            left = joined + random.randrange(300, 3000)
            stays = is_active and left > 3600
            participants.append(
                RoomParticipant(
                    id=f"{name} {joined}",
                    context=name,
                    joined_at=START + timedelta(seconds=joined),
                    left_at=None if stays else START + timedelta(seconds=min(left, 3600)),
                )
            )
            joined = left + random.randrange(30, 300)
    end = START + timedelta(hours=1)
    session = RoomSession(id="s", ended_at=None if is_active else end, participants=tuple(participants))
    return attendance_of([session], as_of=end)


def usage(by: By, *, days: int) -> Usage:
    """Return the usage of days with up to four sessions each."""
    random = Random(days)
    meter = UsageMeter(by=by, as_of=START + timedelta(days=days))
    for number in range(days):
        for hour in range(random.randrange(5)):
            joined_at = START + timedelta(days=number, hours=hour)
            participants = tuple(
                RoomParticipant(
                    id=f"{person}",
                    joined_at=joined_at,
                    left_at=joined_at + timedelta(minutes=random.randrange(5, 60)),
                )
                for person in range(random.randrange(1, 9))
            )
            room_id = f"0ccc7b54-4df3-4bca-a65a-3da1ecc7770{hour}"
            meter.add_session(
                RoomSession(
                    id=f"{number}-{hour}", room_id=room_id, created_at=joined_at, participants=participants
                )
            )
    return meter.usage(Prices(participant_minute="0.002"))
