"""Know one's own room again: by its name, its age and every setting that was asked for."""

from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from itertools import accumulate
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from telnyx_rooms_async.core.requests import RoomBody
from telnyx_rooms_async.core.server_clock import ServerClock
from telnyx_rooms_async.core.spelling import body_fields
from telnyx_rooms_async.models import Room
from telnyx_rooms_async.resources.room_creation import PAUSES, is_ours, namesakes

BEGAN = datetime(2021, 4, 25, 12, tzinfo=UTC)
NOW = BEGAN + timedelta(seconds=2)
URL, OTHER_URL = "https://example.com/a", "https://example.com/b"

ASKED: dict[str, object] = {
    "unique_name": "Weekly",
    "max_participants": 7,
    "enable_recording": True,
    "webhook_event_url": URL,
    "webhook_event_failover_url": URL,
    "webhook_timeout_secs": 9,
}
MADE = Room(
    id="a-room",
    unique_name="Weekly",
    max_participants=7,
    enable_recording=True,
    webhook_event_url=URL,
    webhook_event_failover_url=URL,
    webhook_timeout_secs=9,
    created_at=BEGAN,
)


def ours(room: Room, asked: dict[str, object] | None = None) -> bool:
    """Tell whether a room is what was asked for, from five seconds before noon to seven seconds after."""
    asked = ASKED if asked is None else asked
    return is_ours(room, asked, earliest=BEGAN.timestamp() - 5, latest=NOW.timestamp() + 5)


def test_the_looks() -> None:
    """It is looked for 0.2, 0.7 and 1.7 seconds later."""
    assert [sum(PAUSES[: n + 1]) for n in range(len(PAUSES))] == pytest.approx([0.2, 0.7, 1.7])


@pytest.mark.parametrize(
    ("created_at", "verdict"),
    [
        (BEGAN - timedelta(seconds=5, microseconds=1), False),
        (BEGAN - timedelta(seconds=5), True),
        (BEGAN, True),
        (NOW, True),
        (NOW + timedelta(seconds=5), True),
        (NOW + timedelta(seconds=5, microseconds=1), False),
        (BEGAN - timedelta(days=1), False),
        (NOW + timedelta(days=1), False),
        (BEGAN.astimezone(tz=None), True),
        (None, False),
    ],
    ids=[
        "too old",
        "just",
        "began",
        "now",
        "just in time",
        "too new",
        "a day ago",
        "a day later",
        "zone",
        "-",
    ],
)
def test_its_age(created_at: datetime | None, verdict: bool) -> None:  # noqa: FBT001 - a column of the table
    """It was made between the two times, both included."""
    assert ours(evolve(MADE, created_at=created_at)) is verdict


def test_a_room_with_all_settings() -> None:
    """A room with each setting that was asked for is ours, whatever else it has."""
    assert ours(MADE)
    assert ours(MADE, {"unique_name": "Weekly"})
    assert ours(evolve(MADE, active_session_id="a-session", updated_at=NOW))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("unique_name", "weekly"),
        ("max_participants", 8),
        ("enable_recording", False),
        ("webhook_event_url", OTHER_URL),
        ("webhook_event_failover_url", OTHER_URL),
        ("webhook_timeout_secs", 10),
    ],
)
@pytest.mark.parametrize("is_told", [True, False], ids=["another", "none"])
def test_each_setting_counts(name: str, value: Any, is_told: bool) -> None:  # noqa: FBT001 - a column
    """A room of which one setting is another, or is not told, is not ours, unless nobody asked for it."""
    change: dict[str, Any] = {name: value if is_told else None}
    room = evolve(MADE, **change)
    assert not ours(room)
    assert ours(room, {key: asked for key, asked in ASKED.items() if key != name})


@pytest.mark.parametrize("name", ["webhook_event_url", "webhook_event_failover_url"])
@pytest.mark.parametrize("asked", [None, ""], ids=["null", "empty"])
@pytest.mark.parametrize("told", [None, ""], ids=["null", "empty"])
def test_no_url_is_no_url(name: str, asked: str | None, told: str | None) -> None:
    """A URL that was not set may come back as null or as an empty text; one that is set differs from both."""
    change: dict[str, Any] = {name: told}
    room = evolve(MADE, **change)
    assert ours(room, {**ASKED, name: asked})
    assert not ours(MADE, {**ASKED, name: asked})
    assert not ours(room)


def test_a_setting_that_no_room_tells() -> None:
    """A room that could not say whether it has a setting is not taken for ours."""
    assert not ours(MADE, {**ASKED, "colour": "red"})


def test_what_is_false_may_not_be_told() -> None:
    """A room that tells nothing of a recording makes none."""
    assert ours(evolve(MADE, enable_recording=None), {**ASKED, "enable_recording": False})
    assert ours(evolve(MADE, enable_recording=False), {**ASKED, "enable_recording": False})
    assert not ours(MADE, {**ASKED, "enable_recording": False})


def test_no_time_to_wait_is_not_the_default() -> None:
    """Zero seconds are not the server's default, which is null."""
    assert ours(evolve(MADE, webhook_timeout_secs=0), {**ASKED, "webhook_timeout_secs": 0})
    assert not ours(evolve(MADE, webhook_timeout_secs=0), {**ASKED, "webhook_timeout_secs": 5})
    assert not ours(evolve(MADE, webhook_timeout_secs=None), {**ASKED, "webhook_timeout_secs": 0})
    assert not ours(evolve(MADE, webhook_timeout_secs=0), {**ASKED, "webhook_timeout_secs": None})


SETTINGS = st.fixed_dictionaries(
    {"unique_name": st.text("ab", min_size=1, max_size=2)},
    optional={
        "max_participants": st.integers(2, 4),
        "enable_recording": st.booleans(),
        "webhook_event_url": st.sampled_from([URL, OTHER_URL]),
        "webhook_event_failover_url": st.sampled_from([None, URL, OTHER_URL]),
        "webhook_timeout_secs": st.none() | st.integers(0, 3),
    },
)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(SETTINGS, st.floats(-5, 5))
def test_what_was_made_of_a_body_is_ours(wanted: dict[str, object], skew: float) -> None:
    """Whatever is asked for, a room that is made of just that within the call is ours."""
    asked = body_fields(RoomBody(**wanted))  # type: ignore[arg-type]  # drawn to fit
    room = Room(id="a-room", created_at=BEGAN + timedelta(seconds=1 + skew), **wanted)  # type: ignore[arg-type]
    assert ours(room, dict(asked))
    assert not ours(evolve(room, unique_name=f"{room.unique_name}!"), dict(asked))


# --- the server's clock -------------------------------------------------------------------------------------

DATE, DATE_AT = (b"DATE", b"Sun, 25 Apr 2021 12:00:00 GMT"), BEGAN.timestamp()


def clock(*dates: bytes | None) -> ServerClock:
    """Return a clock that has seen these dates, or answers without, one every ten seconds from 100 on."""
    it = ServerClock()
    for number, date in enumerate(dates):
        sent = 100.0 + 10 * number
        it.newest = ((b"Server", b"a"), *([] if date is None else [(b"Date", date)])), sent, sent + 2
        it.read()
    return it


def test_the_local_clock_counts_until_a_date_was_seen() -> None:
    """Without one the two clocks may be five seconds apart."""
    for it in (ServerClock(), clock(None), clock(b"", b"soon", b"\xff", b"Wed, 32 Oct 2015 07:28:00 GMT")):
        assert it.now(130.0, 5000.0) == 5000.0
        assert it.span(120.0, 130.0, 5000.0) == (4985.0, 5005.0)


def test_the_date_counts_whatever_the_local_clock_says() -> None:
    """With one the clock is the server's, within seven seconds and the time that its answer took."""
    it = ServerClock(((DATE,), 100.0, 102.0))
    for local in (0.0, 1e6, 1e12):
        assert it.now(112.0, local) == DATE_AT + 10
        assert it.span(106.0, 112.0, local) == (DATE_AT + 4 - 7, DATE_AT + 12 + 7)


def test_the_newest_date_that_can_be_read_counts() -> None:
    """An answer without one, or with nonsense, takes nothing away."""
    it = clock(b"Sun, 25 Apr 2021 11:00:00 GMT", DATE[1], None, b"soon")
    assert it.now(112.0, 0.0) == DATE_AT


@settings(deadline=None, max_examples=300, derandomize=True)
@given(
    skew=st.floats(-1e9, 1e9),
    steps=st.tuples(*[st.floats(0, 60)] * 6),
    is_answered_before=st.booleans(),
    drift=st.floats(-5, 5),
)
def test_a_room_made_within_the_call_is_within_the_span(
    skew: float, steps: tuple[float, ...], drift: float, *, is_answered_before: bool
) -> None:
    """However far off the server's clock is, however long its answer took, before the call or within it."""
    times = list(accumulate(steps))
    if is_answered_before:
        sent, written, received, began, made, now = times
    else:
        began, made, sent, written, received, now = times
    date = formatdate(DATE_AT + skew + written, usegmt=True).encode()
    earliest, latest = ServerClock((((b"date", date),), sent, received)).span(began, now, 0.0)
    assert earliest <= DATE_AT + skew + made + drift <= latest


def test_namesakes() -> None:
    """Only rooms of exactly the name count, in the order in which they came."""
    names = ["Weekly", "weekly", "Weekly ", None, "Weekly", "Weekly 2"]
    rooms = [Room(id=f"{number}", unique_name=name) for number, name in enumerate(names)]
    assert [room.id for room in namesakes(rooms, "Weekly")] == ["0", "4"]
