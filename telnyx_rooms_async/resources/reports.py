"""Reports: the usage of an account, and the attendance of a room."""

from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import aclosing
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import partial
from hashlib import blake2b
from os import PathLike
from typing import Any, Final, TypeAlias, cast

from attrs import define, frozen

from telnyx_rooms_async.batch.streams import stream
from telnyx_rooms_async.core.validators import DateFilter, Days, check_function, days, short_repr
from telnyx_rooms_async.errors import InvalidArgumentError
from telnyx_rooms_async.http.api_session import ApiSession
from telnyx_rooms_async.models import RoomSession
from telnyx_rooms_async.pagination import Listing
from telnyx_rooms_async.reports import Attendance, Identity, Prices, Usage, UsageMeter, attendance_of
from telnyx_rooms_async.reports.attendance import check_zone
from telnyx_rooms_async.reports.usage import By
from telnyx_rooms_async.resources.compositions import Compositions
from telnyx_rooms_async.resources.recordings import Recordings
from telnyx_rooms_async.resources.sessions import Sessions
from telnyx_rooms_async.resources.usage_journal import UsageJournal, open_usage_journal

UsageProgress: TypeAlias = Callable[[int, int], object]
"""Called with the number of sessions that were read, and the number of all sessions."""

_PREFETCH: Final = 4
"""Pages, and days of a report with a journal, that are requested at the same time."""
_DAY: Final = timedelta(days=1)
_ACCOUNT_MESSAGE: Final = b"telnyx-rooms-async usage"
"""Its digest, keyed with the API key, identifies the account in a journal without revealing the key."""


class Reports:
    """Reports of an account: ``client.reports``.

    Example:
        >>> usage = await client.reports.usage(by="month")
    """

    def __init__(self, api: ApiSession) -> None:
        self._api = api

    async def usage(
        self,
        *,
        created_at: Days = None,
        by: By = "day",
        zone: tzinfo = UTC,
        identity: Identity = None,
        prices: Prices | None = None,
        as_of: datetime | None = None,
        journal: str | PathLike[str] | None = None,
        progress: UsageProgress | None = None,
    ) -> Usage:
        """Return what the account used: one request, and one for every 250 sessions or recordings.

        A session or recording is part of the report if it started on one of the days, a composition if it was
        created then. All of the minutes of a session count, those after midnight on the next day. Memory
        grows by some 300 bytes for each session of five people.

        With a journal, the report is read day by day, four days at a time, with at least three requests for
        a day. When the job is killed, the same call continues, as of the time of the first call. The file is
        removed when the report is complete. Memory grows by some 200 bytes for each session then.

        Args:
            created_at: the days of the report, in `zone`: a day, or a `DateFilter` with inclusive bounds; by
                default all.
            by: what has a row: ``"room"``, ``"day"`` or ``"month"``.
            zone: time zone of the days and months: ``ZoneInfo("Europe/Berlin")``.
            identity: how people are recognised, as in `reports.attendance_of`. With a journal, a function is
                compared with that of earlier runs by its name.
            prices: for an estimate of the cost.
            as_of: timezone-aware: the time until which people that have not left are present; default: now,
                by the server's clock.
            journal: path of a file with which the report can be continued.
            progress: called after each page of sessions, with the numbers of sessions so far and in all.

        Raises:
            InvalidArgumentError: an argument is invalid, or there is a journal, and no first day or a lambda
                as `identity`.
            JournalError: the journal belongs to another report, is in use, or cannot be written.

        Example:
            >>> usage = await client.reports.usage(created_at=DateFilter(gte=date(2021, 1, 1)), by="month")
            >>> usage.total.sessions
            2

        Telnyx operations: ListRoomSessions, ListRoomRecordings and ListRoomCompositions.
        """
        new_meter = partial(UsageMeter, by=by, zone=zone, identity=identity)
        new_meter(as_of=datetime.now(UTC) if as_of is None else as_of)  # checks the arguments
        if not isinstance(cast("object", prices), Prices | None):
            raise InvalidArgumentError((f"prices must be Prices, not {short_repr(prices)}",))
        check_function("progress", progress)
        if not isinstance(cast("object", journal), str | PathLike | None):
            raise InvalidArgumentError((f"journal must be a path, not {short_repr(journal)}",))
        included = ZoneDays.of(created_at, zone)
        identity_name = None if journal is None else _identity_name(identity)
        if journal is not None and included.first is None:
            raise InvalidArgumentError(("a journal needs the first day of the report: created_at",))
        # This small request also shows the time of the server.
        first = await Sessions(self._api).list(created_at=included.wider_filter()).page(1, size=1)
        now = as_of or datetime.fromtimestamp(self._api.server_now(), UTC)
        reader = _Reader(self._api, included, first.meta.total_results or 0, progress)
        if journal is None:
            meter = new_meter(as_of=now)
            await reader.read(meter, included.wider_filter())
            return meter.usage(prices)
        arguments = {
            "account": self._api.credentials.keyed_digest(_ACCOUNT_MESSAGE),
            "base_url": self._api.transport.base_url,
            "by": by,
            "first": str(included.first),
            "identity": identity_name,
            "last": str(included.last),
            "zone": str(zone),
        }
        async with open_usage_journal(journal, arguments, now) as file:
            return (await reader.read_days(file, partial(new_meter, as_of=file.as_of))).usage(prices)


@define
class _Reader:
    """Reads the usage of some days, and reports how many sessions it has read."""

    api: ApiSession
    included: "ZoneDays"
    total: int
    progress: UsageProgress | None
    done: int = 0

    async def read(self, meter: UsageMeter, window: DateFilter | None) -> int:
        """Add what Telnyx has in a window and the report includes; return the number of sessions read."""
        count = 0
        sessions = Sessions(self.api).list(created_at=window, include_participants=True)
        async with sessions.prefetch(_PREFETCH) as listing:
            async for page in listing.pages():
                for session in page.data:
                    if session.created_at in self.included:
                        meter.add_session(session)
                count += len(page.data)
                self._count(len(page.data))
        async with Recordings(self.api).list(started_at=window).prefetch(_PREFETCH) as recordings:
            async for recording in recordings:
                if (recording.started_at or recording.created_at) in self.included:
                    meter.add_recording(recording)
        async with Compositions(self.api).list(created_at=window).prefetch(_PREFETCH) as compositions:
            async for composition in compositions:
                if composition.created_at in self.included:
                    meter.add_composition(composition)
        return count

    async def read_days(self, journal: UsageJournal, new_meter: Callable[[], UsageMeter]) -> UsageMeter:
        """Read the days that are not in the journal, and return the sums of all."""
        total = new_meter()
        done = await journal.load(total)
        self._count(sum(done.values()))

        async def read(day: date) -> tuple[int, dict[str, Any]]:
            meter = new_meter()
            count = await self.read(meter, DateFilter(eq=day))
            return count, meter.to_dict()

        missing = (day for day in self.included.wider_days(journal.as_of) if str(day) not in done)
        async with aclosing(stream(read, missing, concurrency=_PREFETCH, ordered=True)) as outcomes:
            async for outcome in outcomes:
                count, sums = outcome.unwrap()
                await journal.save(str(outcome.item), count, sums)
                total.add_dict(sums)
        return total

    def _count(self, sessions: int) -> None:
        self.done += sessions
        if self.progress is not None:
            self.progress(self.done, max(self.done, self.total))


@frozen
class ZoneDays:
    """Days of a time zone, both ends included."""

    first: date | None
    last: date | None
    zone: tzinfo

    @classmethod
    def of(cls, created_at: Days, zone: tzinfo) -> "ZoneDays":
        """Return the days of an argument ``created_at``, after checks."""
        check_zone(zone)
        if created_at is None:
            return cls(None, None, zone)
        window = created_at if isinstance(created_at, DateFilter) else DateFilter(eq=created_at)
        if problem := days(window):
            raise InvalidArgumentError((f"created_at {problem}",))
        return cls(window.eq or window.gte, window.eq or window.lte, zone)

    def __contains__(self, instant: datetime | None) -> bool:
        if instant is None:
            return self.first is None and self.last is None
        day = instant.astimezone(self.zone).date()
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)

    def wider_filter(self) -> DateFilter | None:
        """Return a filter of a day more on both sides: Telnyx does not say in which zone its days begin."""
        first, last = _shifted(self.first, -_DAY), _shifted(self.last, _DAY)
        return None if first is None and last is None else DateFilter(gte=first, lte=last)

    def wider_days(self, as_of: datetime) -> Iterator[date]:
        """Yield the days of `wider_filter`, at most until the day after the time of the report."""
        assert self.first is not None  # noqa: S101 - checked before
        last = as_of.astimezone(self.zone).date()
        day = _shifted(self.first, -_DAY) or self.first
        while day <= min(last, self.last or last) + _DAY:
            yield day
            day += _DAY


def _shifted(day: date | None, difference: timedelta) -> date | None:
    """Return another day; None if the calendar has none."""
    try:
        return None if day is None else day + difference
    except OverflowError:
        return None


def _identity_name(identity: Identity) -> str | None:
    """Return what a journal can compare: the name of a function, with a digest of a partial's arguments."""
    if identity is None or isinstance(identity, str):
        return identity
    if isinstance(identity, partial):
        arguments = repr((identity.args, identity.keywords))  # which may be secrets
        return f"{_identity_name(identity.func)} {blake2b(arguments.encode(), digest_size=8).hexdigest()}"
    name: str = getattr(identity, "__qualname__", type(identity).__qualname__)
    if name.endswith("<lambda>"):
        raise InvalidArgumentError(("a journal needs a function with a name as identity, not a lambda",))
    return name


# --- attendance of a room -----------------------------------------------------------------------------------


@frozen(eq=False, repr=False)
class RoomAttendance:
    """Attendance of a room: iterate over it for each session, or await it for all sessions together.

    Nothing is sent before. An iteration holds a few pages of sessions in memory, whatever their number.

    Example:
        >>> async for lesson in client.rooms.attendance(room):
        ...     print(lesson.sessions[0].created_at, len(lesson.attendees))
        >>> print((await client.rooms.attendance(room)).to_markdown())
    """

    _listing: Listing[RoomSession]
    _identity: Identity
    _as_of: Callable[[], datetime]
    _included: ZoneDays | None

    async def __aiter__(self) -> AsyncGenerator[Attendance, None]:
        async with aclosing(self._sessions()) as sessions:
            async for session in sessions:
                yield attendance_of([session], as_of=self._as_of(), identity=self._identity)

    def __await__(self) -> Generator[Any, None, Attendance]:
        return self._total().__await__()

    async def _total(self) -> Attendance:
        async with aclosing(self._sessions()) as listed:
            sessions = [session async for session in listed]
        return attendance_of(sessions, as_of=self._as_of(), identity=self._identity)

    async def _sessions(self) -> AsyncGenerator[RoomSession, None]:
        """Yield the sessions of the days."""
        async with aclosing(aiter(self._listing)) as sessions:
            async for session in sessions:
                if self._included is None or session.created_at in self._included:
                    yield session
