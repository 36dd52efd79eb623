"""The journal of a job as lines of JSON: what is written, and what it comes to when it is read again.

    {"telnyx_rooms_journal":2,"job":"create_many","started":1700000000.0,"base_url":"https://…","account":"5d41…"}
    {"index":0,"digest":"9f86d081884c7d65","state":"begun"}
    {"index":0,"digest":"9f86d081884c7d65","state":"done","room_id":"0ccc7b54-…"}
    {"index":1,"digest":"5feceb66ffc86f38","state":"failed","error":"NameTakenError","status":422,"code":"10027","sure":true}

Items begin in their order, so that the index of a new line is known, or the next one.
"""

import asyncio
import enum
import io
import json
import os
import re
import stat
import sys
from array import array
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from hashlib import blake2b
from typing import Final, Generic, TypeVar, cast

from attrs import asdict, define, field, frozen

from telnyx_rooms_async.batch import Failed, Outcome
from telnyx_rooms_async.batch.outcomes import renamed
from telnyx_rooms_async.batch.stream import close_source, source_of
from telnyx_rooms_async.core.codec import DecodeError, encode, parse
from telnyx_rooms_async.core.validators import exact_flag, exact_integer, exact_text, exact_url, short_repr
from telnyx_rooms_async.errors import (
    APIStatusError,
    InvalidArgumentError,
    JournalError,
    NameTakenError,
    TelnyxRoomsError,
)
from telnyx_rooms_async.http.in_flight import running_loop
from telnyx_rooms_async.models import Room, RoomSession

VERSION: Final = 2
MARK: Final = b'{"telnyx_rooms_journal":'
"""What the file begins with."""
ACCOUNT_MESSAGE: Final = b"telnyx-rooms-async journal"
"""Its digest, keyed with the API key, stands for the account: each key has another, and it is no secret."""
_DIGEST_BYTES: Final = 8
_DIGEST: Final = re.compile("[0-9a-f]{16}")
_PASSING: Final = frozenset({408, 429})


class State(enum.IntEnum):
    """How far an item is."""

    OPEN = 0
    """It was begun, and may have been done."""
    DONE = 1
    FAILED = 2
    """It certainly was not done."""


def digest_of(item: object) -> str:
    """Return a short digest of an item: the same for the same item, in every process."""
    try:
        text = json.dumps(item, sort_keys=True, separators=(",", ":"), default=_plain)
    except Exception:  # noqa: BLE001 - nothing that could be sent: a user's object can raise anything
        text = f"{type(item).__name__} {_printed(item)}"
    return blake2b(text.encode(errors="surrogatepass"), digest_size=_DIGEST_BYTES).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, object]", value))
    if isinstance(value, Room | RoomSession):
        return value.id
    exact = exact_integer(exact_flag(exact_url(value)))  # of numpy or yarl
    return str(value) if exact is value else exact


def _printed(item: object) -> str:
    try:
        return str.__str__(repr(item))
    except Exception:  # noqa: BLE001 - a __repr__ can raise anything
        return short_repr(item)


# --- what is written ----------------------------------------------------------------------------------------


@frozen(kw_only=True)
class Header:
    """The first line."""

    job: str
    started: float
    """Seconds since the epoch: nothing of this job was done before."""
    base_url: str
    account: str
    """A digest of the API key; see `ACCOUNT_MESSAGE`."""

    def mismatch(self, current: "Header", *, key_rotated: bool) -> str | None:
        """Return why a journal with this header cannot be continued by a job that would write `current`.

        Args:
            current: of the job that is to go on.
            key_rotated: whether the API key may be another one.
        """
        if self.job != current.job:
            return f"it is of another job: {self.job}, not {current.job}"
        if self.base_url != current.base_url:
            return f"it was begun at {self.base_url}, not at {current.base_url}: use another journal here"
        if self.account != current.account and not key_rotated:
            return (
                f"it was begun at {self.base_url} with another API key: use another journal, or"
                " key_rotated=True (--key-rotated) if that was an older key of the same account"
            )
        return None


def header_line(header: Header) -> bytes:
    """Write the first line."""
    return _line({"telnyx_rooms_journal": VERSION, **asdict(header)})


def begun_line(index: int, digest: str) -> bytes:
    """Write that an item begins: before anything is sent."""
    return _line({"index": index, "digest": digest, "state": "begun"})


def done_line(index: int, digest: str, room_id: str | None) -> bytes:
    """Write that an item is done."""
    told = {"index": index, "digest": digest, "state": "done"}
    return _line(told if room_id is None else {**told, "room_id": room_id})


def failed_line(index: int, digest: str, error: Exception, *, may_be_done: bool) -> bytes:
    """Write that an item failed, and whether it certainly was not done."""
    told = {"index": index, "digest": digest, "state": "failed", "error": type(error).__name__}
    # Not its words: they may hold the item, or what a server repeats of it.
    said = {"status": error.status, "code": error.code} if isinstance(error, APIStatusError) else {}
    return _line({**told, **said, "sure": not may_be_done})


def _line(fields: Mapping[str, object]) -> bytes:
    return encode(fields) + b"\n"


def is_certain(error: Exception) -> bool:
    """Tell whether nothing was done for an item that met this error."""
    if isinstance(error, APIStatusError):
        return 400 <= error.status < 500 and error.status not in _PASSING  # noqa: PLR2004 - 4xx
    return isinstance(error, InvalidArgumentError)


# --- what is read -------------------------------------------------------------------------------------------


def read_header(line: bytes) -> Header:
    """Read the first line.

    Raises:
        ValueError: it is not that of a journal, or of one of another version.
    """
    if not line.startswith(MARK):
        raise ValueError("it is no journal")
    fields = _fields(line)
    if fields.get("telnyx_rooms_journal") != VERSION:
        raise ValueError(f"it is of version {fields.get('telnyx_rooms_journal')}, not {VERSION}")
    job, started = fields.get("job"), fields.get("started")
    base_url, account = fields.get("base_url"), fields.get("account")
    if (
        isinstance(job, str)
        and isinstance(started, int | float)
        and isinstance(base_url, str)
        and isinstance(account, str)
    ):
        return Header(job=job, started=float(started), base_url=base_url, account=account)
    raise ValueError("is damaged")


@define
class Ledger:
    """What a journal has come to: nine bytes an item."""

    states: bytearray = field(factory=bytearray)
    digests: "array[int]" = field(factory=lambda: array("Q"))

    def __len__(self) -> int:
        return len(self.states)

    def read(self, line: bytes) -> None:
        """Take in one line.

        Raises:
            ValueError: it does not fit.
        """
        fields = _fields(line)
        index, digest, state = fields.get("index"), fields.get("digest"), fields.get("state")
        if type(index) is not int or not 0 <= index <= len(self):
            raise ValueError("is damaged")
        number = _number(digest)
        if index == len(self):
            self.states.append(State.OPEN)
            self.digests.append(number)
        elif self.digests[index] != number:
            raise ValueError("contradicts an earlier one")
        if state == "begun":
            # That a certain failure is tried again: from here on it may be done.
            self.states[index] = State.OPEN
        elif state == "done":
            self.states[index] = State.DONE
        elif state == "failed":
            self.states[index] = State.FAILED if fields.get("sure") is True else State.OPEN
        else:
            raise ValueError("is damaged")

    def state_of(self, index: int, digest: str) -> State | None:
        """Return how far an item is; ``None`` for one that is new.

        Raises:
            ValueError: the journal knows another item of that index.
        """
        if index >= len(self):
            return None
        if self.digests[index] != _number(digest):
            raise ValueError(f"item {index} is another one than when it was written: it is of other input")
        return State(self.states[index])


def _number(digest: object) -> int:
    if isinstance(digest, str) and _DIGEST.fullmatch(digest):
        return int(digest, 16)
    raise ValueError("is damaged")


def _fields(line: bytes) -> Mapping[object, object]:
    try:
        fields = cast("object", parse(line))
    except DecodeError:
        raise ValueError("is damaged") from None
    return cast("Mapping[object, object]", fields) if isinstance(fields, Mapping) else {}


class Journal:
    """A file that remembers what a job has begun and what came of it: ``Journal("rooms.journal")``.

    A job that is given one writes down every item before it sends anything, and every outcome before it
    yields it. Run again with the same input, whether it was killed or had ended, it passes over what is
    done, yielding nothing for it, finds out what became of what was in flight, and tries again what
    failed. The file holds numbers, digests of the items, ids of rooms and messages of errors, one JSON
    object a line; no item, and no key. It is readable by its owner only. While a job has it no other can.

    It belongs to one base URL and one account, which it knows by a digest of the API key; with another of
    either the job raises a `JournalError`.

    Args:
        path: where it is, or is to be.
        key_rotated: whether the account got another API key since the journal was begun: then the key is not
            compared. Only for the same account: what is done in one is not done in another.

    Raises:
        InvalidArgumentError: `key_rotated` is no boolean.
    """

    def __init__(self, path: str | os.PathLike[str], *, key_rotated: bool = False) -> None:
        if not isinstance(cast("object", key_rotated), bool):  # "false" must not count as true
            raise InvalidArgumentError((f"key_rotated must be True or False, not {short_repr(key_rotated)}",))
        self.path: str = exact_text(os.fspath(path))
        self.key_rotated = key_rotated
        self.skipped = 0
        """How many items the newest job with it has passed over, as they were done."""

    def __repr__(self) -> str:
        return f"Journal({self.path!r})"


_FAR: Final = 2**40
"""Beyond what is ever read."""


@define(eq=False)
class JournalFile:
    """An open journal. One job has it, and one thread at a time works on it."""

    path: str
    started: float = field(init=False, default=0.0)
    ledger: Ledger = field(init=False, factory=Ledger)
    """What earlier runs came to."""
    _file: io.FileIO | None = field(init=False, default=None)
    _size: int = field(init=False, default=0)
    """Bytes of whole lines."""
    _lines: list[bytes] = field(init=False, factory=list[bytes])
    """Not written yet."""
    _taken: int = field(init=False, default=0)
    _written: int = field(init=False, default=0)
    _failure: str | None = field(init=False, default=None)
    _idle: asyncio.Event = field(init=False, factory=asyncio.Event)

    async def open(self, header: Header, *, key_rotated: bool = False) -> None:
        """Lock the file, and read what it tells; make it with this header if there is none.

        Raises:
            JournalError: it is of another job, base URL or API key, another job has it, or it cannot be read
                or written.
        """
        await _in_thread(lambda: self._open(header, key_rotated=key_rotated))
        self._idle.set()

    async def record(self, line: bytes) -> None:
        """Return when the line is on the disk. Who comes first writes for all who have come meanwhile.

        Raises:
            JournalError: it cannot be written.
        """
        self._lines.append(line)
        self._taken += 1
        place = self._taken
        while self._written < place:
            if self._failure is not None:
                raise JournalError(self.path, self._failure)
            if self._idle.is_set():
                await self._write()
            else:
                await self._idle.wait()

    def close(self) -> None:
        """Let go of the file. Nobody may be waiting for a line."""
        if self._file is not None:
            self._file.close()

    async def _write(self) -> None:
        lines, self._lines = self._lines, []
        due = self._written + len(lines)
        self._idle.clear()
        try:
            await _in_thread(lambda: self._put(lines))
        finally:
            if self._written < due and self._failure is None:
                self._failure = "it cannot be written: the event loop takes no more work"
            self._idle.set()

    # --- in a thread ----------------------------------------------------------------------------------------

    def _open(self, header: Header, *, key_rotated: bool) -> None:
        try:
            self._file = io.FileIO(self.path, "a+", opener=_open_private)
            descriptor = self._file.fileno()
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise JournalError(self.path, "it is no regular file")
            if not _lock(descriptor):
                raise JournalError(self.path, "another job has it")
            self._read(header, key_rotated=key_rotated)
        except OSError as error:
            raise JournalError(self.path, f"it cannot be used: {error.strerror}") from None

    def _read(self, header: Header, *, key_rotated: bool) -> None:
        """Read the lines, and cut off one that was not finished."""
        file = self._opened
        file.seek(0)
        head = file.read(len(MARK))
        if not MARK.startswith(head):  # whatever it is, it is not ours to cut
            raise JournalError(self.path, "it is no journal")
        file.seek(0)
        known: Header | None = None
        with open(file.fileno(), "rb", closefd=False) as lines:
            for number, line in enumerate(lines, 1):
                if not line.endswith(b"\n"):
                    break
                try:
                    if known is None:
                        known = read_header(line)
                    else:
                        self.ledger.read(line)
                except ValueError as error:
                    raise JournalError(self.path, f"line {number}: {error}") from None
                self._size += len(line)
        os.ftruncate(file.fileno(), self._size)
        if known is None:
            self._append(header_line(header))
            _sync_folder(self.path)
        elif problem := known.mismatch(header, key_rotated=key_rotated):
            raise JournalError(self.path, problem)
        self.started = (known or header).started

    def _put(self, lines: Sequence[bytes]) -> None:
        try:
            self._append(b"".join(lines))
        except OSError as error:
            self._failure = f"it cannot be written: {error.strerror}"
        else:
            self._written += len(lines)

    def _append(self, data: bytes) -> None:
        """Write to the disk all of it, or nothing."""
        file, rest = self._opened, memoryview(data)
        is_whole = False
        try:
            while rest:
                rest = rest[file.write(rest) :]
            os.fsync(file.fileno())
            is_whole = True
        finally:
            if is_whole:
                self._size += len(data)
            else:
                with suppress(OSError):
                    os.ftruncate(file.fileno(), self._size)

    @property
    def _opened(self) -> io.FileIO:
        if self._file is None:
            raise ValueError("it is not open")
        return self._file


async def _in_thread(work: Callable[[], None]) -> None:
    """Work in a thread, and wait for its end even when cancelled: the file must not be closed meanwhile."""
    future = running_loop().run_in_executor(None, work)
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait((future,))
        except asyncio.CancelledError as error:
            cancelled = error
    try:
        if cancelled is not None:
            raise cancelled
    finally:
        del cancelled  # its traceback leads here
    future.result()


def _open_private(path: str, flags: int) -> int:
    """Open a file that only its owner may read, if it is new."""
    return os.open(path, flags, 0o600)


def _sync_folder(path: str) -> None:
    """See to it that a new file is found again after a loss of power, where folders can be opened."""
    with suppress(OSError):
        folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY)  # noqa: PTH120 - no Path is needed otherwise
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _lock(descriptor: int) -> bool:
    """Lock a file for this process and this job, and tell whether that went well."""
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 - there is none elsewhere

            os.lseek(descriptor, _FAR, os.SEEK_SET)  # what is locked there cannot be read by others
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415 - there is none elsewhere

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


Item = TypeVar("Item")
Value = TypeVar("Value")
Item_co = TypeVar("Item_co", covariant=True)

_BREATH: Final = 500
"""After so many items that are passed over, others have a turn."""


@frozen
class Entry(Generic[Item_co]):
    """An item that is not done, and its place among all."""

    index: int
    item: Item_co
    digest: str
    may_be_done: bool


@define(eq=False)
class Journaled(Generic[Item, Value]):
    """One run of a job with its journal."""

    _journal: Journal
    _act: Callable[[Item, float | None], Awaitable[Value]]
    _items: Iterable[Item] | AsyncIterable[Item]
    _file: JournalFile = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._file = JournalFile(self._journal.path)

    async def run(
        self, outcomes: AsyncGenerator[Outcome[Entry[Item], Value], None], header: Callable[[], Header]
    ) -> AsyncGenerator[Outcome[Item, Value], None]:
        """Yield the outcomes under the names of their items. The journal is open from first to last.

        Args:
            outcomes: under the names of their entries.
            header: returns that of a new journal, once the job begins.

        Raises:
            JournalError: the journal cannot be used.
        """
        try:
            self._journal.skipped = 0
            await self._file.open(header(), key_rotated=self._journal.key_rotated)
            async with aclosing(outcomes):
                async for each in outcomes:
                    yield _checked(each)
        finally:
            self._file.close()

    async def entries(self) -> AsyncGenerator[Entry[Item], None]:
        """Yield the items that are not done.

        Raises:
            JournalError: the journal is of other input.
        """
        ledger, count = self._file.ledger, 0
        source = source_of(self._items)
        try:
            async for item in source:
                index, digest = count, digest_of(item)
                count += 1
                try:
                    state = ledger.state_of(index, digest)
                except ValueError as error:
                    raise JournalError(self._journal.path, str(error)) from None
                if state is not State.DONE:
                    yield Entry(index, item, digest, state is State.OPEN)
                    continue
                self._journal.skipped += 1
                if self._journal.skipped % _BREATH == 0:
                    await asyncio.sleep(0)
        finally:
            await close_source(source)
        if count < len(ledger):
            problem = f"it knows {len(ledger)} items, and the input has {count}: it is of other input"
            raise JournalError(self._journal.path, problem)

    async def once(self, entry: Entry[Item]) -> Value:
        """Do it to one item, between two lines of the journal."""
        index, digest, file = entry.index, entry.digest, self._file
        await file.record(begun_line(index, digest))
        try:
            value = await self._act(entry.item, file.started if entry.may_be_done else None)
        except TelnyxRoomsError as error:
            # Who looked for a room and found another's has certainly made none.
            may_be = not isinstance(error, NameTakenError) and (entry.may_be_done or not is_certain(error))
            await file.record(failed_line(index, digest, error, may_be_done=may_be))
            raise
        room_id = getattr(value, "id", None)
        await file.record(done_line(index, digest, room_id))
        return value


def _checked(outcome: Outcome[Entry[Item], Value]) -> Outcome[Item, Value]:
    """Give an outcome the item and the place that its user knows.

    Raises:
        JournalError: it could not be written down.
    """
    if isinstance(outcome, Failed) and isinstance(outcome.error, JournalError):
        raise outcome.error
    return renamed(outcome, outcome.item.index, outcome.item.item)
