"""The file of a journal: locked, mended, read, and written in groups that reach the disk together."""

import asyncio
import io
import os
import stat
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from attrs import define, field

from telnyx_rooms_async.core.job_errors import JournalError
from telnyx_rooms_async.core.journal import MARK, Header, Ledger, header_line, read_header
from telnyx_rooms_async.lifetime import running_loop

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
