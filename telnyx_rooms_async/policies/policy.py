"""RoomPolicy, and the actions that it plans for a room and its session. No I/O."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any, Final, Literal, TypeAlias, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from attrs import evolve, field, frozen

from telnyx_rooms_async.core.validators import short_repr
from telnyx_rooms_async.errors import InvalidArgumentError, one_line
from telnyx_rooms_async.models import Room, RoomParticipant, RoomSession
from telnyx_rooms_async.reports import Identity, Interval, attendance_of
from telnyx_rooms_async.reports.attendance import IDENTITY_RULE, is_identity
from telnyx_rooms_async.reports.intervals import check_aware, merged

ActionType: TypeAlias = Literal["warn", "end_session", "delete_room"]
"""What is done; a warning is only passed to ``on_warning``."""
PolicyRule: TypeAlias = Literal[
    "max_duration", "alone_timeout", "empty_timeout", "allowed_hours", "max_rooms_age"
]
"""The field of `RoomPolicy` whose limit is reached."""
ActionStatus: TypeAlias = Literal["planned", "done", "vetoed", "postponed", "failed"]
"""``"vetoed"``: ``before_action`` returned False; ``"postponed"``: it returned a delay."""

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY: Final = timedelta(days=1)
_LONGEST: Final = timedelta(days=36_525)
_TIMEOUTS: Final = ("max_duration", "alone_timeout", "empty_timeout")
DURATIONS: Final = (*_TIMEOUTS, "max_rooms_age", "warn_before")
_SEARCHED_DAYS: Final = range(-8, 10)
"""A week in both directions, and hours over midnight."""


# --- conversion and checks of fields ------------------------------------------------------------------------


def _zone(zone: tzinfo | str) -> tzinfo:
    """Return the time zone of a name; the name of no zone stays a text, and is refused."""
    try:
        return ZoneInfo(zone) if isinstance(zone, str) else zone
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return cast("tzinfo", zone)


def _texts(texts: Iterable[str] | None) -> tuple[str, ...] | None:
    """Return texts as a tuple; a single text stays one, and is refused."""
    is_list = isinstance(cast("object", texts), Iterable) and not isinstance(texts, str)
    return tuple(cast("Iterable[str]", texts)) if is_list else cast("None", texts)


def _hours(hours: "AllowedHours | Iterable[AllowedHours] | None") -> "tuple[AllowedHours, ...] | None":
    if isinstance(hours, Iterable):
        return tuple(hours)
    return None if hours is None else (hours,)


def _is_time_of_day(value: object) -> bool:
    return isinstance(value, time) and value.tzinfo is None


def _all_are(cls: type, values: tuple[object, ...] | None) -> bool:
    """Return whether values are in a tuple, and of a class."""
    return isinstance(values, tuple) and all(isinstance(value, cls) for value in values)


def _check(instance: object, *problems: str, **fields: tuple[bool, str]) -> None:
    """Raise problems, and those of the fields of an instance: whether each is valid, and what it must be."""
    of_fields = tuple(
        f"{name} must be {expected}, not {short_repr(getattr(instance, name))}"
        for name, (is_valid, expected) in fields.items()
        if not is_valid
    )
    if problems or of_fields:
        raise InvalidArgumentError((*problems, *of_fields))


# --- policies -----------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class AllowedHours:
    """Hours of some days of the week, by the clocks of a time zone.

    Attributes:
        start: when the hours begin.
        end: when they end; at or before `start`: on the next day. 00:00 to 00:00 is a whole day.
        zone: a time zone such as ``"Europe/Berlin"``, or a `tzinfo`.
        weekdays: the days on which they begin, of ``"mon"``, ``"tue"``, … ``"sun"``; default: all.

    Raises:
        InvalidArgumentError: an argument is invalid.

    Example:
        >>> from datetime import time
        >>> office = AllowedHours(start=time(8), end=time(18), zone="Europe/Berlin", weekdays=["mon", "tue"])
    """

    start: time
    end: time
    zone: tzinfo = field(converter=_zone)
    weekdays: tuple[str, ...] | None = field(default=WEEKDAYS, converter=_texts)

    def __attrs_post_init__(self) -> None:
        days = self.weekdays
        _check(
            self,
            start=(_is_time_of_day(self.start), "a time of day without a zone"),
            end=(_is_time_of_day(self.end), "a time of day without a zone"),
            zone=(isinstance(cast("object", self.zone), tzinfo), "a time zone such as 'Europe/Berlin'"),
            weekdays=(
                bool(days) and _all_are(str, days) and set(days or ()) <= set(WEEKDAYS),
                f"a list of {', '.join(WEEKDAYS)}",
            ),
        )

    def around(self, instant: datetime) -> Iterator[Interval]:
        """Yield the hours of at least a week before and after an instant."""
        today = instant.astimezone(self.zone).date()
        for offset in _SEARCHED_DAYS:
            day = today + timedelta(days=offset)
            if WEEKDAYS[day.weekday()] in (self.weekdays or ()):
                last_day = day if self.end > self.start else day + _DAY
                start = datetime.combine(day, self.start, self.zone).astimezone(UTC)
                end = datetime.combine(last_day, self.end, self.zone).astimezone(UTC)
                yield Interval(start, max(start, end))  # the hour that clocks skip can come between


def participant_id(participant: RoomParticipant) -> str:
    """Recognise each participant as a person of its own."""
    return participant.id


@frozen(kw_only=True)
class RoomPolicy:
    """How long some rooms and their sessions may last.

    A policy without `names`, `prefix` and `predicate` is for all rooms; otherwise it is for the rooms that
    fulfil all of those that are given. Of several policies, the first one that is for a room applies. A
    policy without a limit exempts its rooms from the policies after it.

    Attributes:
        max_duration: a session ends at this age.
        alone_timeout: a session ends when one person has been alone in it for this time, also while waiting
            for others to join first.
        empty_timeout: a session ends when it has been without participants for this time. Telnyx ends such a
            session by itself, normally at once.
        allowed_hours: a session ends when these hours end, or at once if it starts outside of them. One
            `AllowedHours`, or several.
        max_rooms_age: a room is deleted at this age, but not during a session.
        warn_before: there is a warning this long before a session ends.
        names: the unique names of the rooms, exactly. An empty list is for no room.
        prefix: what the unique names of the rooms begin with.
        predicate: returns whether the policy is for a `Room`.
        identity: how people that join twice are recognised, with two devices for example, as in
            `reports.attendance_of`: a text such as ``"user_id"`` names a field of a JSON ``context``; None
            stands for the ``context`` itself. By default all participants are different people.

    Raises:
        InvalidArgumentError: an argument is invalid: all problems at once.

    Example:
        >>> from datetime import timedelta
        >>> policy = RoomPolicy(prefix="clinic-", max_duration=timedelta(hours=2))
    """

    max_duration: timedelta | None = None
    alone_timeout: timedelta | None = None
    empty_timeout: timedelta | None = None
    allowed_hours: tuple[AllowedHours, ...] | None = field(default=None, converter=_hours)
    max_rooms_age: timedelta | None = None
    warn_before: timedelta | None = None
    names: tuple[str, ...] | None = field(default=None, converter=_texts)
    prefix: str | None = None
    predicate: Callable[[Room], bool] | None = None
    identity: Identity = participant_id

    def __attrs_post_init__(self) -> None:
        hours, prefix, predicate = self.allowed_hours, cast("object", self.prefix), self.predicate
        _check(
            self,
            *self._problems_of_limits(),
            allowed_hours=(
                hours is None or (bool(hours) and _all_are(AllowedHours, hours)),
                "AllowedHours, one or several",
            ),
            names=(self.names is None or _all_are(str, self.names), "a list of names"),
            prefix=(prefix is None or (isinstance(prefix, str) and prefix != ""), "a text that is not empty"),
            predicate=(predicate is None or callable(predicate), "a function of a Room"),
            identity=(is_identity(self.identity), IDENTITY_RULE),
        )

    @property
    def ends_sessions(self) -> bool:
        """Whether the policy has a limit of sessions."""
        limits = (self.max_duration, self.alone_timeout, self.empty_timeout, self.allowed_hours)
        return any(limit is not None for limit in limits)

    def _problems_of_limits(self) -> Iterator[str]:
        for name in DURATIONS:
            value: object = getattr(self, name)
            if value is None:
                continue
            if not isinstance(value, timedelta) or not timedelta() < value <= _LONGEST:
                yield f"{name} must be a positive timedelta, up to 100 years, not {short_repr(value)}"
            elif name in _TIMEOUTS and isinstance(self.warn_before, timedelta) and value <= self.warn_before:
                yield f"warn_before must be shorter than {name}"
        if self.warn_before is not None and not self.ends_sessions:
            yield "warn_before needs a limit of sessions, such as max_duration"

    def is_for(self, room: Room) -> bool:
        """Return whether the policy is for a room."""
        name = room.unique_name or ""
        return (
            (self.names is None or name in self.names)
            and (self.prefix is None or name.startswith(self.prefix))
            and (self.predicate is None or bool(self.predicate(room)))
        )


# --- actions ------------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class PolicyAction:
    """What a policy demands: a warning, the end of a session, or the deletion of a room.

    Example:
        >>> policy = RoomPolicy(max_duration=timedelta(minutes=30))
        >>> async for action in client.rooms.enforce([policy], once=True, dry_run=True):
        ...     print(action.type, action.rule, action.status)
    """

    type: ActionType
    """``"warn"``, ``"end_session"`` or ``"delete_room"``."""
    rule: PolicyRule
    """The limit that is reached: the name of a field of `RoomPolicy`."""
    policy: RoomPolicy = field(repr=False)
    """The policy that applies to the room."""
    room: Room
    """The room, as it was read last."""
    session: RoomSession | None = None
    """None for the deletion of a room."""
    due_at: datetime
    """When the action is due."""
    limit_at: datetime
    """When the limit is reached: later than `due_at` for a warning."""
    status: ActionStatus = "planned"
    """``"planned"`` in a dry run; otherwise ``"done"``, ``"vetoed"``, ``"postponed"`` or ``"failed"``."""
    retry_at: datetime | None = None
    """When an action that was postponed or failed is tried again."""
    error: Exception | None = field(default=None, eq=False)
    """Why the action failed."""

    @property
    def subject_id(self) -> str:
        """The id of the session, or of the room that is deleted."""
        return self.room.id if self.session is None else self.session.id

    def to_dict(self) -> dict[str, Any]:
        """Return the action as plain JSON types."""
        return {
            "type": self.type,
            "rule": self.rule,
            "status": self.status,
            "room_id": self.room.id,
            "unique_name": self.room.unique_name,
            "session_id": None if self.session is None else self.session.id,
            "due_at": _rfc3339(self.due_at),
            "limit_at": _rfc3339(self.limit_at),
            "retry_at": None if self.retry_at is None else _rfc3339(self.retry_at),
            "error": None if self.error is None else str(self.error),
        }

    def __str__(self) -> str:
        subject = f"room {self.room.unique_name or self.room.id}"
        if self.session is not None:
            subject = f"session {self.session.id} of {subject}"
        verb = {"warn": "warn", "end_session": "end", "delete_room": "delete"}[self.type]
        line = f"{self.status}: {verb} {subject}, {self.rule} at {_rfc3339(self.limit_at)}"
        if self.error is not None:
            line += f": {self.error}"
        return one_line(line if self.retry_at is None else f"{line}; next try at {_rfc3339(self.retry_at)}")


def _rfc3339(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


# --- decisions ----------------------------------------------------------------------------------------------


def planned_actions(
    policies: Sequence[RoomPolicy], room: Room, session: RoomSession | None, *, now: datetime
) -> tuple[PolicyAction, ...]:
    """Return what the policies demand of a room: what is due by now, and what will be if nothing changes.

    Args:
        policies: the first one that is for the room applies.
        room: the room.
        session: its active session with all participants, also those that left; None if there is none.
            Without participants (``participants=None``), there are no timeouts of people.
        now: timezone-aware.

    Returns:
        The actions by the time at which they are due. A limit without a known time, as of a session without
        ``created_at``, plans nothing.

    Raises:
        InvalidArgumentError: `now` has no time zone.

    Example:
        >>> now = datetime(2026, 3, 1, 12, tzinfo=UTC)
        >>> old = Room(id="1", created_at=now - timedelta(days=40))
        >>> policies = [RoomPolicy(max_rooms_age=timedelta(days=30))]
        >>> [action.type for action in planned_actions(policies, old, None, now=now)]
        ['delete_room']
    """
    check_aware("now", now)
    policy = next((policy for policy in policies if policy.is_for(room)), None)
    if policy is None:
        return ()
    limits = _room_limits(policy, room) if session is None else _session_limits(policy, session, now)
    actions: list[PolicyAction] = []
    for rule, limit_at in limits:
        action = PolicyAction(
            type="delete_room" if session is None else "end_session",
            rule=rule,
            policy=policy,
            room=room,
            session=session,
            due_at=limit_at,
            limit_at=limit_at,
        )
        actions.append(action)
        if session is not None and policy.warn_before is not None and now < limit_at:
            actions.append(evolve(action, type="warn", due_at=limit_at - policy.warn_before))
    return tuple(sorted(actions, key=lambda action: action.due_at))


def _room_limits(policy: RoomPolicy, room: Room) -> Iterator[tuple[PolicyRule, datetime]]:
    """Yield when a room without a session reaches its limit."""
    if policy.max_rooms_age is not None and room.created_at is not None and room.active_session_id is None:
        yield "max_rooms_age", room.created_at + policy.max_rooms_age


def _session_limits(
    policy: RoomPolicy, session: RoomSession, now: datetime
) -> Iterator[tuple[PolicyRule, datetime]]:
    """Yield when a session that has not ended reaches each limit."""
    if session.active is False or session.ended_at is not None:
        return
    if policy.max_duration is not None and session.created_at is not None:
        yield "max_duration", session.created_at + policy.max_duration
    if policy.allowed_hours is not None and (end := _end_of_hours(policy.allowed_hours, now)) is not None:
        yield "allowed_hours", max(end, session.created_at or end)
    if session.participants is None:
        return
    # A time after all times of the session, as clocks differ. Present people count as present until then.
    attendance = attendance_of([session], as_of=now + _DAY, identity=policy.identity)
    present = sum(attendee.is_present for attendee in attendance.attendees)
    changes = [(instant, people) for instant, people in attendance.concurrency if instant < attendance.as_of]
    first = changes[0][0] if changes else session.created_at
    if policy.alone_timeout is not None and present == 1 and (since := _fewer_since(2, changes, first)):
        yield "alone_timeout", since + policy.alone_timeout
    if policy.empty_timeout is not None and present == 0 and (since := _fewer_since(1, changes, first)):
        yield "empty_timeout", since + policy.empty_timeout


def _fewer_since(
    count: int, changes: Iterable[tuple[datetime, int]], start: datetime | None
) -> datetime | None:
    """Return since when fewer than `count` people are present, or None if more are."""
    since = start
    for instant, people in changes:
        if people >= count:
            since = None
        elif since is None:
            since = instant
    return since


def _end_of_hours(hours: Iterable[AllowedHours], now: datetime) -> datetime | None:
    """Return when the hours end that include `now`, or else when they ended last; None if they never end."""
    horizon = now + (_SEARCHED_DAYS.stop - 2) * _DAY
    periods = [
        period for period in merged(p for part in hours for p in part.around(now)) if period.start <= now
    ]
    return periods[-1].end if periods[-1].end < horizon else None
