"""Where a file goes to: a path, whose place it takes only when it is whole, or a writer."""

import asyncio
import errno
import io
import os
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from inspect import isawaitable
from pathlib import Path
from typing import Final, Protocol, TypeAlias, TypeVar

from attrs import Factory, define, field, frozen

from telnyx_rooms_async.atomic_write import AtomicFile
from telnyx_rooms_async.core import protocol
from telnyx_rooms_async.core.http_messages import (
    Attempt,
    Call,
    Failure,
    Reason,
    Request,
    Response,
    RetrySafety,
)
from telnyx_rooms_async.core.retry import next_delay, retry_cost
from telnyx_rooms_async.core.secret import Secret
from telnyx_rooms_async.core.validators import exact_text, integer, short_repr, url
from telnyx_rooms_async.errors import (
    APIResponseValidationError,
    ClientClosedError,
    InvalidArgumentError,
    NotReadyError,
)
from telnyx_rooms_async.http.api_session import ApiSession
from telnyx_rooms_async.http.attempt_log import build_attempt, emit_attempt
from telnyx_rooms_async.http.transport import Stream, is_usable_url
from telnyx_rooms_async.models import RecordingStatus
from telnyx_rooms_async.shield import run_in_thread

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
        return await run_in_thread(lambda: _resolved(Path(target)))
    if not callable(getattr(target, "write", None)):
        raise InvalidArgumentError((f"target must be a path or a writer, not {short_repr(target)}",))
    if isinstance(target, io.TextIOBase):
        raise InvalidArgumentError((f"target must be opened in binary mode, not {short_repr(target)}",))
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
        raise InvalidArgumentError(
            (f"target must be the path of a file, not {short_repr(str(path))}",)
        ) from None
    if taken:
        raise InvalidArgumentError(
            (f"target must be a file, not a folder or a device: {short_repr(str(path))}",)
        )
    return path


@asynccontextmanager
async def _file(path: Path) -> AsyncGenerator[Write, None]:
    """Write to a temporary file, in threads, which takes the place of the path at the end."""
    target = _FileTarget(path)
    try:
        await run_in_thread(target.open)
        yield target.write
        await run_in_thread(target.commit)
    except BaseException as error:
        if _can_wait_after(error):
            await run_in_thread(target.discard)
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
            await run_in_thread(self._flush)

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


_STORE: Final = Call(
    operation="download",
    template="{download_url}",
    request=Request(method="GET", path=""),
    answer=Response,
    repeat=RetrySafety.IDEMPOTENT,
)
"""What the attempts at a file are recorded as: no operation of the API."""

Progress: TypeAlias = Callable[[int, int | None], object]
"""Called with the bytes that are there, and the bytes that there will be if that is known.

What it returns is awaited if it can be.
"""

_RATE_MIN: Final = 1024
"""Bytes a second, on average over the timeout of the client."""
_MOMENT: Final = 0.001
_PARTIAL_CONTENT: Final = 206
_EXPIRED: Final = frozenset({401, 403, 404, 410})
_STRONG_ETAG: Final = re.compile(r'"[!#-~]*"')
_VISIBLE: Final = re.compile("[ -~]+")
_ANOTHER_FILE: Final = Failure(
    reason=Reason.MALFORMED, sent=True, detail="the store sent another part or file"
)
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
    api: ApiSession,
    call: Call[Downloadable],
    target: str | os.PathLike[str] | Writer,
    *,
    progress: Progress | None,
    max_bytes: int | None,
) -> DownloadedFile:
    """Bring the file of what `call` retrieves to `target`; see the resources for what is promised."""
    if progress is not None and not callable(progress):
        raise InvalidArgumentError((f"progress must be callable, not {short_repr(progress)}",))
    if max_bytes is not None and (wrong := integer(0, 2**63 - 1)(max_bytes)):
        raise InvalidArgumentError((f"max_bytes {wrong}",))
    with api.in_flight_calls:
        checked = await checked_target(target)
        async with opened(checked) as write:
            transfer = _Transfer(api, call, write=write, progress=progress, max_bytes=max_bytes)
            await transfer.run()
    path = checked if isinstance(checked, Path) else None
    return DownloadedFile(path=path, size=transfer.received, content_type=transfer.content_type)


async def file_size(api: ApiSession, call: Call[Downloadable], item: Downloadable) -> int | None:
    """Return the bytes of the file of `item`; `call` retrieves the item again when its link has expired."""
    transfer = _Transfer(api, call, is_head_enough=True)
    with api.in_flight_calls:
        await transfer.run(transfer.link_of(item))
    return transfer.total


async def _nowhere(_: bytes) -> None:
    """Take nothing."""


@define(eq=False, repr=False)
class _Patience:
    """Time that a store has: the timeout of the client, granted again for each share of the file.

    A share is what a store brings in that time at the lowest rate that is accepted. Only the time that is
    spent on the store counts, not that of the API, of the writer, or in a queue.
    """

    seconds: float
    left: float = Factory(lambda self: self.seconds, takes_self=True)
    gained: int = 0
    """Bytes of this share."""

    @property
    def is_over(self) -> bool:
        return self.left <= _MOMENT

    def gain(self, size: int) -> bool:
        """Count bytes, and return whether they complete a share."""
        self.gained += size
        if self.gained < _RATE_MIN * self.seconds:
            return False
        self.left, self.gained = self.seconds, 0
        return True


@define(eq=False, repr=False)
class _Transfer:
    """One file on its way."""

    api: ApiSession
    call: Call[Downloadable]
    write: Write = field(default=_nowhere, kw_only=True)
    progress: Progress | None = field(default=None, kw_only=True)
    max_bytes: int | None = field(default=None, kw_only=True)
    is_head_enough: bool = field(default=False, kw_only=True)
    """Whether only the length is wanted."""
    patience: _Patience = field(
        default=Factory(lambda self: _Patience(self.api.timeout), takes_self=True), init=False
    )
    spent: float = field(default=0.0, init=False)
    """What repetitions since the last share took from the client's retry budget."""
    received: int = field(default=0, init=False)
    total: int | None = field(default=None, init=False)
    content_type: str | None = field(default=None, init=False)
    etag: str | None = field(default=None, init=False)
    last_modified: str | None = field(default=None, init=False)
    is_whole: bool = field(default=False, init=False)

    async def run(self, link: Secret | None = None) -> None:
        """Pull until all is there: a cut costs another request, an expired link another retrieval.

        Raises:
            TelnyxRoomsError: as many attempts in a row as the policy allows brought nothing, the client's
                retry budget is spent, or the store is too slow.
        """
        clock = self.api.clock
        attempts: tuple[Attempt, ...] = ()
        fruitless = 0
        while True:
            is_fresh = link is None
            link = link or self.link_of(await self.api.call(self.call))
            before, started = self.received, clock.monotonic()
            outcome = await self._pull(link)
            elapsed = clock.monotonic() - started
            fruitless = 1 if self.received > before else fruitless + 1
            wait, is_exhausted = self._plan(outcome, fruitless)
            if isinstance(outcome, Response) and outcome.status in _EXPIRED and not is_fresh:
                link, wait = None, 0.0
            attempt = build_attempt(
                _STORE,
                outcome,
                number=len(attempts) + 1,
                elapsed=elapsed,
                wait=wait,
                budget_exhausted=is_exhausted,
            )
            attempts = (*attempts, attempt)
            emit_attempt(attempt, self.api.on_attempt)
            if self.is_whole:
                self._refund(1.0)
                return
            if wait is None:
                raise protocol.error_of(outcome, attempts, now=clock.now())
            await clock.sleep(wait)
            self.patience.left -= wait

    def link_of(self, item: Downloadable) -> Secret:
        """Return the link to the file of an item, which is good for an hour after its retrieval.

        Raises:
            NotReadyError: there is no file yet.
            APIResponseValidationError: the link is no URL, or not as secure as the API. It is not shown.
        """
        link = Secret(item.download_url or "")
        if item.status != RecordingStatus.COMPLETED or not link:
            raise NotReadyError(item.id, item.status)
        is_insecure = self.api.transport.is_https and not link.lower().startswith("https://")
        if is_insecure or url(link) or not is_usable_url(link):
            misfit = f"$.data.download_url: expected {'an https:// URL' if is_insecure else 'a URL'}"
            raise APIResponseValidationError(misfit, misfits=(misfit,))
        return link

    def _plan(self, outcome: Response | Failure, fruitless: int) -> tuple[float | None, bool]:
        """Return how long to wait before another attempt, if there is one, and whether the budget forbids."""
        api = self.api
        if self.is_whole:
            return None, False
        wait = next_delay(
            api.retry,
            _STORE.repeat,
            outcome,
            number=fruitless,
            time_left=self.patience.left,
            now=api.clock.now(),
            dice=api.clock.dice(),
        )
        if wait is None:
            return None, False
        cost = retry_cost(api.retry, outcome)
        if not api.budget.take(cost, api.clock.monotonic()):
            return None, True
        self.spent += cost
        return wait, False

    def _refund(self, least: float) -> None:
        self.api.budget.give(self.spent or least)
        self.spent = 0.0

    async def _pull(self, link: Secret) -> Response | Failure:
        """Read on from where we are, and return what came of it; `is_whole` tells of the end of the file."""
        transport = self.api.transport
        async with await transport.download_slots():
            stream = await self._timed(
                partial(transport.open, link, offset=self.received, if_range=self._version)
            )
            if isinstance(stream, Failure):
                return stream
            try:
                return await self._read(stream)
            finally:
                stream.close()

    async def _read(self, stream: Stream) -> Response | Failure:
        head = stream.head
        if head.status not in (200, _PARTIAL_CONTENT):
            # Nothing is beyond what we have: the end, of a file whose length was not told.
            self.is_whole = head.header("content-range") == f"bytes */{self.received}"
            return head
        skip = self._begin(head)
        failure = skip if isinstance(skip, Failure) else await self._copy(stream, skip)
        self.is_whole = failure is None
        return failure or head

    async def _copy(self, stream: Stream, skip: int) -> Failure | None:
        """Write what a stream brings, but for the first bytes, and return why it is not all of the file."""
        if self.is_head_enough:
            return None

        async def read(*, seconds: float) -> bytes | Failure:
            stream.seconds = seconds
            return await stream.read()

        while piece := await self._timed(read):
            if isinstance(piece, Failure):
                return piece
            if failure := await self._take(piece[skip:]):
                return failure
            skip = max(0, skip - len(piece))
            if self.patience.gain(len(piece)):
                self._refund(0.0)
            elif self.patience.is_over:
                return self._too_slow
        if self.total in (None, self.received) and not skip:
            return None
        return Failure(reason=Reason.LOST, sent=True, detail=f"{self.received} of {self.total} bytes came")

    async def _timed(self, operation: Callable[..., Awaitable[T | Failure]]) -> T | Failure:
        """Wait for the store, as long as one attempt and the patience allow, and count the time."""
        clock, patience = self.api.clock, self.patience
        started = clock.monotonic()
        outcome = await operation(seconds=max(min(self.api.attempt_timeout, patience.left), _MOMENT))
        patience.left -= clock.monotonic() - started
        is_timeout = isinstance(outcome, Failure) and outcome.reason is Reason.TIMEOUT
        return self._too_slow if is_timeout and patience.is_over else outcome

    @property
    def _too_slow(self) -> Failure:
        detail = f"less than {_RATE_MIN} bytes a second came for {self.patience.seconds:g} s"
        return Failure(reason=Reason.TIMEOUT, sent=True, detail=detail, deadline=True)

    @property
    def _version(self) -> str | None:
        """What ``If-Range`` names the file by: a strong entity tag, or else its date."""
        if self.etag and _STRONG_ETAG.fullmatch(self.etag):
            return self.etag
        return self.last_modified if self.last_modified and _VISIBLE.fullmatch(self.last_modified) else None

    def _begin(self, head: Response) -> int | Failure:
        """Return how many bytes to pass over; a failure when this does not go on where we are."""
        skip, total = self.received, head.header("content-length")
        if head.status == _PARTIAL_CONTENT:
            part = _CONTENT_RANGE.fullmatch(head.header("content-range") or "")
            if part is None or int(part[1]) != self.received:
                return _ANOTHER_FILE
            skip, total = 0, part[2]
        size = int(total) if total and total.isdecimal() else None
        if self.received and not self._is_same(head, size):
            return _ANOTHER_FILE
        if size is not None or not self.received:
            self.total = size
        self.etag = head.header("etag")
        self.last_modified = head.header("last-modified") or self.last_modified
        self.content_type = head.header("content-type") or self.content_type
        if self.max_bytes is not None and self.total is not None and self.total > self.max_bytes:
            return self._too_large
        return skip

    def _is_same(self, head: Response, size: int | None) -> bool:
        """Return whether an answer is of the file of which there are bytes already."""
        if None not in (size, self.total) and size != self.total:
            return False
        etag, last_modified = head.header("etag"), head.header("last-modified")
        if etag or self.etag:
            return etag == self.etag
        # An answer to If-Range need not repeat it.
        is_left_out = last_modified is None and head.status == _PARTIAL_CONTENT
        return is_left_out or last_modified == self.last_modified

    async def _take(self, piece: bytes) -> Failure | None:
        """Write some bytes; a failure when they are more than there may be."""
        if not piece:
            return None
        size = self.received + len(piece)
        if self.max_bytes is not None and size > self.max_bytes:
            return self._too_large
        if self.total is not None and size > self.total:
            detail = f"more than the announced {self.total} bytes came"
            return Failure(reason=Reason.MALFORMED, sent=True, detail=detail)
        await self.write(piece)
        self.received = size
        if self.progress is not None:
            told = self.progress(self.received, self.total)
            if isawaitable(told):
                await told
        if self.api.in_flight_calls.is_closed:  # by the writer, say
            raise ClientClosedError
        return None

    @property
    def _too_large(self) -> Failure:
        detail = f"the file is larger than max_bytes, which is {self.max_bytes}"
        return Failure(reason=Reason.TOO_LARGE, sent=True, detail=detail)
