"""Journal of a batch job: a SQLite file that records which items were started and what came of them."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager, suppress
from functools import partial
from threading import Lock
from typing import Final, NamedTuple, TypeVar, cast

from attrs import frozen

from telnyx_rooms_async.core.validators import checked_flag, exact_text, short_repr
from telnyx_rooms_async.errors import InvalidArgumentError
from telnyx_rooms_async.http.in_flight import running_loop
from telnyx_rooms_async.shield import run_in_thread
from telnyx_rooms_async.sqlite_file import SqliteFile

T = TypeVar("T")

_APPLICATION_ID: Final = 0x54526A6C
"""Marks a SQLite file as a journal."""
_FORMAT_VERSION: Final = 4
_SCHEMA: Final = f"""
BEGIN;
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {_FORMAT_VERSION};
CREATE TABLE job (
    operation TEXT NOT NULL,
    base_url TEXT NOT NULL,
    account TEXT NOT NULL,
    started_at REAL,
    start_limit INTEGER NOT NULL
);
CREATE TABLE items (
    item_index INTEGER PRIMARY KEY,
    digest TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'done', 'failed')),
    room_id TEXT,
    error TEXT,
    status INTEGER,
    code TEXT
);
"""
_STARTS_PER_WRITE: Final = 100
"""Number of items whose start is recorded at once: after a crash, so many may be looked up in vain."""


@frozen
class JournalSummary:
    """Number of items of a journal per state.

    Example:
        >>> journal = Journal("rooms.journal")
        >>> result = await client.rooms.delete_many([room_id], journal=journal)
        >>> (await journal.summary()).done
        1
    """

    done: int
    """Items that were processed."""
    failed: int
    """Items that certainly were not processed."""
    open: int
    """Items that may have been processed. After a crash, these include up to 100 that were not started."""


class Journal:
    """File that lets a batch job continue after a crash, and retry what failed.

    A job records the start of an item before it sends a request, and every outcome before it yields it. Run
    again with the same input, the job skips finished items without yielding an outcome for them, finds out
    what became of the items that were in flight, and retries those that failed.

    The file is a SQLite database with a digest and a state per item, ids of rooms, and types of errors. It
    contains neither items nor the API key, and only its owner can read it. Only one job can use it at a time.
    It belongs to one base URL and one account, identified by a keyed digest of the API key.

    Args:
        path: path of the file, which is created if it does not exist.
        key_rotated: continue a journal that was created with another API key of the same account.

    Raises:
        InvalidArgumentError: `key_rotated` is not a bool.

    Example:
        >>> journal = Journal("rooms.journal")
        >>> async for outcome in client.rooms.create_many([{"unique_name": "Retro"}], journal=journal):
        ...     print(outcome.item["unique_name"], outcome.ok)
        Retro True
        >>> print(journal.skipped, await journal.summary())
        0 JournalSummary(done=1, failed=0, open=0)
    """

    def __init__(self, path: str | os.PathLike[str], *, key_rotated: bool = False) -> None:
        if not isinstance(cast("object", path), str | os.PathLike):
            raise InvalidArgumentError((f"path must be a path, not {short_repr(path)}",))
        self.path: str = exact_text(os.fspath(path))
        self.key_rotated: bool = checked_flag("key_rotated", key_rotated)
        self.skipped: int = 0
        """Number of finished items that the latest job has skipped so far."""
        self._file: JournalFile | None = None

    def __repr__(self) -> str:
        return f"Journal({self.path!r})"

    def __reduce__(self) -> tuple[Callable[..., "Journal"], tuple[str]]:
        return partial(Journal, key_rotated=self.key_rotated), (self.path,)

    async def summary(self) -> JournalSummary:
        """Count the items of the journal per state. A file that does not exist has none.

        Raises:
            JournalError: the file is not a journal, is damaged, or is used by a job with another `Journal`.
            WrongEventLoopError: no asyncio event loop is running.
        """
        running_loop()
        if self._file is not None:
            return await self._file.summary()
        async with aclosing(JournalFile(self.path)) as file:
            return await file.summary()

    @asynccontextmanager
    async def open_for(self, job: "JobIdentity", now: float) -> AsyncGenerator["JournalFile", None]:
        """Open the file for one run of a job. A new file records `now`, a time of the server."""
        running_loop()
        async with aclosing(JournalFile(self.path)) as file:
            await file.open(job, now, key_rotated=self.key_rotated)
            self._file, self.skipped = file, 0
            try:
                yield file
            finally:
                if self._file is file:
                    self._file = None


class JobIdentity(NamedTuple):
    """What must stay the same as long as a journal is used."""

    operation: str
    base_url: str
    account: str
    """Digest of the API key."""


class ItemRecord(NamedTuple):
    """Row of the table `items`."""

    item_index: int
    digest: str
    state: str
    """``"open"`` (may have been processed), ``"done"``, or ``"failed"`` (certainly was not)."""
    room_id: str | None = None
    error: str | None = None
    """Name of the exception class. Its message is not recorded: it may contain the item."""
    status: int | None = None
    code: str | None = None


class JournalFile:
    """Open journal. All work on the file is done by one thread of its own.

    Records that arrive while the thread writes a transaction form the next one.
    """

    def __init__(self, path: str) -> None:
        self._sqlite = SqliteFile(path, _APPLICATION_ID, "job")
        self.started_at: float = 0.0
        """Server time in seconds since the epoch before which no item was processed."""
        self.item_count: int = 0
        """Number of items of earlier runs, up to the last one that has a record."""
        self.started: int = 0
        """Items from this index on were not started. An item below it without a record is open."""
        self._start_limit = 0
        """The limit of `started` that is on the disk."""
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="telnyx-rooms-journal")
        self._lock = Lock()
        """Guards the two fields below."""
        self._waiting: list[ItemRecord] = []
        """Records of the next transaction."""
        self._next_transaction: asyncio.Future[None] | None = None
        """Done when these records are on the disk. None if there are none."""

    async def open(self, job: JobIdentity, now: float, *, key_rotated: bool) -> None:
        """Lock the file and check that it belongs to the job, or create it."""
        await self._run("used", partial(self._open, job, now, key_rotated=key_rotated))

    async def read(self, start: int, count: int) -> dict[int, tuple[str, str]]:
        """Return digest and state of the items with the `count` indexes from `start`, if recorded."""

        def read_items() -> dict[int, tuple[str, str]]:
            rows = self._sqlite.connection.execute(
                "SELECT item_index, digest, state FROM items WHERE item_index >= ? AND item_index < ?",
                (start, start + count),
            )
            return {index: (digest, state) for index, digest, state in rows}

        return await self._run("read", read_items)

    async def summary(self) -> JournalSummary:
        """Count the items per state. See `Journal.summary`."""

        def count_items() -> JournalSummary:
            counts = {"done": 0, "failed": 0, "open": 0}
            with suppress(FileNotFoundError):
                if self._sqlite.is_open or (self._connect() and self._load()):
                    execute = self._sqlite.connection.execute
                    counts |= execute("SELECT state, count(*) FROM items GROUP BY state").fetchall()
                    recorded = execute("SELECT count(*) FROM items WHERE item_index < ?", (self.started,))
                    counts["open"] += self.started - recorded.fetchone()[0]
            return JournalSummary(**counts)

        return await self._run("read", count_items)

    async def start(self, index: int) -> None:
        """Record that an item may have been processed, and that the next ones may, before it is started."""
        self.started = max(self.started, index + 1)
        if index >= self._start_limit:
            await self._run("written", partial(self._commit, [], index + _STARTS_PER_WRITE))

    async def end(self, count: int) -> None:
        """Record that there are no more items."""
        self.started = count
        if count != self._start_limit:
            await self._run("written", partial(self._commit, [], count))

    def write(self, record: ItemRecord) -> asyncio.Future[None]:
        """Start to write a record. The future is done when it is on the disk, or has a `JournalError`."""
        with self._lock:
            self._waiting.append(record)
            if self._next_transaction is None:
                self._next_transaction = asyncio.get_running_loop().run_in_executor(
                    self._thread, self._sqlite.run, "written", lambda: self._commit(self._take_waiting())
                )
                self._next_transaction.add_done_callback(_retrieve_error)
            return self._next_transaction

    async def aclose(self) -> None:
        """Write the records of cancelled calls and the number of started items, and close the file."""
        try:
            if self._sqlite.is_open:
                await self._run("closed", self._close)
        finally:
            self._thread.shutdown(wait=False)

    async def _run(self, verb: str, work: Callable[[], T]) -> T:
        return await run_in_thread(partial(self._sqlite.run, verb, work), executor=self._thread)

    # --- in the thread --------------------------------------------------------------------------------------

    def _open(self, job: JobIdentity, now: float, *, key_rotated: bool) -> None:
        self._sqlite.create()
        is_journal = self._connect()
        connection = self._sqlite.connection
        connection.execute("PRAGMA journal_mode = WAL")
        if not is_journal:
            connection.executescript(_SCHEMA)
            connection.execute("INSERT INTO job VALUES (?, ?, ?, ?, 0)", (*job, now))
            connection.execute("COMMIT")
        operation, base_url, account = self._load()
        if operation != job.operation:
            raise self._sqlite.error(f"it belongs to another job: {operation}, not {job.operation}")
        if base_url != job.base_url:
            problem = f"it was created for {base_url}, not for {job.base_url}: use another journal"
            raise self._sqlite.error(problem)
        if account != job.account and not key_rotated:
            raise self._sqlite.error(
                f"it was created for {base_url} with another API key: use another journal, or"
                " key_rotated=True if that was an older key of the same account"
            )
        (self.item_count,) = connection.execute("SELECT ifnull(max(item_index) + 1, 0) FROM items").fetchone()

    def _load(self) -> tuple[str, str, str]:
        """Read the table `job`; return the operation, the base URL and the account."""
        row = self._sqlite.connection.execute("SELECT * FROM job").fetchone()
        if row is None:
            raise self._sqlite.error("it is damaged")
        operation, base_url, account, self.started_at, self._start_limit = row
        self.started = self._start_limit
        return operation, base_url, account

    def _connect(self) -> bool:
        """Open and lock the file, and return whether it is a journal; `False` if it is empty."""
        is_journal = self._sqlite.connect()
        (version,) = self._sqlite.connection.execute("PRAGMA user_version").fetchone()
        if is_journal and version != _FORMAT_VERSION:
            raise self._sqlite.error(f"it has format version {version}, not {_FORMAT_VERSION}")
        return is_journal

    def _commit(self, records: Sequence[ItemRecord], start_limit: int | None = None) -> None:
        with self._sqlite.connection as connection:
            connection.execute("BEGIN")
            connection.executemany("REPLACE INTO items VALUES (?, ?, ?, ?, ?, ?, ?)", records)
            if start_limit is not None:
                connection.execute("UPDATE job SET start_limit = ?", (start_limit,))
        if start_limit is not None:
            self._start_limit = start_limit

    def _take_waiting(self) -> list[ItemRecord]:
        with self._lock:
            records, self._waiting, self._next_transaction = self._waiting, [], None
            return records

    def _close(self) -> None:
        records = self._take_waiting()
        if records or self.started != self._start_limit:
            with suppress(sqlite3.Error):  # the calls were cancelled: their items stay open
                self._commit(records, self.started)
        self._sqlite.connection.close()


def _retrieve_error(future: asyncio.Future[None]) -> None:
    """Retrieve the error of a transaction: the job may have ended for another reason."""
    if not future.cancelled():
        future.exception()
