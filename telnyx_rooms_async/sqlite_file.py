"""SQLite files of journals: private, locked while they are open, with errors that name the file."""

import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from attrs import define, field

from telnyx_rooms_async.errors import JournalError

T = TypeVar("T")


@define(eq=False)
class SqliteFile:
    """File that only one process uses at a time. Its methods block."""

    path: str
    application_id: int
    """Marks the file in its header."""
    purpose: str
    """What uses the file, for messages: ``"job"``."""
    is_open: bool = field(default=False, init=False)
    connection: sqlite3.Connection = field(init=False)

    def create(self) -> None:
        """Create the file if it does not exist. Only its owner can read it."""
        # An existing file is not opened here: on POSIX systems, closing a descriptor drops the locks
        # that other descriptors of the same file in this process hold.
        with suppress(FileExistsError):
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))

    def connect(self) -> bool:
        """Open and lock the file, and return whether it is a journal; `False` if it is empty.

        In exclusive mode SQLite keeps its lock until the connection is closed or the process ends.
        """
        if not stat.S_ISREG(os.stat(self.path).st_mode):  # noqa: PTH116 - a path may be bytes
            raise self.error("it is not a regular file")
        path = os.path.abspath(self.path)  # noqa: PTH100 - likewise; and ":memory:" has a meaning for SQLite
        self.connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        self.is_open = True
        self.connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        self.connection.execute("BEGIN IMMEDIATE")
        (application_id,) = self.connection.execute("PRAGMA application_id").fetchone()
        (tables,) = self.connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        self.connection.execute("ROLLBACK")  # a commit would write to an empty file
        if application_id != (self.application_id if tables else 0):
            raise self.error(f"it is not a journal of a {self.purpose}")
        self.connection.execute("PRAGMA synchronous = FULL")
        return bool(tables)

    def error(self, problem: str) -> JournalError:
        """Return an error that names the file."""
        return JournalError(self.path, problem)

    def run(self, verb: str, work: Callable[[], T]) -> T:
        """Run a function that uses the file, with errors of the disk and of SQLite as a `JournalError`."""
        try:
            return work()
        except OSError as error:
            raise self.error(f"it cannot be {verb}: {error.strerror}") from None
        except sqlite3.Error as error:
            primary_code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # Python's own errors have none
            problems = {
                sqlite3.SQLITE_BUSY: f"another {self.purpose} is using it",
                sqlite3.SQLITE_NOTADB: f"it is not a journal of a {self.purpose}",
                sqlite3.SQLITE_CORRUPT: "it is damaged",
            }
            problem = problems.get(primary_code, f"it cannot be {verb}: {error}")
            raise self.error(problem) from None
