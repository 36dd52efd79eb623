"""Reports of an account: attendance and usage, from its sessions, recordings and compositions."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final, cast

from attrs import evolve, frozen

from telnyx_rooms_async.core.requests import Days
from telnyx_rooms_async.core.validators import DateFilter, RoomId, SessionId, days, exact_date
from telnyx_rooms_async.errors import InvalidArgumentError
from telnyx_rooms_async.http.api_session import ApiSession
from telnyx_rooms_async.reports import Attendance, Identity, Prices, Usage, UsageMeter, attendance_of
from telnyx_rooms_async.reports.usage import By
from telnyx_rooms_async.resources.compositions import Compositions
from telnyx_rooms_async.resources.recordings import Recordings
from telnyx_rooms_async.resources.rooms import Rooms
from telnyx_rooms_async.resources.sessions import Sessions

_PREFETCH: Final = 4
_DAY: Final = timedelta(days=1)


class Reports:
    """Reports of an account: ``client.reports``.

    Example:
        >>> usage = await client.reports.usage(by="month")
        >>> attendance = await client.reports.session_attendance(session_id)
    """

    def __init__(self, api: ApiSession) -> None:
        self._api = api

    async def session_attendance(
        self, session_id: SessionId, *, identity: Identity = None, as_of: datetime | None = None
    ) -> Attendance:
        """Return the attendance of a session: one request, and one for every 250 participants.

        Args:
            session_id: a `RoomSession` or its id.
            identity: how people are recognised, as in `reports.attendance_of`.
            as_of: timezone-aware; default: now, by the server's clock.

        Raises:
            NotFoundError: there is no such session.

        Example:
            >>> attendance = await client.reports.session_attendance(session_id)
            >>> [(attendee.identity, attendee.is_present) for attendee in attendance.attendees]
            [('Alice', True)]

        Telnyx operations: ViewRoomSession and RetrieveListRoomParticipants.
        """
        sessions = Sessions(self._api)
        session = await sessions.retrieve(session_id)
        participants = await sessions.participants(session.id).all()
        session = evolve(session, participants=tuple(participants))
        return attendance_of([session], as_of=as_of or self._now(), identity=identity)

    async def room_attendance(
        self,
        room_id: RoomId,
        *,
        created_at: Days = None,
        identity: Identity = None,
        as_of: datetime | None = None,
    ) -> Attendance:
        """Return the attendance of all sessions of a room: one request for every 250 sessions.

        Args:
            room_id: a `Room` or its id.
            created_at: only sessions that started on this day, or within a `DateFilter`.
            identity: how people are recognised, as in `reports.attendance_of`.
            as_of: timezone-aware; default: now, by the server's clock.

        Raises:
            NotFoundError: there is no such room.

        Example:
            >>> attendance = await client.reports.room_attendance(room_id)
            >>> attendance.peak
            1

        Telnyx operation: RetrieveListRoomSessions.
        """
        listing = Rooms(self._api).sessions(room_id, created_at=created_at, include_participants=True)
        sessions = await listing.prefetch(_PREFETCH).all()
        return attendance_of(sessions, as_of=as_of or self._now(), identity=identity)

    async def usage(
        self,
        *,
        created_at: Days = None,
        by: By = "day",
        zone: tzinfo = UTC,
        identity: Identity = None,
        prices: Prices | None = None,
        as_of: datetime | None = None,
    ) -> Usage:
        """Return what the account used, in flat memory: one request for every 250 sessions and recordings.

        Args:
            created_at: the days on which sessions, recordings and compositions started, in `zone`: a day, or
                a `DateFilter` with inclusive bounds; by default all.
            by: what has a row: ``"room"``, ``"day"`` or ``"month"``.
            zone: time zone of the days and months.
            identity: how people are recognised, as in `reports.attendance_of`.
            prices: for an estimate of the cost.
            as_of: timezone-aware; default: now, by the server's clock.

        Raises:
            InvalidArgumentError: an argument is invalid.

        Example:
            >>> usage = await client.reports.usage(created_at=DateFilter(gte=date(2021, 1, 1)), by="month")
            >>> usage.total.sessions
            2

        Telnyx operations: ListRoomSessions, ListRoomRecordings and ListRoomCompositions.
        """
        if by not in ("room", "day", "month"):
            raise InvalidArgumentError((f"by must be 'room', 'day' or 'month', not {by!r}",))
        meter = UsageMeter(by=by, as_of=as_of or self._now(), zone=zone, identity=identity)
        included = _Days(*_bounds(created_at), zone)
        wider = included.wider_filter()
        sessions = Sessions(self._api).list(created_at=wider, include_participants=True)
        async for session in sessions.prefetch(_PREFETCH):
            if session.created_at in included:
                meter.add_session(session)
        async for recording in Recordings(self._api).list(started_at=wider).prefetch(_PREFETCH):
            if (recording.started_at or recording.created_at) in included:
                meter.add_recording(recording)
        async for composition in Compositions(self._api).list(created_at=wider).prefetch(_PREFETCH):
            if composition.created_at in included:
                meter.add_composition(composition)
        return meter.usage(prices)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._api.server_now(), UTC)


@frozen
class _Days:
    """Days of a time zone, both ends included."""

    first: date | None
    last: date | None
    zone: tzinfo

    def __contains__(self, instant: datetime | None) -> bool:
        if instant is None:
            return self.first is None and self.last is None
        day = instant.astimezone(self.zone).date()
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)

    def wider_filter(self) -> DateFilter | None:
        """Return a filter of a day more on both sides: Telnyx does not say in which zone its days begin."""
        if self.first is None and self.last is None:
            return None
        return DateFilter(
            gte=None if self.first is None else self.first - _DAY,
            lte=None if self.last is None else self.last + _DAY,
        )


def _bounds(created_at: Days) -> tuple[date | None, date | None]:
    """Return the first and the last day."""
    if created_at is None:
        return None, None
    value = created_at if isinstance(created_at, DateFilter) else exact_date(created_at)
    if problem := days(value):
        raise InvalidArgumentError((f"created_at {problem}",))
    if isinstance(value, DateFilter):
        return value.eq or value.gte, value.eq or value.lte
    return cast("date", value), cast("date", value)
