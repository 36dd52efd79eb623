"""Plans: what there is to do, out of rooms as they should be and rooms as they are."""

import pickle
from collections.abc import Mapping
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from telnyx_rooms_async import Change, InvalidArgumentError, Plan, Room, RoomFields
from telnyx_rooms_async.resources.room_reconciliation import compare, differing, read_desired

DEFAULTS: Mapping[str, Any] = {
    "max_participants": 10, "enable_recording": False, "webhook_event_failover_url": "",
}  # fmt: skip
"""What the server makes of settings that are not given."""

URLS = st.sampled_from(["https://example.com/a", "https://example.com/b"])
SETTINGS: Mapping[str, st.SearchStrategy[Any]] = {
    "max_participants": st.sampled_from([2, 10, 50]),
    "enable_recording": st.booleans(),
    "webhook_event_url": URLS,
    "webhook_event_failover_url": st.sampled_from([None, ""]) | URLS,
    "webhook_timeout_secs": st.sampled_from([None, 0, 30]),
}
NAMES = st.sampled_from(["Weekly", "weekly", "Daily", "Ünïcode"])
DESIRED = st.lists(
    st.fixed_dictionaries({"unique_name": NAMES}, optional=dict(SETTINGS)),
    unique_by=lambda room: room["unique_name"],
)
ROOMS = st.lists(st.fixed_dictionaries({"unique_name": st.none() | NAMES}, optional=dict(SETTINGS))).map(
    lambda rooms: [Room(id=str(index), **{**DEFAULTS, **room}) for index, room in enumerate(rooms)]
)


def carried_out(plan: Plan, rooms: list[Room]) -> list[Room]:
    """Do to rooms what a plan says."""
    by_id = {room.id: room for room in rooms}
    for change in plan.changes:
        if change.action == "create":
            room_id = f"new {change.unique_name}"
            settings: Any = {**DEFAULTS, **change.after}
            by_id[room_id] = Room(id=room_id, unique_name=change.unique_name, **settings)
        elif change.action == "update":
            assert change.room_id is not None
            fields: Any = change.after
            by_id[change.room_id] = evolve(by_id[change.room_id], **fields)
        else:
            assert change.room_id is not None
            del by_id[change.room_id]
    return list(by_id.values())


@settings(deadline=None, max_examples=300, derandomize=True)
@given(DESIRED, ROOMS, st.booleans())
def test_a_plan_leads_there(desired: list[RoomFields], rooms: list[Room], prune: bool) -> None:  # noqa: FBT001 - a case
    """When a plan is carried out every room is as it should be, no other is touched, and nothing is left."""
    wanted = read_desired(desired)
    plan = compare(wanted, rooms, prune=prune)
    after = carried_out(plan, rooms)
    first = {room.unique_name: room for room in reversed(after)}
    assert all(not differing(first[name], fields) for name, fields in wanted.items())
    again = compare(wanted, after, prune=prune)
    assert (again.changes, again.unchanged) == ((), len(desired))
    assert plan.creates + plan.updates + plan.unchanged == len(desired)
    others = {room for room in rooms if room.unique_name not in wanted}
    assert plan.deletes == (len(others) if prune else 0)
    assert others.isdisjoint(after) if prune else others <= set(after)


ROOM = Room(id="a", unique_name="Weekly", **DEFAULTS)
ALIKE: dict[str, tuple[RoomFields, Mapping[str, object]]] = {
    "nothing is asked for": ({}, {}),
    "the default of the server": ({"max_participants": 10}, {}),
    "another number": ({"max_participants": 11}, {"max_participants": 11}),
    "a flag that is off": ({"enable_recording": False}, {}),
    "a flag": ({"enable_recording": True}, {"enable_recording": True}),
    "an empty text for none": ({"webhook_event_failover_url": None}, {}),
    "none for an empty text": ({"webhook_event_failover_url": ""}, {}),
    "no time is not no seconds": ({"webhook_timeout_secs": 0}, {"webhook_timeout_secs": 0}),
    "no time": ({"webhook_timeout_secs": None}, {}),
}


@pytest.mark.parametrize(("asked", "after"), ALIKE.values(), ids=ALIKE)
def test_what_differs(asked: RoomFields, after: Mapping[str, object]) -> None:
    """Only what is asked for is compared, and null is the same as an empty text."""
    (wanted,) = read_desired([{"unique_name": "Weekly", **asked}]).values()
    assert differing(ROOM, wanted) == after


def test_a_flag_that_the_server_does_not_tell() -> None:
    """An answer without the flag is as good as one that says no."""
    assert differing(Room(id="a"), {"enable_recording": False}) == {}
    assert differing(Room(id="a"), {"enable_recording": True}) == {"enable_recording": True}


def test_two_rooms_of_one_name() -> None:
    """Should the server have two rooms of a name, the first is the one, and neither is deleted."""
    rooms = [ROOM, evolve(ROOM, id="b", max_participants=20)]
    assert compare(read_desired([{"unique_name": "Weekly"}]), rooms, prune=True) == Plan(unchanged=1)


def test_a_plan_is_shown_as_a_table() -> None:
    """Each change is a line, the last line counts; what does not print is escaped."""
    desired = read_desired(
        [
            {"unique_name": "New\n", "max_participants": 20, "enable_recording": True},
            {"unique_name": "Bare"},
            {"unique_name": "Weekly", "max_participants": 25, "enable_recording": True},
            {"unique_name": "Fine"},
        ]
    )
    rooms = [ROOM, Room(id="b", unique_name="Fine"), Room(id="c", unique_name="Old"), Room(id="d")]
    plan = compare(desired, rooms, prune=True)
    assert str(plan).splitlines() == [
        "create  'New\\n'         max_participants: 20, enable_recording: True",
        "create  'Bare'",
        "update  'Weekly'        max_participants: 10 -> 25, enable_recording: False -> True",
        "delete  'Old'           c",
        "delete  without a name  d",
        "2 to create, 1 to update, 2 to delete, 1 unchanged",
    ]
    assert (plan.creates, plan.updates, plan.deletes, plan.unchanged) == (2, 1, 2, 1)
    assert plan
    assert str(plan.changes[1]) == "create  'Bare'"


def test_a_plan_shows_no_control_character_of_an_id() -> None:
    """What a server sends as an id is escaped and cut like a name."""
    change = Change(action="delete", unique_name="\x9b", room_id="\x1b[31m\u202e" + "x" * 1000)
    shown = str(change)
    assert shown.isprintable()
    assert len(shown) < 400


def test_an_empty_plan() -> None:
    """A plan without changes is false, and says so."""
    plan = compare({}, [ROOM], prune=False)
    assert not plan
    assert str(plan) == "0 to create, 0 to update, 0 to delete, 0 unchanged"


def test_a_deletion_remembers_what_there_was() -> None:
    """What is to be deleted is told with its settings."""
    (change,) = compare({}, [ROOM], prune=True).changes
    before = {"max_participants": 10, "enable_recording": False}
    assert change == Change(action="delete", unique_name="Weekly", room_id="a", before=before)


def test_a_plan_can_be_sent_elsewhere() -> None:
    """A plan survives pickling."""
    plan = compare(read_desired([{"unique_name": "New", "max_participants": 5}]), [ROOM], prune=True)
    assert pickle.loads(pickle.dumps(plan)) == plan


def test_all_that_is_wrong_is_told_at_once() -> None:
    """Each mistake is told with the index of its room."""
    rooms: list[Any] = [
        {"unique_name": "A", "max_participants": 51, "webhook_event_url": "example.com"},
        {"max_participants": 5},
        {"unique_name": ""},
        {"unique_name": "B", "size": 3},
        "C",
        {"unique_name": "D"},
        {"unique_name": "d"},
        {"unique_name": "D", "enable_recording": True},
        {"unique_name": None},
    ]
    with pytest.raises(InvalidArgumentError) as caught:
        read_desired(rooms)
    told = caught.value.problems
    assert [problem.split(":")[0] for problem in told[:-1]] == [f"room {n}" for n in (0, 0, 1, 2, 3, 4, 8)]
    assert told[-1] == "unique_name 'D' is asked for 2 times"
    assert told[2] == "room 1: unique_name must be given: rooms are known by it"
    assert told[4:6] == (
        "room 3: a room has no field 'size'",
        "room 4: a room must be given by its fields, not 'C'",
    )


def test_thousands_of_mistakes() -> None:
    """Of very many mistakes the first are told, and how many more there are."""
    with pytest.raises(InvalidArgumentError) as caught:
        read_desired({"unique_name": f"Room {number}", "max_participants": 1} for number in range(5000))
    assert len(caught.value.problems) == 51
    assert caught.value.problems[-1] == "and 4950 more"


def test_fifty_mistakes() -> None:
    """As many as are told at once are not followed by more."""
    with pytest.raises(InvalidArgumentError) as caught:
        read_desired({"unique_name": f"Room {number}", "max_participants": 1} for number in range(50))
    assert len(caught.value.problems) == 50
    assert caught.value.problems[-1].startswith("room 49: max_participants must be")
