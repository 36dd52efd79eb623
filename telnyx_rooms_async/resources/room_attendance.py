"""Attendance of a room: of each of its sessions, or of all of them."""

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing
from datetime import datetime
from typing import Any

from telnyx_rooms_async.models import RoomSession
from telnyx_rooms_async.pagination import Listing
from telnyx_rooms_async.reports import Attendance, Identity, attendance_of


class RoomAttendance:
    """Attendance of a room: iterate over it for each session, or await it for all sessions together.

    Nothing is sent before. An iteration holds a few pages of sessions in memory, whatever their number.

    Example:
        >>> async for lesson in client.rooms.attendance(room):
        ...     print(lesson.sessions[0].created_at, len(lesson.attendees))
        >>> print((await client.rooms.attendance(room)).to_markdown())
    """

    def __init__(
        self, listing: Listing[RoomSession], identity: Identity, as_of: Callable[[], datetime]
    ) -> None:
        self._listing = listing
        self._identity: Identity = identity
        self._as_of = as_of

    async def __aiter__(self) -> AsyncGenerator[Attendance, None]:
        async with aclosing(aiter(self._listing)) as sessions:
            async for session in sessions:
                yield attendance_of([session], as_of=self._as_of(), identity=self._identity)

    def __await__(self) -> Generator[Any, None, Attendance]:
        return self._total().__await__()

    async def _total(self) -> Attendance:
        sessions = await self._listing.all()
        return attendance_of(sessions, as_of=self._as_of(), identity=self._identity)
