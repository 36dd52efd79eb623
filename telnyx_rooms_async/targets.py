"""Where a file goes to: a path, whose place it takes only when it is whole, or a writer."""

import asyncio
import errno
import io
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from inspect import isawaitable
from pathlib import Path
from typing import Final, Protocol, TypeAlias, TypeVar

from attrs import Factory, define, field

from telnyx_rooms_async.atomic_write import AtomicFile
from telnyx_rooms_async.core.errors import InvalidArgumentError
from telnyx_rooms_async.core.rules import exact_text, show

T = TypeVar("T")
Write: TypeAlias = Callable[[bytes], Awaitable[object]]
"""Takes all that it is given."""

_CHUNK: Final = 2**20
"""Bytes that are collected before a thread writes them: to start a thread for each piece takes longer."""


class Writer(Protocol):
    """What bytes can be written to: a file opened in binary mode, an `io.BytesIO`."""

    def write(self, data: bytes, /) -> object:
        """Take some bytes; what is returned may be awaitable.

        An ``int`` tells how many were taken, as of a raw file: the rest is handed over again. After a 0, or
        the ``None`` of an `io.RawIOBase`, the download fails with `BlockingIOError`: nothing more can be
        written. Anything else means that all were taken.
        """
        ...


async def checked_target(target: str | os.PathLike[str] | Writer) -> Path | Writer:
    """Return a writer as it is, and a path with all links followed.

    Raises:
        InvalidArgumentError: it is neither, or cannot be written to.
    """
    target = exact_text(target)
    if isinstance(target, str | os.PathLike):
        return await _in_thread(lambda: _resolved(Path(target)))
    if not callable(getattr(target, "write", None)):
        raise InvalidArgumentError((f"target must be a path or a writer, not {show(target)}",))
    if isinstance(target, io.TextIOBase):
        raise InvalidArgumentError((f"target must be opened in binary mode, not {show(target)}",))
    return target


def opened(target: Path | Writer) -> AbstractAsyncContextManager[Write]:
    """Return what writes to a target, for as long as a block lasts."""
    return _file(target) if isinstance(target, Path) else _writer(target)


def _resolved(path: Path) -> Path:
    """Follow links, and refuse what is there and is no file: a rename would take the place of a device."""
    try:
        path = path.resolve()
        taken = path.exists() and not path.is_file()
    except (ValueError, RuntimeError):  # a NUL, a lone surrogate, a circle of links
        raise InvalidArgumentError((f"target must be the path of a file, not {show(str(path))}",)) from None
    if taken:
        raise InvalidArgumentError((f"target must be a file, not a folder or a device: {show(str(path))}",))
    return path


@asynccontextmanager
async def _file(path: Path) -> AsyncGenerator[Write, None]:
    """Write to a temporary file, in threads, which takes the place of the path at the end."""
    target = _FileTarget(path)
    try:
        await _in_thread(target.open)
        yield target.write
        await _in_thread(target.commit)
    except BaseException as error:
        if _can_wait_after(error):
            await _in_thread(target.discard)
        else:
            target.discard()
        raise


@define(eq=False, repr=False)
class _FileTarget:
    """File on the disk that is written to in large chunks."""

    _path: Path
    _file: AtomicFile | None = field(default=None, init=False)
    _pieces: list[bytes] = field(default=Factory(list[bytes]), init=False)
    _size: int = field(default=0, init=False)
    """Bytes in the pieces."""

    async def write(self, data: bytes) -> None:
        """Collect data, and write it when it is enough."""
        self._pieces.append(data)
        self._size += len(data)
        if self._size >= _CHUNK:
            await _in_thread(self._flush)

    # --- in a thread ----------------------------------------------------------------------------------------

    def open(self) -> None:
        self._file = AtomicFile(self._path)

    def commit(self) -> None:
        self._flush()
        self._opened.commit()

    def discard(self) -> None:
        if self._file is not None:
            self._file.discard()

    def _flush(self) -> None:
        self._opened.file.write(b"".join(self._pieces))
        self._pieces.clear()
        self._size = 0

    @property
    def _opened(self) -> AtomicFile:
        if self._file is None:
            raise ValueError("it is not open")
        return self._file


def _can_wait_after(error: BaseException) -> bool:
    """Return whether something can be awaited: not in a task that is thrown away with its event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return not isinstance(error, GeneratorExit)


async def _in_thread(work: Callable[[], T]) -> T:
    """Run work in a thread, and wait for its end although cancelled: it must not go on without its caller."""
    future = asyncio.get_running_loop().run_in_executor(None, work)
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait((future,))
        except asyncio.CancelledError as error:
            cancelled = error
    try:
        if cancelled is not None:
            if not future.cancelled():
                future.exception()  # retrieved: the cancellation goes first
            raise cancelled
        return future.result()
    finally:
        del cancelled, future  # a traceback leads here


@asynccontextmanager
async def _writer(target: Writer) -> AsyncGenerator[Write, None]:
    async def write(data: bytes) -> None:
        left = memoryview(data)
        while left:
            taken = target.write(bytes(left))
            if isawaitable(taken):
                taken = await taken
            if taken is None and isinstance(target, io.RawIOBase):
                taken = 0
            if type(taken) is not int or not 0 <= taken < len(left):
                return
            if not taken:
                raise BlockingIOError(errno.EAGAIN, "the writer takes nothing")
            left = left[taken:]

    yield write
