"""Bring a file of Telnyx's store to a path or a writer: in pieces, resumed after cuts, checked at the end."""

import asyncio
import io
import math
import os
import re
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from inspect import isawaitable
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from attrs import define, frozen

from telnyx_rooms_async.attempts import record, report
from telnyx_rooms_async.caller import Caller
from telnyx_rooms_async.core import protocol
from telnyx_rooms_async.core.errors import (
    APIResponseValidationError,
    ClientClosedError,
    InvalidArgumentError,
    NotReadyError,
)
from telnyx_rooms_async.core.messages import Attempt, Call, Failure, Reason, Response
from telnyx_rooms_async.core.models import RecordingStatus
from telnyx_rooms_async.core.retry import next_delay
from telnyx_rooms_async.core.rules import show, url
from telnyx_rooms_async.core.secret import Secret

Progress: TypeAlias = Callable[[int, int | None], object]
"""Called with the bytes that are there, and the bytes that there will be if that is known."""

_EXPIRED: Final = frozenset({401, 403, 404, 410})
_CONTENT_RANGE: Final = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18})")


class Downloadable(Protocol):
    """What has a file: a recording or a composition."""

    @property
    def id(self) -> str:
        """The id that Telnyx gave it."""
        ...

    @property
    def status(self) -> str | None:
        """``"completed"`` when there is a file."""
        ...

    @property
    def download_url(self) -> str | None:
        """A secret that opens the file for one hour."""
        ...


class Writer(Protocol):
    """What bytes can be written to: a file opened in binary mode, an `io.BytesIO`."""

    def write(self, data: bytes, /) -> object:
        """Take some bytes, all of them."""
        ...


@frozen(kw_only=True)
class DownloadedFile:
    """A file that is here, whole."""

    path: Path | None
    """``None`` when it went to a writer."""
    size: int
    """Bytes."""
    content_type: str | None
    """As the store says: ``"video/mp4"``."""


async def download(
    caller: Caller,
    call: Call[Downloadable],
    target: str | os.PathLike[str] | Writer,
    progress: Progress | None,
) -> DownloadedFile:
    """Bring the file of what `call` retrieves to `target`; see the resources for what is promised."""
    path = Path(target) if isinstance(target, str | os.PathLike) else None
    if path is None and not callable(getattr(target, "write", None)):
        raise InvalidArgumentError((f"target must be a path or a writer, not {show(target)}",))
    if isinstance(target, io.TextIOBase):
        raise InvalidArgumentError((f"target must be opened in binary mode, not {show(target)}",))
    if path is not None:
        path = _resolved(path)
    async with _file(path) if path else _writer(target) as write:  # type: ignore[arg-type]  # checked above
        transfer = _Transfer(caller, call, write, progress or (lambda _done, _total: None))
        with caller.lifetime:
            await transfer.run()
    return DownloadedFile(path=path, size=transfer.received, content_type=transfer.content_type)


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


_Write: TypeAlias = Callable[[bytes], Awaitable[object]]


@asynccontextmanager
async def _file(path: Path) -> AsyncGenerator[_Write, None]:
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
async def _writer(target: Writer) -> AsyncGenerator[_Write, None]:
    async def write(data: bytes) -> None:
        left = memoryview(data)
        while left:
            taken = target.write(bytes(left))
            if isawaitable(taken):
                taken = await taken
            left = left[taken if isinstance(taken, int) else len(left) :]

    yield write


@define(eq=False, repr=False)
class _Transfer:
    """One file on its way."""

    caller: Caller
    call: Call[Downloadable]
    write: _Write
    progress: Progress
    received: int = 0
    total: int | None = None
    content_type: str | None = None
    etag: str | None = None

    async def run(self) -> None:
        """Pull until all is there: a cut costs another request, an expired link another retrieval.

        Raises:
            TelnyxRoomsError: as many attempts in a row as the policy allows brought nothing.
        """
        clock = self.caller.clock
        attempts: tuple[Attempt, ...] = ()
        link, fruitless = None, 0
        while True:
            is_fresh = link is None
            link = link or await self._link()
            before, started = self.received, clock.monotonic()
            outcome = await self._pull(link)
            if outcome is None:
                return
            elapsed = clock.monotonic() - started
            fruitless = 1 if self.received > before else fruitless + 1
            wait = self._pause(outcome, fruitless)
            if isinstance(outcome, Response) and outcome.status in _EXPIRED and not is_fresh:
                link, wait = None, 0.0
            attempts = (
                *attempts,
                record(self.call, outcome, number=len(attempts) + 1, elapsed=elapsed, wait=wait),
            )
            report(attempts[-1], self.caller.on_attempt)
            if wait is None:
                raise protocol.error_of(outcome, attempts, now=clock.now())
            await clock.sleep(wait)

    async def _link(self) -> Secret:
        """Ask for a link that is good for an hour from now."""
        item = await self.caller.ask(self.call)
        if item.status != RecordingStatus.COMPLETED or not item.download_url:
            raise NotReadyError(item.id, item.status)
        if url(item.download_url):
            misfit = "$.data.download_url: expected a URL"
            raise APIResponseValidationError(misfit, misfits=(misfit,))
        return Secret(item.download_url)

    def _pause(self, outcome: Response | Failure, fruitless: int) -> float | None:
        return next_delay(
            self.caller.retry,
            self.call.repeat,
            outcome,
            number=fruitless,
            time_left=math.inf,
            now=self.caller.clock.now(),
            dice=self.caller.clock.dice(),
        )

    async def _pull(self, link: Secret) -> Response | Failure | None:
        """Read on from where we are; return what stopped us, or ``None`` at the end of the file."""
        seconds = self.caller.attempt_timeout
        stream = await self.caller.transport.open(link, offset=self.received, seconds=seconds)
        if isinstance(stream, Failure):
            return stream
        try:
            if stream.head.status not in (200, 206):
                # Nothing is beyond what we have: the end, of a file whose length was not told.
                at_end = stream.head.header("content-range") == f"bytes */{self.received}"
                return None if at_end else stream.head
            skip = self._begin(stream.head)
            if skip is None:
                return Failure(
                    reason=Reason.MALFORMED, sent=True, detail="the store sent another part or file"
                )
            while piece := await stream.read():
                if isinstance(piece, Failure):
                    return piece
                await self._take(piece[skip:])
                skip = max(0, skip - len(piece))
        finally:
            stream.close()
        if self.total in (None, self.received) and not skip:
            return None
        detail = f"{self.received} of {self.total} bytes came"
        return Failure(reason=Reason.LOST, sent=True, detail=detail)

    def _begin(self, head: Response) -> int | None:
        """Return how many bytes to pass over, or ``None`` when this does not go on where we are."""
        skip, total = self.received, head.header("content-length")
        if head.status == 206:  # noqa: PLR2004 - the part that was asked for
            part = _CONTENT_RANGE.fullmatch(head.header("content-range") or "")
            if part is None or int(part[1]) != self.received:
                return None
            skip, total = 0, part[2]
        size = int(total) if total and total.isdecimal() else None
        etag = head.header("etag")
        other_size = None not in (size, self.total) and size != self.total
        if self.received and (other_size or etag != self.etag):
            return None
        self.total, self.etag = size or self.total, etag
        self.content_type = head.header("content-type")
        return skip

    async def _take(self, piece: bytes) -> None:
        if piece:
            await self.write(piece)
            if self.caller.lifetime.is_closed:  # by the writer, say
                raise ClientClosedError
            self.received += len(piece)
            self.progress(self.received, self.total)
