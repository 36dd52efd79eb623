"""Ensure, plan and apply against the emulator: races, lost responses and outdated plans."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from telnyx_rooms_async import (
    Change,
    InvalidArgumentError,
    NotFoundError,
    Plan,
    Room,
    RoomFields,
    RoomsClient,
    batch,
)
from telnyx_rooms_async.emulator import Emulator, Fault

HOOK = "https://example.com/hook"


def sent(telnyx: Emulator) -> list[str]:
    return [request.method for request in telnyx.requests]


def named(telnyx: Emulator, name: str) -> Room:
    (room,) = (room for room in telnyx.rooms if room.unique_name == name)
    return room


async def applied(client: RoomsClient, plan: Plan) -> list[batch.Outcome[Change, Room | None]]:
    return [outcome async for outcome in client.rooms.apply(plan, max_deletes=plan.deletes)]


# --- ensure -------------------------------------------------------------------------------------------------


async def test_ensure_creates_updates_or_leaves_a_room(client: RoomsClient, telnyx: Emulator) -> None:
    first = await client.rooms.ensure("Weekly", max_participants=20, webhook_event_url=HOOK)
    assert (first.action, first.room) == ("created", named(telnyx, "Weekly"))
    assert first.changed == ("unique_name", "max_participants", "webhook_event_url")
    again = await client.rooms.ensure("Weekly", max_participants=20, webhook_event_url=HOOK)
    assert (again.action, again.changed, again.room) == ("unchanged", (), first.room)
    other = await client.rooms.ensure("Weekly", max_participants=20, enable_recording=True)
    assert (other.action, other.changed) == ("updated", ("enable_recording",))
    assert other.room == named(telnyx, "Weekly")
    assert other.room.webhook_event_url == HOOK
    assert telnyx.requests[-1].json == {"enable_recording": True}
    assert sent(telnyx) == ["GET", "POST", "GET", "GET", "PATCH"]


async def test_none_clears_a_setting_and_a_missing_one_stays(client: RoomsClient, telnyx: Emulator) -> None:
    await client.rooms.ensure("Weekly", webhook_event_failover_url=HOOK, webhook_timeout_secs=5)
    ensured = await client.rooms.ensure("Weekly", webhook_timeout_secs=None)
    assert (ensured.changed, ensured.room.webhook_timeout_secs) == (("webhook_timeout_secs",), None)
    assert ensured.room.webhook_event_failover_url == HOOK
    ensured = await client.rooms.ensure("Weekly", webhook_timeout_secs=None, webhook_event_failover_url=None)
    assert ensured.changed == ("webhook_event_failover_url",)
    assert telnyx.requests[-1].json == {"webhook_event_failover_url": None}


@pytest.mark.parametrize(
    ("name", "settings"),
    [("", {}), (7, {}), (None, {}), ("Weekly", {"max_participants": 51})],
    ids=["empty", "no text", "none", "a setting"],
)
async def test_invalid_settings_are_refused_before_a_request(
    client: RoomsClient, telnyx: Emulator, name: Any, settings: Any
) -> None:
    with pytest.raises(InvalidArgumentError):
        await client.rooms.ensure(name, **settings)
    assert telnyx.requests == []


@pytest.mark.parametrize("clients", [1, 3])
async def test_concurrent_ensures_make_one_room(telnyx: Emulator, clients: int) -> None:
    async with AsyncExitStack() as stack:
        racing = [
            await stack.enter_async_context(RoomsClient(telnyx.api_key, base_url=telnyx.url))
            for _ in range(clients)
        ]
        ensured = await asyncio.gather(
            *(racing[n % clients].rooms.ensure("Weekly", max_participants=20) for n in range(20))
        )
    assert {result.room.id for result in ensured} == {named(telnyx, "Weekly").id}
    assert [result.action for result in ensured].count("created") == 1


FAULTS: dict[str, tuple[str, Fault]] = {
    f"{operation} {name}": (operation, fault)
    for operation in ("ListRooms", "CreateRoom", "UpdateRoom")
    for name, fault in {
        "lost before": Fault(cut="before"),
        "lost after": Fault(cut="after"),
        "lost amid": Fault(cut="body"),
        "throttled": Fault(status=429, retry_after=1),
        "unavailable": Fault(status=503, retry_after=1),
        "failed": Fault(status=500),
    }.items()
}


@pytest.mark.parametrize(("operation", "fault"), FAULTS.values(), ids=FAULTS)
async def test_ensure_makes_one_room_under_faults(
    client: RoomsClient, telnyx: Emulator, operation: str, fault: Fault
) -> None:
    telnyx.inject(fault, operation=operation)
    first = await client.rooms.ensure("Weekly", max_participants=20)
    second = await client.rooms.ensure("Weekly", max_participants=30)
    assert (first.action, second.action) == ("created", "updated")
    assert telnyx.rooms == (second.room,)
    assert second.room.max_participants == 30


# --- plan and apply -----------------------------------------------------------------------------------------


async def test_applied_plan_leaves_nothing_to_change(client: RoomsClient, telnyx: Emulator) -> None:
    telnyx.seed(300)
    await client.rooms.create(unique_name="Weekly", max_participants=20)
    fine = await client.rooms.create(unique_name="Fine", webhook_event_url=HOOK)
    desired: list[RoomFields] = [
        {"unique_name": "Weekly", "max_participants": 30},
        {"unique_name": "Fine", "webhook_event_url": HOOK},
        {"unique_name": "New", "enable_recording": True},
    ]
    before = telnyx.rooms
    plan = await client.with_options(read_only=True).rooms.plan(desired, prune=True)
    assert telnyx.rooms == before
    assert (plan.creates, plan.updates, plan.deletes, plan.unchanged) == (1, 1, 300, 1)
    outcomes = await applied(client, plan)
    assert all(outcome.ok for outcome in outcomes)
    assert {room.unique_name for room in telnyx.rooms} == {"Weekly", "Fine", "New"}
    assert named(telnyx, "Weekly").max_participants == 30
    assert named(telnyx, "New").enable_recording
    assert named(telnyx, "Fine") == fine
    assert {outcome.unwrap() for outcome in outcomes} == {None, named(telnyx, "Weekly"), named(telnyx, "New")}
    assert sent(telnyx).count("PATCH") == 1
    assert not await client.rooms.plan(desired, prune=True)


async def test_invalid_plan_is_refused_before_a_request(client: RoomsClient, telnyx: Emulator) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        await client.rooms.plan([{"unique_name": "A", "max_participants": 1}, {"unique_name": "B"}] * 2)
    assert len(caught.value.problems) == 3
    with pytest.raises(InvalidArgumentError, match="plan must be a Plan"):
        _ = client.rooms.apply([])  # type: ignore[arg-type]  # wrong on purpose
    wrongs: list[dict[str, Any]] = [{"concurrency": 0}, {"max_failures": 0}]
    for wrong in wrongs:
        with pytest.raises(InvalidArgumentError, match="must be a whole number"):
            _ = client.rooms.apply(Plan(), **wrong)
    assert telnyx.requests == []


async def test_room_created_and_deleted_since_the_plan_is_looked_up_again(
    client: RoomsClient, telnyx: Emulator
) -> None:
    plan = await client.rooms.plan([{"unique_name": "Weekly", "max_participants": 20}])
    other = await client.rooms.create(unique_name="Weekly")

    telnyx.inject(Fault(status=404), operation="UpdateRoom")
    (outcome,) = await applied(client, plan)
    assert outcome.unwrap() == named(telnyx, "Weekly")
    assert named(telnyx, "Weekly").id == other.id
    assert sent(telnyx)[2:] == ["POST", "GET", "PATCH", "GET", "PATCH"]


async def test_outdated_plan_is_applied_as_far_as_possible(client: RoomsClient, telnyx: Emulator) -> None:
    weekly = await client.rooms.create(unique_name="Weekly")
    old = await client.rooms.create(unique_name="Old")
    desired: list[RoomFields] = [
        {"unique_name": "New", "max_participants": 20},
        {"unique_name": "Weekly", "max_participants": 20},
    ]
    plan = await client.rooms.plan(desired, prune=True)
    await client.rooms.create(unique_name="New", max_participants=5)
    await client.rooms.delete(weekly.id)
    await client.rooms.delete(old.id)
    outcomes = {outcome.item.action: outcome for outcome in await applied(client, plan)}
    assert named(telnyx, "New").max_participants == 20
    assert outcomes["create"].ok
    assert outcomes["delete"].ok
    failed = outcomes["update"]
    assert isinstance(failed, batch.Failed)
    assert isinstance(failed.error, NotFoundError)
    assert all(outcome.ok for outcome in await applied(client, await client.rooms.plan(desired, prune=True)))
    assert len(telnyx.rooms) == 2


async def test_lost_response_of_a_plan_is_looked_up(client: RoomsClient, telnyx: Emulator) -> None:
    plan = await client.rooms.plan([{"unique_name": f"Ward {number}"} for number in range(10)])
    telnyx.requests.clear()
    telnyx.inject(Fault(cut="after"), operation="CreateRoom")
    assert all(outcome.ok for outcome in await applied(client, plan))
    assert sorted(sent(telnyx)) == ["GET"] + ["POST"] * 10
    assert len(telnyx.rooms) == 10


async def test_plan_that_deletes_too_many_rooms_is_refused(client: RoomsClient, telnyx: Emulator) -> None:
    telnyx.seed(4)
    plan = await client.rooms.plan([{"unique_name": "Room 1"}], prune=True)
    with pytest.raises(InvalidArgumentError, match="the plan deletes 3 of 4 rooms"):
        _ = client.rooms.apply(plan)
    assert len(telnyx.requests) == 1
    assert all([outcome.ok async for outcome in client.rooms.apply(plan, max_deletes=3)])
    assert len(telnyx.rooms) == 1


async def test_change_with_an_unknown_action_deletes_nothing(client: RoomsClient, telnyx: Emulator) -> None:
    telnyx.seed(1)
    action: Any = "remove"
    plan = Plan(changes=(Change(action=action, room_id=telnyx.rooms[0].id),), unchanged=1)
    (outcome,) = await applied(client, plan)
    with pytest.raises(InvalidArgumentError, match="the action must be"):
        outcome.unwrap()
    assert len(telnyx.rooms) == 1


async def test_max_failures_of_creations_prevent_deletions(client: RoomsClient, telnyx: Emulator) -> None:
    telnyx.seed(5)
    telnyx.inject(Fault(status=403), operation="CreateRoom", times=None)
    plan = await client.rooms.plan([{"unique_name": f"Ward {n}"} for n in range(9)], prune=True)
    with pytest.raises(ExceptionGroup):
        async for _ in client.rooms.apply(plan, concurrency=2, max_failures=2, max_deletes=5):
            pass
    assert len(telnyx.rooms) == 5
