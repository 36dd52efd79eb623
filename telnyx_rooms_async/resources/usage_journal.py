"""Journal of a usage report: a SQLite file with the usage of each day that was read."""

import os
import sqlite3
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from telnyx_rooms_async.errors import JournalError
from telnyx_rooms_async.reports import UsageMeter
from telnyx_rooms_async.serialization import encode_json, parse_json
from telnyx_rooms_async.shield import run_in_thread

T = TypeVar("T")

_APPLICATION_ID: Final = 0x54526A75
"""Marks a SQLite file as a journal of a usage report."""
_SCHEMA: Final = f"""
PRAGMA application_id = {_APPLICATION_ID};
CREATE TABLE report (arguments TEXT NOT NULL, as_of TEXT NOT NULL);
CREATE TABLE days (day TEXT PRIMARY KEY, sessions INTEGER NOT NULL, sums TEXT NOT NULL);
"""
_PROBLEMS: Final[Mapping[int, str]] = {
    sqlite3.SQLITE_BUSY: "another report is using it",
    sqlite3.SQLITE_NOTADB: "it is not a journal",
    sqlite3.SQLITE_CORRUPT: "it is damaged",
}


class UsageJournal:
    """Open journal of a usage report. Its methods work in a thread, and raise `JournalError`."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._connection: sqlite3.Connection | None = None
        self.as_of: datetime
        """The time of the report, which stays that of the first run."""

    async def open(self, arguments: Mapping[str, object], as_of: datetime) -> None:
        """Lock the file and check that it belongs to the report, or create it."""
        await self._run("used", partial(self._open, encode_json(arguments).decode(), as_of))

    async def load(self, meter: UsageMeter) -> dict[str, int]:
        """Add the days of earlier runs to a meter, and return the number of sessions of each."""

        def load() -> dict[str, int]:
            sessions: dict[str, int] = {}
            for day, count, sums in self._execute("SELECT day, sessions, sums FROM days"):
                meter.add_dict(parse_json(sums.encode()))
                sessions[day] = count
            return sessions

        return await self._run("read", load)

    async def save(self, day: str, sessions: int, sums: Mapping[str, Any]) -> None:
        """Write a day to the disk."""
        row = (day, sessions, encode_json(sums).decode())
        await self._run("written", lambda: self._execute("REPLACE INTO days VALUES (?, ?, ?)", *row))

    async def close(self, *, remove: bool = False) -> None:
        """Close the file, and remove it if the report is complete."""

        def close() -> None:
            if self._connection is not None:
                self._connection.close()
                if remove:
                    self._path.unlink(missing_ok=True)

        await self._run("closed", close)

    async def _run(self, verb: str, work: Callable[[], T]) -> T:
        return await run_in_thread(partial(self._translate_errors, verb, work))

    # --- in a thread ----------------------------------------------------------------------------------------

    def _open(self, arguments: str, as_of: datetime) -> None:
        # Only the owner can read a new file.
        with suppress(FileExistsError):
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        self._connection = sqlite3.connect(
            self._path.absolute(), timeout=0, isolation_level=None, check_same_thread=False
        )
        self._execute("PRAGMA locking_mode = EXCLUSIVE")
        self._execute("PRAGMA synchronous = FULL")
        self._execute("BEGIN EXCLUSIVE")
        (application_id,) = self._execute("PRAGMA application_id").fetchone()
        (tables,) = self._execute("SELECT count(*) FROM sqlite_master").fetchone()
        if application_id != (_APPLICATION_ID if tables else 0):
            raise JournalError(str(self._path), "it is not a journal of a usage report")
        if not tables:
            for statement in filter(str.strip, _SCHEMA.split(";")):
                self._execute(statement)
            self._execute("INSERT INTO report VALUES (?, ?)", arguments, as_of.isoformat())
        self._execute("COMMIT")
        recorded, recorded_as_of = self._execute("SELECT arguments, as_of FROM report").fetchone()
        if recorded != arguments:
            problem = (
                "it belongs to a report with other arguments, or of another account: use another journal"
            )
            raise JournalError(str(self._path), problem)
        self.as_of = datetime.fromisoformat(recorded_as_of)

    def _execute(self, statement: str, *values: object) -> sqlite3.Cursor:
        assert self._connection is not None  # noqa: S101 - `open` comes first
        return self._connection.execute(statement, values)

    def _translate_errors(self, verb: str, work: Callable[[], T]) -> T:
        try:
            return work()
        except OSError as error:
            raise JournalError(str(self._path), f"it cannot be {verb}: {error.strerror}") from None
        except sqlite3.Error as error:
            primary_code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # Python's own errors have none
            problem = _PROBLEMS.get(primary_code, f"it cannot be {verb}: {error}")
            raise JournalError(str(self._path), problem) from None


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
