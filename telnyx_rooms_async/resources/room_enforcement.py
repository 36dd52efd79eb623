"""Carry out the policies of rooms: read their state, wait until an action is due, check again, act."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable, Sequence
from contextlib import aclosing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias, cast

from attrs import evolve

from telnyx_rooms_async.batch.streams import Done, Outcome, stream
from telnyx_rooms_async.core.endpoints import DELETE_ROOM, END_SESSION, LIST_ROOMS, RETRIEVE_ROOM
from telnyx_rooms_async.core.protocol import build
from telnyx_rooms_async.core.requests import RoomsQuery
from telnyx_rooms_async.core.validators import (
    check_function,
    checked_count,
    checked_flag,
    checked_seconds,
    is_id,
    short_repr,
)
from telnyx_rooms_async.errors import (
    APIConnectionError,
    APIResponseError,
    ConflictError,
    EventClaimedError,
    InternalServerError,
    InvalidArgumentError,
    NotFoundError,
    PaginationError,
    RateLimitError,
    SessionEndedError,
)
from telnyx_rooms_async.http.api_session import ApiSession
from telnyx_rooms_async.http.attempt_log import logger
from telnyx_rooms_async.models import RoomSession
from telnyx_rooms_async.pagination import Listing
from telnyx_rooms_async.policies import PolicyAction, RoomPolicy, planned_actions
from telnyx_rooms_async.resources.sessions import Sessions
from telnyx_rooms_async.webhooks import (
    Event,
    EventRouter,
    EventStore,
    RoomParticipantJoined,
    RoomParticipantLeft,
    RoomSessionEnded,
    RoomSessionStarted,
)
from telnyx_rooms_async.webhooks.stores import handle_claimed

BeforeAction: TypeAlias = Callable[[PolicyAction], Awaitable[bool | timedelta | None]]
"""False vetoes an action, a `timedelta` postpones it; None and True let it happen."""
OnWarning: TypeAlias = Callable[[PolicyAction], Awaitable[object]]

_Key: TypeAlias = tuple[object, ...]
_TEMPORARY: Final = (
    APIConnectionError,
    APIResponseError,
    ConflictError,
    InternalServerError,
    PaginationError,
    RateLimitError,
)
_EVENTS: Final = (RoomSessionStarted, RoomSessionEnded, RoomParticipantJoined, RoomParticipantLeft)
_PREFETCH: Final = 4
_SHORTEST_WAIT: Final = 0.05
_LONGEST_RETRY: Final = 60.0
"""Seconds until a failed action or reading is repeated, or an action that another instance has claimed."""
_SHORTEST_POSTPONEMENT: Final = timedelta(seconds=1)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_ALWAYS: Final = datetime.min.replace(tzinfo=UTC)


class Enforcer:
    """Carries out policies. See `Rooms.enforce` for the arguments."""

    def __init__(
        self,
        api: ApiSession,
        policies: Iterable[RoomPolicy],
        *,
        dry_run: bool,
        interval: float,
        router: EventRouter | None,
        store: EventStore | None,
        before_action: BeforeAction | None,
        on_warning: OnWarning | None,
        concurrency: int,
    ) -> None:
        self._api = api
        self._policies = _check_policies(policies)
        self._concurrency = checked_count("concurrency", concurrency)
        self._interval = checked_seconds("interval", interval)
        self._retry_delay = min(self._interval, _LONGEST_RETRY)
        self._dry_run = checked_flag("dry_run", dry_run)
        if not isinstance(cast("object", router), EventRouter | None):
            raise InvalidArgumentError((f"router must be an EventRouter, not {short_repr(router)}",))
        self._router = router
        self._store = None if dry_run else store
        check_function("before_action", before_action)
        check_function("on_warning", on_warning)
        self._before_action, self._on_warning = before_action, on_warning
        self._needs_sessions = any(policy.ends_sessions for policy in self._policies)
        self._needs_participants = any(
            policy.alone_timeout or policy.empty_timeout for policy in self._policies
        )
        self._plans: dict[str, tuple[PolicyAction, ...]] = {}
        """By the id of the session, or of the room that is to be deleted."""
        self._not_before: dict[_Key, datetime] = {}
        """When an action that was done, vetoed, postponed or failed may be tried again."""
        self._latest_time = 0.0
        """The latest result of `_now`, in seconds since the epoch."""
        self._next_reading = 0.0
        """By the monotonic clock."""
        self._changed_sessions: set[str] = set()
        """Ids in events that were not looked at."""
        self._has_changed = asyncio.Event()

    async def run(self, *, once: bool) -> AsyncGenerator[PolicyAction, None]:
        """Act until the generator is closed, or once."""
        with self._subscribed():
            await self._read_all()
            while True:
                while due := self._due_actions():
                    outcomes = stream(self._carry_out, due, concurrency=self._concurrency)
                    async with aclosing(outcomes):
                        async for outcome in outcomes:
                            if (action := self._result(outcome)) is not None:
                                yield action
                if once:
                    return
                await self._wait()
                await self._read_changes()

    @contextmanager
    def _subscribed(self) -> Generator[None, None, None]:
        """Collect the sessions that events name."""
        loop = asyncio.get_running_loop()

        def add(session_id: str) -> None:
            self._changed_sessions.add(session_id)
            self._has_changed.set()

        async def on_event(event: Event) -> None:
            session_id = event.payload.session_id if isinstance(event, _EVENTS) else None
            if session_id is not None and is_id(session_id):
                loop.call_soon_threadsafe(add, session_id)  # a router can be used by several threads

        if (router := self._router) is None:
            yield
            return
        router.on(Event)(on_event)
        try:
            yield
        finally:
            router.remove_handler(on_event)

    # --- reading ------------------------------------------------------------------------------------------

    async def _read_all(self) -> None:
        """Plan the actions of all rooms and active sessions."""
        self._next_reading = self._api.clock.monotonic() + self._interval
        self._latest_time = 0.0  # the clock may have been corrected
        active = Sessions(self._api).list(active=True, include_participants=self._needs_participants)
        sessions = await active.prefetch(_PREFETCH).all() if self._needs_sessions else []
        by_room: dict[str | None, list[RoomSession]] = {}
        for session in sessions:
            by_room.setdefault(session.room_id, []).append(session)
        # After the sessions, so that their rooms are in the list.
        plans: dict[str, tuple[PolicyAction, ...]] = {}
        async for room in Listing(self._api, build(LIST_ROOMS, query=RoomsQuery())).prefetch(_PREFETCH):
            subjects: Sequence[RoomSession | None] = by_room.get(room.id, (None,))
            for subject in subjects:
                if plan := planned_actions(self._policies, room, subject, now=self._now()):
                    plans[plan[0].subject_id] = plan
        self._plans = plans
        self._not_before = {key: at for key, at in self._not_before.items() if key[0] in plans}

    async def _read_changes(self) -> None:
        """Read everything if it is time, or else the sessions that events named."""
        try:
            if self._api.clock.monotonic() >= self._next_reading:
                self._changed_sessions.clear()
                await self._read_all()
                return
            changed, self._changed_sessions = self._changed_sessions, set()
            outcomes = stream(self._read_session, changed, concurrency=self._concurrency)
            async with aclosing(outcomes):
                async for outcome in outcomes:
                    outcome.unwrap()
        except _TEMPORARY as error:
            self._next_reading = self._api.clock.monotonic() + self._retry_delay
            message = "policies: the API is not available, next reading in %g s: %s"
            logger.warning(message, self._retry_delay, error)

    async def _read_session(self, session_id: str) -> None:
        """Plan the actions of one session."""
        sessions = Sessions(self._api)
        plan: tuple[PolicyAction, ...] = ()
        with suppress(NotFoundError):
            session = await sessions.retrieve(session_id)
            if self._needs_participants:
                participants = await sessions.participants(session_id).all()
                session = evolve(session, participants=tuple(participants))
            if session.room_id is not None:
                plan = await self._plan(session.room_id, session)
        self._plans[session_id] = plan

    async def _read_room(self, room_id: str) -> None:
        """Plan the deletion of one room."""
        plan: tuple[PolicyAction, ...] = ()
        with suppress(NotFoundError):
            plan = await self._plan(room_id, None)
        self._plans[room_id] = plan

    async def _plan(self, room_id: str, session: RoomSession | None) -> tuple[PolicyAction, ...]:
        room = await self._api.call(build(RETRIEVE_ROOM, room_id=room_id))
        return planned_actions(self._policies, room, session, now=self._now())

    # --- acting -------------------------------------------------------------------------------------------

    def _now(self) -> datetime:
        """Return the server's time, which does not go back: its responses have whole seconds."""
        self._latest_time = max(self._latest_time, self._api.server_now())
        return datetime.fromtimestamp(self._latest_time, UTC)

    def _key(self, action: PolicyAction) -> _Key:
        if self._dry_run and action.type != "warn":  # the first limit would end it
            return action.subject_id, action.type
        return action.subject_id, action.type, action.rule, action.limit_at

    def _retry_at(self) -> datetime:
        return self._now() + timedelta(seconds=self._retry_delay)

    def _possible_at(self, action: PolicyAction) -> datetime:
        """Return when an action can be carried out."""
        return max(action.due_at, self._not_before.get(self._key(action), _ALWAYS))

    def _due_actions(self) -> list[PolicyAction]:
        """Return the first action of each session and room that is due."""
        now = self._now()
        due = ([action for action in plan if self._is_due(action, now)] for plan in self._plans.values())
        return [actions[0] for actions in due if actions]

    def _is_due(self, action: PolicyAction, now: datetime) -> bool:
        is_late_warning = action.type == "warn" and action.limit_at <= now
        return self._possible_at(action) <= now and not is_late_warning

    async def _carry_out(self, action: PolicyAction) -> PolicyAction | None:
        """Carry out an action unless another instance does, and return the result if there is one."""
        if self._store is None:
            return await self._check_and_act(action)
        event_id = _event_id(action)
        try:
            is_claimed = await self._store.claim(event_id)
        except EventClaimedError:
            self._not_before[self._key(action)] = self._retry_at()
            return None
        if not is_claimed:
            self._not_before[self._key(action)] = _NEVER
            return None
        result: PolicyAction | None = None

        async def handle() -> bool:
            nonlocal result
            result = await self._check_and_act(action)
            return result is not None and result.status == "done"

        await handle_claimed(self._store, event_id, handle)
        return result

    async def _check_and_act(self, planned: PolicyAction) -> PolicyAction | None:
        """Read the state again; if the action is still due, ask the hook and act."""
        if planned.session is None:
            await self._read_room(planned.subject_id)
        else:
            await self._read_session(planned.subject_id)
        now = self._now()
        same = (
            action
            for action in self._plans.get(planned.subject_id, ())
            if (action.type, action.rule) == (planned.type, planned.rule) and self._is_due(action, now)
        )
        action = next(same, None)
        if action is None or self._dry_run:
            return action
        decision: object = None if self._before_action is None else await self._before_action(action)
        match decision:
            case None | True:
                is_done = await self._act(action)
                return evolve(action, status="done") if is_done else None
            case False:
                return evolve(action, status="vetoed")
            case timedelta():
                retry_at = self._now() + max(decision, _SHORTEST_POSTPONEMENT)
                return evolve(action, status="postponed", retry_at=retry_at)
            case _:
                problem = f"before_action must return a bool, a timedelta or None, not {short_repr(decision)}"
                raise InvalidArgumentError((problem,))

    async def _act(self, action: PolicyAction) -> bool:
        """Return False if the session or the room is gone, by itself or by another client."""
        if action.type == "warn":
            if self._on_warning is not None:
                await self._on_warning(action)
            return True
        is_done = True
        try:
            if action.type == "end_session":
                await self._api.call(build(END_SESSION, session_id=action.subject_id))
            else:
                await self._api.call(build(DELETE_ROOM, room_id=action.subject_id))
        except (NotFoundError, SessionEndedError):
            is_done = False
        del self._plans[action.subject_id]
        return is_done

    def _result(self, outcome: Outcome[PolicyAction, PolicyAction | None]) -> PolicyAction | None:
        """Return the action of an outcome, and remember when it may be tried again."""
        if isinstance(outcome, Done):
            action = outcome.value
        else:
            action = evolve(outcome.item, status="failed", error=outcome.error, retry_at=self._retry_at())
        if action is not None:
            self._not_before[self._key(action)] = action.retry_at or _NEVER
        return action

    # --- waiting ------------------------------------------------------------------------------------------

    async def _wait(self) -> None:
        """Wait until an action is due, an event arrives, or it is time to read everything."""
        clock, now = self._api.clock, self._now()
        seconds = self._next_reading - clock.monotonic()
        times = (self._possible_at(action) for plan in self._plans.values() for action in plan)
        if (earliest := min((at for at in times if at > now), default=_NEVER)) != _NEVER:
            seconds = min(seconds, (earliest - now).total_seconds())
        with self._api.in_flight_calls:
            async with asyncio.TaskGroup() as tasks:
                pause = tasks.create_task(_sleep(clock.sleep, max(seconds, _SHORTEST_WAIT)))
                event = tasks.create_task(self._has_changed.wait())
                await asyncio.wait((pause, event), return_when=asyncio.FIRST_COMPLETED)
                pause.cancel()
                event.cancel()
        self._has_changed.clear()


async def _sleep(sleep: Callable[[float], Awaitable[object]], seconds: float) -> None:
    await sleep(seconds)


def _event_id(action: PolicyAction) -> str:
    """Return the id of an action in the event store. A session ends once, but has several warnings."""
    if action.type == "warn":
        return f"policy:warn:{action.subject_id}:{action.rule}:{action.limit_at.isoformat()}"
    return f"policy:{action.type}:{action.subject_id}"


def _check_policies(policies: Iterable[RoomPolicy]) -> tuple[RoomPolicy, ...]:
    values = tuple(policies) if isinstance(cast("object", policies), Iterable) else ()
    if not values or not all(isinstance(cast("object", value), RoomPolicy) for value in values):
        problem = f"policies must be at least one RoomPolicy, in a list, not {short_repr(policies)}"
        raise InvalidArgumentError((problem,))
    return values
