"""Journal of a usage report: a SQLite file with the usage of each day that was read."""

import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from telnyx_rooms_async.reports import UsageMeter
from telnyx_rooms_async.serialization import encode_json, parse_json
from telnyx_rooms_async.shield import run_in_thread
from telnyx_rooms_async.sqlite_file import SqliteFile

T = TypeVar("T")

_APPLICATION_ID: Final = 0x54526A75
"""Marks a SQLite file as a journal of a usage report."""
_SCHEMA: Final = f"""
BEGIN;
PRAGMA application_id = {_APPLICATION_ID};
CREATE TABLE report (arguments TEXT NOT NULL, as_of TEXT NOT NULL);
CREATE TABLE days (day TEXT PRIMARY KEY, sessions INTEGER NOT NULL, sums TEXT NOT NULL);
"""


class UsageJournal:
    """Open journal of a usage report. Its methods work in a thread, and raise `JournalError`."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._sqlite = SqliteFile(os.fspath(path), _APPLICATION_ID, "report")
        self.as_of: datetime
        """The time of the report, which stays that of the first run."""

    async def open(self, arguments: Mapping[str, object], as_of: datetime) -> None:
        """Lock the file and check that it belongs to the report, or create it."""
        await self._run("used", partial(self._open, encode_json(arguments).decode(), as_of))

    async def load(self, meter: UsageMeter) -> dict[str, int]:
        """Add the days of earlier runs to a meter, and return the number of sessions of each."""

        def load() -> dict[str, int]:
            sessions: dict[str, int] = {}
            rows = self._sqlite.connection.execute("SELECT day, sessions, sums FROM days")
            for day, count, sums in rows:
                meter.add_dict(parse_json(sums.encode()))
                sessions[day] = count
            return sessions

        return await self._run("read", load)

    async def save(self, day: str, sessions: int, sums: Mapping[str, Any]) -> None:
        """Write a day to the disk."""
        row = (day, sessions, encode_json(sums).decode())
        replace = partial(self._sqlite.connection.execute, "REPLACE INTO days VALUES (?, ?, ?)", row)
        await self._run("written", replace)

    async def close(self, *, remove: bool = False) -> None:
        """Close the file, and remove it if the report is complete."""

        def close() -> None:
            if self._sqlite.is_open:
                self._sqlite.connection.close()
                if remove:
                    Path(self._sqlite.path).unlink(missing_ok=True)

        await self._run("closed", close)

    async def _run(self, verb: str, work: Callable[[], T]) -> T:
        return await run_in_thread(partial(self._sqlite.run, verb, work))

    def _open(self, arguments: str, as_of: datetime) -> None:
        self._sqlite.create()
        is_journal = self._sqlite.connect()
        connection = self._sqlite.connection
        if not is_journal:
            connection.executescript(_SCHEMA)
            connection.execute("INSERT INTO report VALUES (?, ?)", (arguments, as_of.isoformat()))
            connection.execute("COMMIT")
        recorded, recorded_as_of = connection.execute("SELECT arguments, as_of FROM report").fetchone()
        if recorded != arguments:
            raise self._sqlite.error(
                "it belongs to a report with other arguments, or of another account: use another journal"
            )
        self.as_of = datetime.fromisoformat(recorded_as_of)


@asynccontextmanager
async def open_usage_journal(
    path: str | os.PathLike[str], arguments: Mapping[str, object], as_of: datetime
) -> AsyncGenerator[UsageJournal, None]:
    """Open the journal of a report, and remove it when the report is complete."""
    journal = UsageJournal(path)
    is_complete = False
    try:
        await journal.open(arguments, as_of)
        yield journal
        is_complete = True
    finally:
        await journal.close(remove=is_complete)
