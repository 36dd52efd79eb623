"""`Rooms.enforce`: policies are carried out in time and once, in spite of faults and other instances."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any, TypeAlias

import pytest
from aiohttp import ClientSession, TCPConnector
from attrs import define, evolve, field

from telnyx_rooms_async import (
    AuthenticationError,
    ClientClosedError,
    EventClaimedError,
    InternalServerError,
    InvalidArgumentError,
    NotFoundError,
    ReadOnlyError,
    RetryPolicy,
    Room,
    RoomsClient,
)
from telnyx_rooms_async.emulator import Emulator, Fault
from telnyx_rooms_async.policies import PolicyAction, RoomPolicy
from telnyx_rooms_async.webhooks import (
    EventRouter,
    EventStore,
    MemoryEventStore,
    ParticipantJoinedPayload,
    RoomParticipantJoined,
    RoomSessionStarted,
    SessionStartedPayload,
    Webhooks,
)
from tests.helpers.clocks import FakeClock

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
LIMITED = [RoomPolicy(max_duration=HOUR)]
SleepUntil: TypeAlias = Callable[[int], Awaitable[None]]


@pytest.fixture
async def telnyx(time: FakeClock) -> AsyncIterator[Emulator]:
    async with Emulator(clock=time, sleep=time.sleep) as emulator:
        yield emulator


@asynccontextmanager
async def client_of(telnyx: Emulator, time: FakeClock, **options: Any) -> AsyncIterator[RoomsClient]:
    options = {"clock": time.clock} | options
    async with RoomsClient(telnyx.api_key, base_url=telnyx.url, **options) as client:
        yield client


@pytest.fixture
async def client(telnyx: Emulator, time: FakeClock) -> AsyncIterator[RoomsClient]:
    async with client_of(telnyx, time) as rooms_client:
        yield rooms_client


@pytest.fixture
async def room(telnyx: Emulator) -> Room:
    telnyx.seed(1)
    return telnyx.rooms[0]


async def once(client: RoomsClient, policies: list[RoomPolicy], **options: Any) -> list[tuple[str, str]]:
    actions = client.rooms.enforce(policies, once=True, **options)
    return [(action.type, action.status) async for action in actions]


def operations(telnyx: Emulator) -> list[str]:
    """Return the requests that change something."""
    return [f"{request.method} {request.path}" for request in telnyx.requests if request.method != "GET"]


# --- actions ------------------------------------------------------------------------------------------------


async def test_session_is_ended_when_it_is_due_and_not_before(
    client: RoomsClient, telnyx: Emulator, time: FakeClock, room: Room
) -> None:
    session_id = telnyx.join(room.id).session_id
    time.advance(seconds=3599)
    assert await once(client, LIMITED) == []
    time.advance(seconds=1)
    async for action in client.rooms.enforce(LIMITED, once=True):
        assert (action.type, action.rule, action.status) == ("end_session", "max_duration", "done")
        assert action.room.id == room.id
        assert action.session is not None
        assert action.session.id == action.subject_id == session_id
    session = await client.sessions.retrieve(session_id or "")
    assert session.ended_at == time.now
    assert await once(client, LIMITED) == []


async def test_action_happens_at_its_time_between_two_readings(
    client: RoomsClient, telnyx: Emulator, time: FakeClock, room: Room
) -> None:
    telnyx.join(room.id)
    time.advance(seconds=90.25)
    start = time.now
    policies = [RoomPolicy(alone_timeout=HOUR, warn_before=5 * MINUTE)]
    warnings: list[PolicyAction] = []

    async def warn(action: PolicyAction) -> None:
        warnings.append(action)

    async with aclosing(client.rooms.enforce(policies, interval=3000, on_warning=warn)) as actions:
        for kind_of_action, minutes in (("warn", 55), ("end_session", 60)):
            action = await anext(actions)
            assert (action.type, action.status) == (kind_of_action, "done")
            delay = time.now - (start - timedelta(seconds=90.25)) - minutes * MINUTE
            assert timedelta() <= delay <= 1.1 * SECOND
    assert [warning.type for warning in warnings] == ["warn"]
    assert len([request for request in telnyx.requests if request.path.endswith("/rooms")]) == 2


async def test_room_is_deleted_after_its_session(
    client: RoomsClient, telnyx: Emulator, time: FakeClock, room: Room
) -> None:
    policies = [RoomPolicy(max_rooms_age=HOUR), RoomPolicy(max_duration=HOUR)]
    person = telnyx.join(room.id)
    time.advance(seconds=7200)
    assert await once(client, policies) == []
    telnyx.leave(person.id)
    assert await once(client, policies) == [("delete_room", "done")]
    assert telnyx.rooms == ()


async def test_dry_run_changes_nothing_and_shows_each_action_once(
    client: RoomsClient, telnyx: Emulator, time: FakeClock, room: Room
) -> None:
    telnyx.join(room.id)
    telnyx.seed(1)
    time.advance(seconds=7200)
    policies = [RoomPolicy(max_duration=HOUR, alone_timeout=HOUR, max_rooms_age=HOUR)]

    async def fail(_: PolicyAction) -> None:
        raise AssertionError

    actions = client.rooms.enforce(policies, dry_run=True, before_action=fail, on_warning=fail, interval=10)
    async with aclosing(actions):
        shown = [await anext(actions), await anext(actions)]
        assert sorted((action.type, action.status) for action in shown) == [
            ("delete_room", "planned"),
            ("end_session", "planned"),
        ]
        third = asyncio.ensure_future(anext(actions))
        for _ in range(200):
            await asyncio.sleep(0.001)
        assert not third.done()
        third.cancel()
        await asyncio.wait((third,))
    assert operations(telnyx) == []


# --- the state is read again --------------------------------------------------------------------------------


async def test_person_that_arrives_meanwhile_prevents_the_end(
    client: RoomsClient, telnyx: Emulator, time: FakeClock, room: Room
) -> None:
    telnyx.join(room.id)
    time.advance(seconds=7200)
    telnyx.inject(Fault(delay=1), operation="ViewRoomSession")
    telnyx.inject(
        Fault(), operation="RetrieveListRoomParticipants", when=lambda _: bool(telnyx.join(room.id))
    )
    assert await once(client, [RoomPolicy(alone_timeout=HOUR)]) == []
    assert operations(telnyx) == []


async def test_session_and_room_that_are_gone_meanwhile_are_no_failures(
    client: RoomsClient, telnyx: Emulator, time: FakeClock, room: Room
) -> None:
    telnyx.seed(1)
    other = telnyx.rooms[-1]
    person = telnyx.join(room.id)
    time.advance(seconds=7200)
    policies = [RoomPolicy(max_duration=HOUR, max_rooms_age=HOUR)]

    async def end_first(action: PolicyAction) -> None:
        if action.type == "end_session":
            telnyx.leave(person.id)
        else:
            await client.rooms.delete(other)

    assert await once(client, policies, before_action=end_first) == []


@pytest.mark.parametrize("operation", ["ViewRoomSession", "ViewRoom"])
async def test_subject_that_is_not_found_is_forgotten(
    client: RoomsClient, telnyx: Emulator, time: FakeClock, room: Room, operation: str
) -> None:
    telnyx.join(room.id)
    telnyx.seed(1)
    time.advance(seconds=7200)
    telnyx.inject(Fault(status=404), operation=operation, times=2)
    done = await once(client, [RoomPolicy(max_duration=HOUR, max_rooms_age=HOUR)])
    assert done == ([("delete_room", "done")] if operation == "ViewRoomSession" else [])


# --- hooks --------------------------------------------------------------------------------------------------


async def test_hook_vetoes_or_postpones_an_action(
    client: RoomsClient, telnyx: Emulator, time: FakeClock, room: Room
) -> None:
    telnyx.join(room.id)
    time.advance(seconds=7200)
    decisions: list[bool | timedelta | None] = [10 * MINUTE, -MINUTE, False]
    start = time.now

    async def decide(action: PolicyAction) -> bool | timedelta | None:
        assert action.status == "planned"
        return decisions.pop(0)

    actions = client.rooms.enforce(
        [RoomPolicy(max_duration=HOUR, alone_timeout=3 * HOUR)], before_action=decide
    )
    async with aclosing(actions):
        action = await anext(actions)
        assert (action.status, action.retry_at) == ("postponed", start + 10 * MINUTE)
        action = await anext(actions)
        assert (action.status, action.retry_at) == ("postponed", start + 10 * MINUTE + SECOND)
        assert (await anext(actions)).status == "vetoed"
        decisions.append(None)
        action = await anext(actions)
        assert (action.rule, action.status) == ("alone_timeout", "done")
        assert start + HOUR <= time.now <= start + HOUR + 2 * SECOND
    assert len(operations(telnyx)) == 1


@pytest.mark.parametrize("decision", [0, "", "no", 5.0])
async def test_decision_of_another_type_prevents_the_action(
    client: RoomsClient, telnyx: Emulator, time: FakeClock, room: Room, decision: Any
) -> None:
    telnyx.join(room.id)
    time.advance(seconds=7200)

    async def decide(_: PolicyAction) -> Any:
        return decision

    (action,) = [action async for action in client.rooms.enforce(LIMITED, once=True, before_action=decide)]
    assert isinstance(action.error, InvalidArgumentError)
    assert "before_action must return" in str(action.error)
    assert operations(telnyx) == []


# --- failures -----------------------------------------------------------------------------------------------


async def test_failed_action_is_an_outcome_and_is_tried_again(
    telnyx: Emulator, time: FakeClock, room: Room
) -> None:
    telnyx.join(room.id)
    telnyx.seed(1)
    other = telnyx.rooms[-1]
    telnyx.join(other.id)
    time.advance(seconds=7200)
    telnyx.inject(Fault(status=403), operation="EndSession")
    async with client_of(telnyx, time) as client:
        actions = client.rooms.enforce(LIMITED, interval=30, concurrency=1)
        async with aclosing(actions):
            failed, done, retried = await anext(actions), await anext(actions), await anext(actions)
    assert (failed.status, done.status, retried.status) == ("failed", "done", "done")
    assert failed.error is not None
    assert failed.subject_id == retried.subject_id != done.subject_id
    assert failed.retry_at is not None
    assert failed.retry_at <= time.now <= failed.retry_at + 2 * SECOND


async def test_failed_warning_is_repeated_and_keeps_nothing_else_waiting(
    client: RoomsClient, telnyx: Emulator, time: FakeClock, room: Room
) -> None:
    telnyx.join(room.id)
    calls: list[str] = []

    async def warn(action: PolicyAction) -> None:
        calls.append(action.type)
        if len(calls) == 1:
            raise NotFoundError(404)  # of a request of its own

    policies = [RoomPolicy(max_duration=HOUR, warn_before=5 * MINUTE)]
    store = MemoryEventStore()
    async with aclosing(client.rooms.enforce(policies, on_warning=warn, store=store)) as actions:
        results = [await anext(actions) for _ in range(3)]
    assert [(result.type, result.status) for result in results] == [
        ("warn", "failed"),
        ("warn", "done"),
        ("end_session", "done"),
    ]
    assert calls == ["warn", "warn"]


async def test_first_reading_raises_and_later_ones_are_repeated(
    telnyx: Emulator, time: FakeClock, room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    telnyx.join(room.id)
    telnyx.inject(Fault(status=503), operation="ListRooms")
    async with client_of(telnyx, time, retry=RetryPolicy(max_attempts=1)) as client:
        with pytest.raises(InternalServerError):
            await once(client, LIMITED)
        start = time.now
        for fault, minutes, times in ((Fault(status=503), 5, 2), (Fault(status=401), 65, 1)):
            is_later = partial(lambda later, _: time.now >= later, start + minutes * MINUTE)
            telnyx.inject(fault, operation="ListRooms", times=times, when=is_later)
        async with aclosing(client.rooms.enforce(LIMITED)) as actions:
            assert (await anext(actions)).status == "done"
            assert caplog.text.count("policies: the API is not available") == 2
            with pytest.raises(AuthenticationError):
                await anext(actions)


async def test_read_only_client_only_reads(telnyx: Emulator, time: FakeClock, room: Room) -> None:
    telnyx.join(room.id)
    time.advance(seconds=7200)
    async with client_of(telnyx, time, read_only=True) as client:
        (action,) = [action async for action in client.rooms.enforce(LIMITED, once=True)]
    assert isinstance(action.error, ReadOnlyError)
    assert operations(telnyx) == []


# --- the end ------------------------------------------------------------------------------------------------


def own_tasks() -> set[asyncio.Task[Any]]:
    """Return all tasks but those of the emulator's connections."""
    return {task for task in asyncio.all_tasks() if "RequestHandler" not in repr(task)}


@pytest.mark.parametrize("moment", ["waiting", "acting"])
async def test_nothing_outlives_a_cancelled_generator(
    telnyx: Emulator, time: FakeClock, room: Room, moment: str
) -> None:
    telnyx.join(room.id)
    store, router, started = Store(time), EventRouter(), asyncio.Event()

    async def hang(_: object) -> None:
        started.set()
        await asyncio.Event().wait()

    if moment == "acting":
        time.advance(seconds=7200)
    async with client_of(telnyx, time, clock=evolve(time.clock, sleep=hang)) as client:
        tasks = own_tasks()
        actions = client.rooms.enforce(LIMITED, before_action=hang, store=store, router=router)
        task = asyncio.ensure_future(anext(actions))
        await started.wait()
        assert len(store.claims) == (moment == "acting")
        assert len(router._handlers) == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert own_tasks() == tasks
        assert (store.claims, store.handled, router._handlers) == ({}, set(), [])


async def test_closing_the_client_ends_the_wait(telnyx: Emulator, time: FakeClock, room: Room) -> None:
    started = asyncio.Event()

    async def hang(_: object) -> None:
        started.set()
        await asyncio.Event().wait()

    async with client_of(telnyx, time, clock=evolve(time.clock, sleep=hang)) as client:
        task = asyncio.ensure_future(anext(client.rooms.enforce(LIMITED)))
        await started.wait()
        await client.close()
        with pytest.raises(ClientClosedError):
            await task


async def test_closing_between_two_actions_leaves_the_others_to_the_next_start(
    client: RoomsClient, telnyx: Emulator, time: FakeClock
) -> None:
    telnyx.seed(20)
    for room in telnyx.rooms:
        telnyx.join(room.id)
    time.advance(seconds=7200)
    async with aclosing(client.rooms.enforce(LIMITED, concurrency=2)) as actions:
        await anext(actions)
    left = [room for room in telnyx.rooms if room.active_session_id is not None]
    assert 10 < len(left) < 20
    assert len(await once(client, LIMITED)) == len(left)
    assert len(operations(telnyx)) == 20


# --- webhooks -----------------------------------------------------------------------------------------------


async def test_events_show_changes_at_once(
    client: RoomsClient, telnyx: Emulator, time: FakeClock, room: Room
) -> None:
    router = EventRouter()
    policies = [RoomPolicy(alone_timeout=10 * MINUTE)]
    actions = client.rooms.enforce(policies, interval=100_000, router=router)
    with time.fast_forward():
        async with aclosing(actions):
            first = asyncio.ensure_future(anext(actions))
            await asyncio.sleep(60)
            joined_at, session_id = time.now, telnyx.join(room.id).session_id
            # The first response lacks the room, so that the session is only known after the second event.
            telnyx.inject(Fault(body={"data": {"id": session_id}}), operation="ViewRoomSession")
            for number in range(2):
                await router.dispatch(
                    RoomSessionStarted(id=f"{number}", payload=SessionStartedPayload(session_id=session_id))
                )
                await asyncio.sleep(1)
            for odd in ("", "../x", "00000000-0000-4000-8000-000000000000", None):
                payload = ParticipantJoinedPayload(session_id=odd)
                await router.dispatch(RoomParticipantJoined(id=f"odd {odd}", payload=payload))
            action = await first
            assert (action.rule, action.status) == ("alone_timeout", "done")
            assert timedelta() <= time.now - joined_at - 10 * MINUTE <= 2 * SECOND
    assert router._handlers == []
    assert sum(request.path.endswith("/room_sessions") for request in telnyx.requests) == 1


# --- arguments ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policies", "options", "problem"),
    [
        ([], {}, "policies must be at least one RoomPolicy"),
        (RoomPolicy(), {}, "policies must be at least one RoomPolicy, in a list"),
        (["2h"], {}, "policies must be at least one RoomPolicy"),
        (LIMITED, {"interval": 0}, "interval must be a positive number of seconds, not 0"),
        (LIMITED, {"interval": "60"}, "interval must be a positive number of seconds, not '60'"),
        (LIMITED, {"concurrency": 0}, "concurrency must be a whole number of at least 1"),
        (LIMITED, {"dry_run": "yes"}, "dry_run must be True or False"),
        (LIMITED, {"once": "no"}, "once must be True or False"),
        (LIMITED, {"router": Webhooks}, "router must be an EventRouter"),
        (LIMITED, {"before_action": True}, "before_action must be a function"),
        (LIMITED, {"on_warning": "print"}, "on_warning must be a function"),
    ],
)
def test_invalid_arguments_are_refused_at_the_call(policies: Any, options: Any, problem: str) -> None:
    with pytest.raises(InvalidArgumentError, match=problem):
        RoomsClient("KEY").rooms.enforce(policies, **options)


# --- several instances, faults and kills --------------------------------------------------------------------


@define
class Store:
    """Event store that instances share, whose claims end by themselves after a minute, as those in Redis."""

    time: FakeClock
    handled: set[str] = field(factory=set[str])
    claims: dict[str, float] = field(factory=dict[str, float])
    killed: asyncio.Event = field(factory=asyncio.Event)
    """A killed process neither completes nor releases its claims."""

    async def claim(self, event_id: str) -> bool:
        await asyncio.sleep(0)
        if event_id in self.handled:
            return False
        if self.claims.get(event_id, 0) > self.time.seconds:
            raise EventClaimedError(("another worker is handling the event",))
        self.claims[event_id] = self.time.seconds + 60
        return True

    async def complete(self, event_id: str) -> None:
        if not self.killed.is_set():
            self.handled.add(event_id)
            self.claims.pop(event_id, None)

    async def release(self, event_id: str) -> None:
        if not self.killed.is_set():
            self.claims.pop(event_id, None)


async def test_action_that_another_instance_claimed_is_left_to_it_until_its_claim_ends(
    client: RoomsClient, telnyx: Emulator, time: FakeClock, room: Room
) -> None:
    session_id = telnyx.join(room.id).session_id
    time.advance(seconds=7200)
    store = Store(time)
    assert await store.claim(f"policy:end_session:{session_id}")
    assert await once(client, LIMITED, store=store) == []
    assert operations(telnyx) == []
    async with aclosing(client.rooms.enforce(LIMITED, store=store, interval=10)) as actions:
        start = time.now
        assert (await anext(actions)).status == "done"
    assert time.now >= start + 50 * SECOND


# Two sessions in each room, one after the other. Times are in half minutes. People join at
# multiples of STEP, and leave a minute after such times, so that limits are reached while nothing happens.
STEP, LEAVING, SLOT = 10, 2, 200
ALONE, LONGEST = 35, 105
HALF_MINUTE = timedelta(seconds=30)
TOLERANCE = timedelta(seconds=80)
"""For actions that meet faults, and for a restart."""
TEAM_POLICIES = [
    RoomPolicy(names=["Room 1", "Room 2"]),
    RoomPolicy(prefix="Room", max_duration=LONGEST * HALF_MINUTE, alone_timeout=ALONE * HALF_MINUTE),
]


@define(eq=False)
class Meeting:
    """A session, and when people join and leave."""

    room: Room
    people: list[tuple[int, int]]
    session_id: str | None = None

    @classmethod
    def create(cls, room: Room, slot: int, random: Random) -> "Meeting":
        begin = slot * SLOT + STEP * random.randrange(4)
        people = [(begin, begin + STEP * random.randint(1, 15) + LEAVING)]
        for _ in range(random.randrange(4)):
            joined = STEP * random.randint(1, 12)
            left = random.randint(joined, 15 * STEP) // STEP * STEP
            people.append((begin + joined, begin + left + LEAVING))
        return cls(room, people)

    def end(self) -> tuple[bool, int]:
        """Return whether a policy ends the session, and when it ends."""
        begin = alone_since = self.people[0][0]
        is_exempt = self.room.unique_name in ("Room 1", "Room 2")
        for time in range(begin, begin + SLOT):
            present = sum(joined <= time < left for joined, left in self.people)
            if present == 0:
                return False, time
            if present > 1:
                alone_since = time + 1
            if not is_exempt and (time - begin >= LONGEST or time - alone_since >= ALONE):
                return True, time
        raise AssertionError

    async def attend(self, telnyx: Emulator, sleep_until: SleepUntil, joined: int, left: int) -> None:
        """Join unless the session has ended, and leave."""
        await sleep_until(joined)
        is_first = joined == self.people[0][0]
        active = telnyx._state.rooms[self.room.id].active_session_id
        assert not (is_first and active)
        if not is_first and active != self.session_id:
            return
        person = telnyx.join(self.room.id)
        self.session_id = person.session_id
        await sleep_until(left)
        with suppress(LookupError):  # the session was ended
            telnyx.leave(person.id)


@define(eq=False)
class Instance:
    """An instance of an app, which is killed while it ends a session of these numbers, and started again."""

    telnyx: Emulator
    time: FakeClock
    store: Store
    kills: list[int] = field(factory=list[int])
    actions: list[PolicyAction] = field(factory=list[PolicyAction])

    async def run(self) -> None:
        while True:
            killed = asyncio.Event()
            if self.kills:
                self._kill_during(self.kills.pop(0), killed)
            process = asyncio.create_task(self._enforce(evolve(self.store, killed=killed)))
            kill = asyncio.create_task(killed.wait())
            try:
                await asyncio.wait((process, kill), return_when=asyncio.FIRST_COMPLETED)
                process.cancel()
                await asyncio.wait((process,))
            finally:
                process.cancel()
                kill.cancel()
            assert killed.is_set(), process.result()
            await asyncio.sleep(5)

    async def _enforce(self, store: EventStore) -> None:
        # Connections that are never closed need no timers, at each of which the clock would stop.
        connector = TCPConnector(limit=4, keepalive_timeout=1e6)
        async with (
            ClientSession(connector=connector) as session,
            client_of(self.telnyx, self.time, session=session) as client,
        ):
            actions = client.rooms.enforce(TEAM_POLICIES, store=store, interval=300)
            async with aclosing(actions):
                async for action in actions:
                    self.actions.append(action)

    def _kill_during(self, number: int, killed: asyncio.Event) -> None:
        ends = 0

        def is_time(_: object) -> bool:
            nonlocal ends
            ends += 1
            if ends == number:
                killed.set()
            return ends == number

        self.telnyx.inject(Fault(delay=1, after=True), operation="EndSession", when=is_time)


@pytest.mark.parametrize(("rooms", "count", "kills"), [(50, 1, [10, 20]), (250, 2, [50, 100])])
async def test_every_due_session_is_ended_once_and_no_other(
    telnyx: Emulator, time: FakeClock, rooms: int, count: int, kills: list[int]
) -> None:
    random = Random(16)
    telnyx.seed(rooms)
    meetings = [Meeting.create(room, slot, random) for room in telnyx.rooms for slot in range(2)]
    store, start = Store(time), time.now
    instances = [Instance(telnyx, time, store, [*kills]) for _ in range(count)]
    for operation in ("EndSession", "ViewRoomSession", "ListRoomSessions", "RetrieveListRoomParticipants"):
        for fault in (Fault(cut="before"), Fault(cut="after", reset=True), Fault(status=503)):
            telnyx.inject(fault, operation=operation, times=None, when=lambda _: random.random() < 0.03)

    async def sleep_until(half_minutes: int) -> None:
        await asyncio.sleep((start + half_minutes * HALF_MINUTE - time.now).total_seconds())

    with time.fast_forward():
        async with asyncio.TaskGroup() as apps:
            running = [apps.create_task(instance.run()) for instance in instances]
            async with asyncio.TaskGroup() as people:
                for meeting in meetings:
                    for joined, left in meeting.people:
                        people.create_task(meeting.attend(telnyx, sleep_until, joined, left))
            await sleep_until(2 * SLOT)
            for task in running:
                task.cancel()

    ended_at: dict[str | None, Any] = {session.id: session.ended_at for session in telnyx._state.sessions}
    assert len(ended_at) == len(meetings) == 2 * rooms
    due = {meeting.session_id for meeting in meetings if meeting.end()[0]}
    assert rooms < len(due) < 1.8 * rooms
    for meeting in meetings:
        is_due, end = meeting.end()
        delay = ended_at[meeting.session_id] - (start + end * HALF_MINUTE)
        assert timedelta() <= delay <= (TOLERANCE if is_due else SECOND)
    done = [
        action.subject_id for instance in instances for action in instance.actions if action.status == "done"
    ]
    assert len(done) == len(set(done))
    assert set(done) <= due
    assert len(done) >= len(due) - 2 * 4 * count  # what was in flight at a kill
