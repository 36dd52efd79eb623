"""Policies: what is due, for which rooms, and how policies are written."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from telnyx_rooms_async import InvalidArgumentError, Room, RoomParticipant, RoomSession
from telnyx_rooms_async.policies import (
    AllowedHours,
    PolicyAction,
    RoomPolicy,
    parse_policies,
    planned_actions,
)

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
ROOM = Room(id="room", unique_name="clinic-1", created_at=datetime(2026, 3, 1, tzinfo=UTC))
OFFICE = AllowedHours(start=time(8), end=time(18), zone="Europe/Berlin", weekdays=["mon", "tue", "fri"])


def at(text: str, day: str = "2026-03-02") -> datetime:
    return datetime.fromisoformat(f"{day}T{text}Z")


def stay(joined_at: str, left_at: str | None = None, context: str | None = None) -> RoomParticipant:
    return RoomParticipant(
        id=f"{joined_at} to {left_at}",
        context=context,
        joined_at=at(joined_at),
        left_at=None if left_at is None else at(left_at),
    )


def session_of(*participants: RoomParticipant) -> RoomSession:
    return RoomSession(
        id="session", room_id="room", active=True, created_at=at("09:00"), participants=participants
    )


def plan(
    policy: RoomPolicy, session: RoomSession | None = None, *, now: datetime | None = None
) -> list[tuple[str, str, datetime]]:
    actions = planned_actions([policy], ROOM, session, now=now or at("12:00"))
    return [(action.type, action.rule, action.due_at) for action in actions]


def test_time_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="now must be timezone-aware"):
        plan(RoomPolicy(max_duration=HOUR), session_of(), now=datetime(2026, 3, 2))  # noqa: DTZ001 - on purpose


# --- sessions -----------------------------------------------------------------------------------------------


def test_session_ends_at_its_maximum_duration() -> None:
    policy = RoomPolicy(max_duration=2 * HOUR)
    assert plan(policy, session_of()) == [("end_session", "max_duration", at("11:00"))]


@pytest.mark.parametrize(
    "session",
    [
        RoomSession(id="session", active=True),
        RoomSession(id="session", active=False, created_at=at("09:00"), participants=()),
        RoomSession(id="session", created_at=at("09:00"), ended_at=at("10:00"), participants=()),
    ],
    ids=["no time, unknown participants", "inactive", "ended"],
)
def test_nothing_is_planned_for_sessions_about_which_nothing_is_known_or_that_ended(
    session: RoomSession,
) -> None:
    assert plan(RoomPolicy(max_duration=HOUR, alone_timeout=HOUR, empty_timeout=HOUR), session) == []


ALONE_SINCE: dict[str, tuple[list[RoomParticipant], str | None]] = {
    "one person": ([stay("09:00")], "09:00"),
    "two people": ([stay("09:00"), stay("09:30")], None),
    "the second left": ([stay("09:00"), stay("09:30", "10:00")], "10:00"),
    "the first left": ([stay("09:00", "09:50"), stay("09:30")], "09:50"),
    "others came and went": ([stay("09:00"), stay("09:05", "09:10"), stay("10:00", "10:30")], "10:30"),
    "reconnects": ([stay("09:00", "09:30"), stay("09:31", "10:00"), stay("10:02")], "09:00"),
    "a stay of no time": ([stay("09:00"), stay("09:30", "09:30")], "09:00"),
    "left before joined": ([stay("09:00"), stay("09:30", "09:20")], "09:00"),
    "left in the future": ([stay("09:00"), stay("09:30", "12:01")], "12:01"),
    "joined in the future": ([stay("12:00:01")], "12:00:01"),
    "empty": ([stay("09:00", "10:00")], None),
    "without participants": ([], None),
}


@pytest.mark.parametrize(("participants", "since"), ALONE_SINCE.values(), ids=ALONE_SINCE)
def test_person_is_alone_since_the_last_other_person_left(
    participants: list[RoomParticipant], since: str | None
) -> None:
    expected = [("end_session", "alone_timeout", at(since) + 15 * MINUTE)] if since else []
    for order in (participants, participants[::-1]):
        assert plan(RoomPolicy(alone_timeout=15 * MINUTE), session_of(*order)) == expected


def test_people_are_recognised_by_the_identity_of_the_policy() -> None:
    phone, laptop = stay("09:00", context='{"id": 7}'), stay("09:30", context='{"id": 7}')
    for policy, count in (
        (RoomPolicy(alone_timeout=HOUR), 0),
        (RoomPolicy(alone_timeout=HOUR, identity="id"), 1),
        (RoomPolicy(alone_timeout=HOUR, identity=None), 1),
    ):
        assert len(plan(policy, session_of(phone, laptop))) == count


@pytest.mark.parametrize(
    ("participants", "since"),
    [
        ([], "09:00"),
        ([stay("09:00", "10:00"), stay("09:10", "09:20")], "10:00"),
        ([stay("09:00", "10:00"), stay("11:00")], None),
    ],
)
def test_session_is_empty_since_the_last_person_left(
    participants: list[RoomParticipant], since: str | None
) -> None:
    expected = [("end_session", "empty_timeout", at(since) + 5 * MINUTE)] if since else []
    assert plan(RoomPolicy(empty_timeout=5 * MINUTE), session_of(*participants)) == expected


@pytest.mark.parametrize(
    ("now", "types"),
    [("10:00", ["warn", "end_session"]), ("10:59:59", ["warn", "end_session"]), ("11:00", ["end_session"])],
)
def test_warning_comes_before_the_end_and_never_after(now: str, types: list[str]) -> None:
    policy = RoomPolicy(max_duration=2 * HOUR, warn_before=5 * MINUTE)
    actions = planned_actions([policy], ROOM, session_of(), now=at(now))
    assert [action.type for action in actions] == types
    assert {action.limit_at for action in actions} == {at("11:00")}
    if len(types) == 2:
        assert actions[0].due_at == at("10:55")


# --- hours --------------------------------------------------------------------------------------------------

NIGHT = AllowedHours(start=time(22), end=time(6), zone="Europe/Berlin")
ALWAYS = AllowedHours(start=time(), end=time(), zone=UTC)
MORNING = AllowedHours(start=time(8), end=time(12), zone=UTC)
AFTERNOON = AllowedHours(start=time(12), end=time(18), zone=UTC)
SUMMER_TIME = AllowedHours(start=time(2, 30), end=time(3), zone="Europe/Berlin")


@pytest.mark.parametrize(
    ("hours", "now", "due_at"),
    [
        (OFFICE, "2026-03-02T12:00", "2026-03-02T17:00"),  # Monday
        (OFFICE, "2026-03-02T17:00", "2026-03-02T17:00"),
        (OFFICE, "2026-03-03T02:00", "2026-03-02T17:00"),
        (OFFICE, "2026-03-03T12:00", "2026-03-03T17:00"),
        (OFFICE, "2026-03-05T12:00", "2026-03-03T17:00"),  # Thursday
        (OFFICE, "2026-07-03T12:00", "2026-07-03T16:00"),
        (NIGHT, "2026-03-02T12:00", "2026-03-02T09:00"),  # when it started
        (NIGHT, "2026-03-02T22:00", "2026-03-03T05:00"),
        (NIGHT, "2026-03-28T23:00", "2026-03-29T04:00"),  # clocks change
        (SUMMER_TIME, "2026-03-29T12:00", "2026-03-29T01:30"),
        ([MORNING, AFTERNOON], "2026-03-02T10:00", "2026-03-02T18:00"),
        ([AFTERNOON, MORNING], "2026-03-02T19:00", "2026-03-02T18:00"),
        (ALWAYS, "2026-03-02T12:00", None),
    ],
)
def test_session_ends_when_the_hours_end(
    hours: AllowedHours | list[AllowedHours], now: str, due_at: str | None
) -> None:
    instant = datetime.fromisoformat(f"{now}Z")
    expected = [("end_session", "allowed_hours", datetime.fromisoformat(f"{due_at}Z"))] if due_at else []
    assert plan(RoomPolicy(allowed_hours=hours), session_of(), now=instant) == expected


# --- rooms --------------------------------------------------------------------------------------------------


def test_room_is_deleted_at_its_maximum_age_unless_it_has_a_session() -> None:
    policy = RoomPolicy(max_rooms_age=timedelta(days=30))
    (action,) = planned_actions([policy], ROOM, None, now=at("12:00"))
    assert (action.type, action.due_at) == ("delete_room", datetime(2026, 3, 31, tzinfo=UTC))
    busy = Room(id="room", created_at=ROOM.created_at, active_session_id="session")
    for room in (busy, Room(id="room")):
        assert planned_actions([policy], room, None, now=at("12:00")) == ()


@pytest.mark.parametrize(
    ("selection", "is_for"),
    [
        ({}, True),
        ({"names": ["clinic-1", "b"]}, True),
        ({"names": iter(["clinic-1"])}, True),
        ({"names": ["clinic"]}, False),
        ({"names": []}, False),
        ({"prefix": "clinic-"}, True),
        ({"prefix": "school-"}, False),
        ({"predicate": lambda room: room.id == "room"}, True),
        ({"prefix": "clinic-", "predicate": lambda room: room.enable_recording}, False),
    ],
)
def test_policy_is_for_rooms_that_fulfil_all_conditions(selection: dict[str, Any], *, is_for: bool) -> None:
    policy = RoomPolicy(max_duration=HOUR, **selection)
    assert policy.is_for(ROOM) == is_for
    assert bool(planned_actions([policy], ROOM, session_of(), now=at("12:00"))) == is_for


def test_room_without_a_name_has_no_prefix() -> None:
    assert not RoomPolicy(prefix="a").is_for(Room(id="room"))


def test_first_policy_that_is_for_a_room_applies() -> None:
    exempt, general = RoomPolicy(names=["clinic-1"]), RoomPolicy(max_duration=HOUR)
    assert planned_actions([exempt, general], ROOM, session_of(), now=at("12:00")) == ()
    other = Room(id="room", unique_name="clinic-2")
    assert len(planned_actions([exempt, general], other, session_of(), now=at("12:00"))) == 1


# --- arguments ----------------------------------------------------------------------------------------------


HOURS = {"start": time(8), "end": time(9), "zone": UTC}


@pytest.mark.parametrize(
    ("make", "options", "problem"),
    [
        (
            RoomPolicy,
            {"max_duration": 7200},
            "max_duration must be a positive timedelta, up to 100 years, not 7",
        ),
        (RoomPolicy, {"alone_timeout": timedelta()}, "alone_timeout must be a positive timedelta"),
        (RoomPolicy, {"max_duration": HOUR, "warn_before": HOUR}, "warn_before must be shorter than max_"),
        (RoomPolicy, {"max_rooms_age": HOUR, "warn_before": MINUTE}, "warn_before needs a limit of sessions"),
        (RoomPolicy, {"names": "clinic"}, "names must be a list of names, not 'clinic'"),
        (RoomPolicy, {"names": [1]}, "names must be a list of names"),
        (RoomPolicy, {"prefix": ""}, "prefix must be a text that is not empty, not ''"),
        (RoomPolicy, {"predicate": True}, "predicate must be a function of a Room, not True"),
        (RoomPolicy, {"identity": 7}, "identity must be a field of the context, a function or None, not 7"),
        (RoomPolicy, {"allowed_hours": []}, "allowed_hours must be AllowedHours, one or several"),
        (RoomPolicy, {"allowed_hours": "8-18"}, "allowed_hours must be AllowedHours, one or several"),
        (AllowedHours, HOURS | {"start": 8}, "start must be a time of day without a zone, not 8"),
        (AllowedHours, HOURS | {"end": time(8, tzinfo=UTC)}, "end must be a time of day without a zone"),
        (AllowedHours, HOURS | {"zone": "Europe/Atlantis"}, "zone must be a time zone such as"),
        (AllowedHours, HOURS | {"zone": "../etc", "weekdays": "mon"}, "zone must be a time zone such as"),
        (AllowedHours, HOURS | {"zone": "../etc", "weekdays": "mon"}, "weekdays must be a list of"),
        (AllowedHours, HOURS | {"zone": 1}, "zone must be a time zone such as"),
        (AllowedHours, HOURS | {"weekdays": [0]}, "weekdays must be a list of mon, tue"),
        (AllowedHours, HOURS | {"weekdays": ()}, "weekdays must be a list of mon, tue"),
    ],
)
def test_invalid_arguments_are_refused(
    make: Callable[..., Any], options: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InvalidArgumentError, match=re.escape(problem)):
        make(**options)


# --- files --------------------------------------------------------------------------------------------------


def test_policies_are_parsed_from_toml() -> None:
    text = """
        [[policies]]
        names = ["Board"]

        [[policies]]
        prefix = "clinic-"
        max_duration = "1h30m"
        alone_timeout = "90s"
        empty_timeout = "5m"
        warn_before = "1m"
        max_rooms_age = "30d"
        identity = "user_id"
        allowed_hours = [
            {start = "08:00", end = 18:00:00, zone = "Europe/Berlin", weekdays = ["mon", "tue", "fri"]},
        ]
    """
    board = RoomPolicy(names=["Board"])
    clinic = RoomPolicy(
        prefix="clinic-",
        max_duration=90 * MINUTE,
        alone_timeout=1.5 * MINUTE,
        empty_timeout=5 * MINUTE,
        warn_before=MINUTE,
        max_rooms_age=timedelta(days=30),
        identity="user_id",
        allowed_hours=OFFICE,
    )
    assert parse_policies(text) == (board, clinic)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("max_duration = ", "not TOML: Invalid value (at"),
        ("", "policies: at least one table [[policies]] is required"),
        ("policies = 3", "policies: at least one table"),
        ("policies = [3]", "policies[0] must be a table, not 3"),
        ("[policy]", "policy is unknown; the keys are policies"),
        ("[[policies]]\nmax_age = 3", "policies[0].max_age is unknown; the keys are allowed_hours, "),
        ("[[policies]]\nmax_duration = 3", 'policies[0].max_duration must be a duration such as "90m" or'),
        ("[[policies]]\nmax_duration = 'h'", "policies[0].max_duration must be a duration"),
        ("[[policies]]\nmax_duration = ''", "policies[0].max_duration must be a duration"),
        ("[[policies]]\nmax_duration = '0s'", "policies[0].max_duration must be a positive timedelta"),
        ("[[policies]]\npredicate = 'x'", "policies[0].predicate is unknown"),
        ("[[policies]]\nmax_duration = '999999d'", "policies[0].max_duration must be a positive timedelta"),
        ("[[policies]]\nmax_duration = '9999999999d'", "policies[0].max_duration must be a duration"),
        ("[[policies]]\nidentity = 3", "policies[0].identity must be a field of the context"),
        ("[[policies]]\n[[policies]]\nnames = 'a'", "policies[1].names must be a list of names, not 'a'"),
        ("[[policies]]\nallowed_hours = 8", "policies[0].allowed_hours must be a table, not 8"),
        (
            "[[policies]]\nallowed_hours = [{start = '8', end = '18:00', zone = 'UTC'}]",
            "policies[0].allowed_hours[0].start must be a time of day such as \"08:00\", not '8'",
        ),
        ("[[policies]]\nallowed_hours = {zone = 'UTC'}", "policies[0].allowed_hours.start is missing"),
        (
            "[[policies]]\nallowed_hours = {start = '08:00', end = '18:00', zone = 'Mars'}",
            "policies[0].allowed_hours.zone must be a time zone such as 'Europe/Berlin', not 'Mars'",
        ),
    ],
)
def test_errors_in_a_file_name_the_key(text: str, problem: str) -> None:
    with pytest.raises(InvalidArgumentError, match=re.escape(problem)):
        parse_policies(text)


def test_action_as_text_and_as_json() -> None:
    policy = RoomPolicy(max_duration=HOUR)
    (end,) = planned_actions([policy], ROOM, session_of(), now=at("12:00"))
    assert str(end) == ("planned: end session session of room clinic-1, max_duration at 2026-03-02T10:00:00Z")
    failed = PolicyAction(
        type="delete_room",
        rule="max_rooms_age",
        policy=policy,
        room=Room(id="1", unique_name="a\x1b[31m"),
        due_at=at("10:00"),
        limit_at=at("10:00"),
        status="failed",
        retry_at=at("11:00"),
        error=ValueError("no"),
    )
    assert str(failed) == (
        r"failed: delete room a\x1b[31m, max_rooms_age at 2026-03-02T10:00:00Z: no;"
        " next try at 2026-03-02T11:00:00Z"
    )
    assert failed.to_dict() == {
        "type": "delete_room",
        "rule": "max_rooms_age",
        "status": "failed",
        "room_id": "1",
        "unique_name": "a\x1b[31m",
        "session_id": None,
        "due_at": "2026-03-02T10:00:00Z",
        "limit_at": "2026-03-02T10:00:00Z",
        "retry_at": "2026-03-02T11:00:00Z",
        "error": "no",
    }
