"""Plans: the changes between desired and existing rooms."""

import pickle
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from telnyx_rooms_async import Change, InvalidArgumentError, Plan, Room, RoomFields
from telnyx_rooms_async.resources.room_reconciliation import compare, parse_desired

SERVER_DEFAULTS: Mapping[str, Any] = {
    "max_participants": 10,
    "enable_recording": False,
    "webhook_event_failover_url": "",
}
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
    lambda rooms: [Room(id=str(index), **{**SERVER_DEFAULTS, **room}) for index, room in enumerate(rooms)]
)
ROOM = Room(id="a", unique_name="Weekly", **SERVER_DEFAULTS)


def applied(plan: Plan, rooms: list[Room]) -> list[Room]:
    by_id = {room.id: room for room in rooms}
    for change in plan.changes:
        settings: Any = change.after
        if change.action == "create":
            room_id = f"new {change.unique_name}"
            by_id[room_id] = Room(
                id=room_id, unique_name=change.unique_name, **{**SERVER_DEFAULTS, **settings}
            )
        elif change.action == "update":
            by_id[str(change.room_id)] = evolve(by_id[str(change.room_id)], **settings)
        else:
            del by_id[str(change.room_id)]
    return list(by_id.values())


@settings(deadline=None, max_examples=100, derandomize=True)
@given(DESIRED, ROOMS, st.booleans())
def test_applied_plan_leaves_no_difference_and_other_rooms_untouched(
    desired: list[RoomFields],
    rooms: list[Room],
    prune: bool,  # noqa: FBT001 - drawn by hypothesis
) -> None:
    wanted = parse_desired(desired)
    plan = compare(wanted, rooms, prune=prune)
    after = applied(plan, rooms)
    again = compare(wanted, after, prune=prune)
    assert (again.changes, again.unchanged) == ((), len(desired))
    assert plan.creates + plan.updates + plan.unchanged == len(desired)
    others = {room for room in rooms if room.unique_name not in wanted}
    assert plan.deletes == (len(others) if prune else 0)
    assert others.isdisjoint(after) if prune else others <= set(after)


@pytest.mark.parametrize(
    ("settings", "changes"),
    [
        ({}, {}),
        ({"max_participants": 10}, {}),
        ({"max_participants": 11}, {"max_participants": 11}),
        ({"enable_recording": False}, {}),
        ({"enable_recording": True}, {"enable_recording": True}),
        ({"webhook_event_failover_url": None}, {}),
        ({"webhook_event_failover_url": ""}, {}),
        ({"webhook_timeout_secs": 0}, {"webhook_timeout_secs": 0}),
        ({"webhook_timeout_secs": None}, {}),
    ],
)
@pytest.mark.parametrize("room", [ROOM, evolve(ROOM, enable_recording=None)], ids=["off", "null"])
def test_only_requested_settings_that_differ_are_changed(
    room: Room, settings: RoomFields, changes: Mapping[str, object]
) -> None:
    plan = compare(parse_desired([{"unique_name": "Weekly", **settings}]), [room], prune=False)
    assert [change.after for change in plan.changes] == ([changes] if changes else [])


def test_of_two_rooms_of_a_name_the_first_counts_and_none_is_deleted() -> None:
    rooms = [ROOM, evolve(ROOM, id="b", max_participants=20)]
    assert compare(parse_desired([{"unique_name": "Weekly"}]), rooms, prune=True) == Plan(unchanged=1)


def test_plan_is_printed_as_a_table_and_can_be_pickled() -> None:
    desired = parse_desired(
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
    assert str(plan.changes[1]) == "create  'Bare'"
    assert pickle.loads(pickle.dumps(plan)) == plan


def test_control_characters_of_names_and_ids_are_escaped() -> None:
    shown = str(Change(action="delete", unique_name="\x9b", room_id="\x1b[31m\u202e" + "x" * 1000))
    assert shown.isprintable()
    assert len(shown) < 400


def test_plan_without_changes_is_false() -> None:
    plan = compare({}, [ROOM], prune=False)
    assert not plan
    assert str(plan) == "0 to create, 0 to update, 0 to delete, 0 unchanged"


def test_deletion_lists_the_settings_of_the_room() -> None:
    (change,) = compare({}, [ROOM], prune=True).changes
    before = {"max_participants": 10, "enable_recording": False}
    assert change == Change(action="delete", unique_name="Weekly", room_id="a", before=before)


@pytest.mark.parametrize(
    ("unchanged", "max_deletes", "message"),
    [
        (1, None, "deletes 3 of 4 rooms, more than half: nothing was changed; max_deletes=3 allows it"),
        (9, 2, "deletes 3 of 12 rooms, more than max_deletes=2: nothing was changed"),
        (9, -1, "max_deletes must be a whole number of at least 0"),
        (9, True, "max_deletes must be a whole number of at least 0"),
        (3, None, None),
        (0, 3, None),
    ],
)
def test_plan_may_delete_half_of_the_rooms_or_max_deletes(
    unchanged: int, max_deletes: int | None, message: str | None
) -> None:
    plan = Plan(changes=(Change(action="delete", room_id="a"),) * 3, unchanged=unchanged)
    with pytest.raises(InvalidArgumentError, match=message) if message else nullcontext():
        plan.check_deletes(max_deletes)


def test_all_problems_are_reported_with_the_index_of_the_room() -> None:
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
        parse_desired(rooms)
    *rooms_with_problems, duplicate = (problem.split(":")[0] for problem in caught.value.problems)
    assert rooms_with_problems == [f"room {index}" for index in (0, 0, 1, 2, 3, 4, 8)]
    assert duplicate.startswith("unique_name 'D'")


@pytest.mark.parametrize(("count", "reported"), [(50, 50), (51, 51), (5000, 51)])
def test_number_of_reported_problems_is_limited(count: int, reported: int) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        parse_desired({"unique_name": f"Room {number}", "max_participants": 1} for number in range(count))
    assert len(caught.value.problems) == reported
    is_summary = caught.value.problems[-1] == f"and {count - 50} more"
    assert is_summary is (count > 50)
