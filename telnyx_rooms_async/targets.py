"""Where a file goes to: a path, whose place it takes only when it is whole, or a writer."""

import asyncio
import errno
import io
import os
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from inspect import isawaitable
from pathlib import Path
from typing import Protocol, TypeAlias

from telnyx_rooms_async.core.errors import InvalidArgumentError
from telnyx_rooms_async.core.rules import show

Write: TypeAlias = Callable[[bytes], Awaitable[object]]
"""Takes all that it is given."""


class Writer(Protocol):
    """What bytes can be written to: a file opened in binary mode, an `io.BytesIO`."""

    def write(self, data: bytes, /) -> object:
        """Take some bytes; what is returned may be awaitable.

        An ``int`` tells how many were taken, as of a raw file: the rest is handed over again. After a 0, or
        the ``None`` of an `io.RawIOBase`, the download fails with `BlockingIOError`: nothing more can be
        written. Anything else means that all were taken.
        """
        ...


def checked_target(target: str | os.PathLike[str] | Writer) -> Path | Writer:
    """Return a writer as it is, and a path with all links followed.

    Raises:
        InvalidArgumentError: it is neither, or cannot be written to.
    """
    if isinstance(target, str | os.PathLike):
        return _resolved(Path(target))
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
    """Write beside the path, in a thread, and take the path's place only at the good end."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        # Opened here and not in a thread, which a cancellation would leave to make a file that none removes.
        with partial.open("xb") as file:
            yield lambda data: asyncio.to_thread(file.write, data)
        await asyncio.to_thread(partial.replace, path)
    finally:
        partial.unlink(missing_ok=True)


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
