"""Downloads of recordings and compositions to a path or a writer."""

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
from typing import Final, Protocol, TypeAlias, TypeVar, cast

from attrs import Factory, define, field, frozen

from telnyx_rooms_async.atomic_write import AtomicFile
from telnyx_rooms_async.core.error_mapping import error_of
from telnyx_rooms_async.core.http_messages import (
    Attempt,
    Call,
    Failure,
    FailureKind,
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
from telnyx_rooms_async.http.attempt_log import record_attempt
from telnyx_rooms_async.http.transport import Stream, is_usable_url
from telnyx_rooms_async.models import RecordingStatus
from telnyx_rooms_async.shield import run_in_thread

T = TypeVar("T")
Write: TypeAlias = Callable[[bytes], Awaitable[object]]

Progress: TypeAlias = Callable[[int, int | None], object]
"""Called with the received bytes, and with the size of the file if it is known. May be async."""

_MIN_BYTES_PER_SECOND: Final = 1024
"""On average over the timeout of the client."""
_WRITE_SIZE: Final = 2**20
"""Bytes that are collected before a thread writes them: starting a thread costs more than a small write."""
_SHORTEST_TIMEOUT: Final = 0.001
_OK: Final = 200
_PARTIAL_CONTENT: Final = 206
_EXPIRED_LINK_STATUSES: Final = frozenset({401, 403, 404, 410})
_STRONG_ETAG: Final = re.compile(r'"[!#-~]*"')
_PRINTABLE: Final = re.compile("[ -~]+")
_CONTENT_RANGE: Final = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18})")
_OTHER_FILE: Final = Failure(
    reason=FailureKind.MALFORMED, sent=True, detail="the store sent another part or file"
)
_DOWNLOAD: Final = Call(
    operation="download",
    template="{download_url}",
    request=Request(method="GET", path=""),
    response_type=Response,
    retry_safety=RetrySafety.IDEMPOTENT,
)
"""Under this name the attempts of a download are recorded: it is no operation of the API."""


class Writer(Protocol):
    """A target of a download: a file opened in binary mode, an `io.BytesIO`, or an async writer."""

    def write(self, data: bytes, /) -> object:
        """Write bytes; the result may be awaitable.

        An ``int`` is the number of bytes written, as by a raw file: the rest is passed again. After 0, or
        None from an `io.RawIOBase`, the download fails with `BlockingIOError`. Any other result means all
        bytes.
        """
        ...


class Downloadable(Protocol):
    """A recording or a composition."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    @property
    def status(self) -> str | None:
        """``"completed"`` when there is a file."""
        ...

    @property
    def download_url(self) -> str | None:
        """A secret link to the file, valid for one hour."""
        ...


@frozen(kw_only=True)
class DownloadedFile:
    """Result of a download."""

    path: Path | None
    """None if the target was a writer."""
    size: int
    """Bytes."""
    content_type: str | None
    """As stated by the store: ``"video/mp4"``."""


async def download(
    api: ApiSession,
    call: Call[Downloadable],
    target: str | os.PathLike[str] | Writer,
    *,
    progress: Progress | None,
    max_bytes: int | None,
) -> DownloadedFile:
    """Download the file of the item that `call` retrieves, as `Recordings.download` documents it."""
    if progress is not None and not callable(progress):
        raise InvalidArgumentError((f"progress must be callable, not {short_repr(progress)}",))
    if max_bytes is not None and (problem := integer(0, 2**63 - 1)(max_bytes)):
        raise InvalidArgumentError((f"max_bytes {problem}",))
    with api.in_flight_calls:
        checked = await _check_target(target)
        async with _open(checked) as write:
            transfer = _Transfer(api, call, write=write, progress=progress, max_bytes=max_bytes)
            await transfer.run()
    path = checked if isinstance(checked, Path) else None
    return DownloadedFile(path=path, size=transfer.received, content_type=transfer.content_type)


async def file_size(api: ApiSession, call: Call[Downloadable], item: Downloadable) -> int | None:
    """Return the size of the file of `item` in bytes. If its link has expired, `call` retrieves a new one."""
    transfer = _Transfer(api, call, is_head_only=True)
    with api.in_flight_calls:
        await transfer.run(transfer.link_of(item))
    return transfer.total


# --- targets ----------------------------------------------------------------------------------------------


async def _check_target(target: str | os.PathLike[str] | Writer) -> Path | Writer:
    """Return a writer unchanged, or a path with all links resolved.

    Raises:
        InvalidArgumentError: the target is neither, or cannot be written to.
    """
    target = exact_text(target)
    if isinstance(target, str | os.PathLike):
        return await run_in_thread(partial(_resolve, Path(target)))
    if not callable(getattr(target, "write", None)):
        raise InvalidArgumentError((f"target must be a path or a writer, not {short_repr(target)}",))
    if isinstance(target, io.TextIOBase):
        raise InvalidArgumentError((f"target must be opened in binary mode, not {short_repr(target)}",))
    return target


def _resolve(path: Path) -> Path:
    try:
        path = path.resolve()
        is_no_file = path.exists() and not path.is_file()
    except (ValueError, RuntimeError):  # NUL, a lone surrogate, a loop of links
        raise InvalidArgumentError(
            (f"target must be the path of a file, not {short_repr(str(path))}",)
        ) from None
    if is_no_file:  # a rename would replace a device
        raise InvalidArgumentError(
            (f"target must be a file, not a folder or a device: {short_repr(str(path))}",)
        )
    return path


def _open(target: Path | Writer) -> AbstractAsyncContextManager[Write]:
    return _open_file(target) if isinstance(target, Path) else _open_writer(target)


@asynccontextmanager
async def _open_file(path: Path) -> AsyncGenerator[Write, None]:
    """Write to a temporary file, which replaces `path` at the end of the block."""
    file = _BufferedFile(path)
    try:
        await run_in_thread(file.open)
        yield file.write
        await run_in_thread(file.commit)
    except BaseException as error:
        if _can_await_after(error):
            await run_in_thread(file.discard)
        else:
            file.discard()
        raise


def _can_await_after(error: BaseException) -> bool:
    """Return False in a task that is discarded together with its event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return not isinstance(error, GeneratorExit)


@define(eq=False, repr=False)
class _BufferedFile:
    """An `AtomicFile` that is written in a thread, in large pieces. All methods but `write` block."""

    _path: Path
    _file: AtomicFile | None = field(default=None, init=False)
    _buffer: bytearray = field(factory=bytearray, init=False)

    async def write(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) >= _WRITE_SIZE:
            await run_in_thread(self._flush)

    def open(self) -> None:
        self._file = AtomicFile(self._path)

    def commit(self) -> None:
        self._flush()
        cast("AtomicFile", self._file).commit()

    def discard(self) -> None:
        if self._file is not None:
            self._file.discard()

    def _flush(self) -> None:
        cast("AtomicFile", self._file).file.write(self._buffer)
        self._buffer.clear()


@asynccontextmanager
async def _open_writer(writer: Writer) -> AsyncGenerator[Write, None]:
    async def write(data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            written = writer.write(bytes(rest))
            if isawaitable(written):
                written = await written
            if written is None and isinstance(writer, io.RawIOBase):
                written = 0
            if type(written) is not int or not 0 <= written < len(rest):
                return
            if not written:
                raise BlockingIOError(errno.EAGAIN, "the writer accepts no more bytes")
            rest = rest[written:]

    yield write


async def _discard(_: bytes) -> None:
    pass


# --- transfer ---------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class _Part:
    """A part of a file, as the head of a response states it. The whole file is a part from 0."""

    is_partial: bool
    offset: int
    size: int | None
    """Bytes of the whole file."""
    etag: str | None
    last_modified: str | None
    content_type: str | None

    @classmethod
    def of(cls, head: Response) -> "_Part | None":
        """Return None if a partial response does not state which part it has."""
        is_partial = head.status == _PARTIAL_CONTENT
        offset, size = 0, head.header("content-length")
        if is_partial:
            content_range = _CONTENT_RANGE.fullmatch(head.header("content-range") or "")
            if content_range is None:
                return None
            offset, size = int(content_range[1]), content_range[2]
        return cls(
            is_partial=is_partial,
            offset=offset,
            size=int(size) if size and size.isdecimal() else None,
            etag=head.header("etag"),
            last_modified=head.header("last-modified"),
            content_type=head.header("content-type"),
        )


@define(eq=False, repr=False)
class _TimeAllowance:
    """The time that the store has left: the timeout of the client, renewed by every share of the file.

    A share is the number of bytes that the minimum rate brings in that time. Only the wait for the store
    counts, not the API, the writer, or the wait for a connection.
    """

    seconds: float
    left: float = Factory(lambda self: self.seconds, takes_self=True)
    _share: int = field(default=0, init=False)

    @property
    def is_over(self) -> bool:
        return self.left <= _SHORTEST_TIMEOUT

    def add_bytes(self, count: int) -> bool:
        """Return whether the bytes complete a share."""
        self._share += count
        if self._share < _MIN_BYTES_PER_SECOND * self.seconds:
            return False
        self.left, self._share = self.seconds, 0
        return True


@define(eq=False, repr=False)
class _Transfer:
    """The download of one file, by as many requests as it takes.

    Example: a file of 100 bytes whose connection is lost after 40::

        GET link                                   200, 40 bytes, lost          received 40
        GET link  Range: bytes=40-  If-Range: etag  206, 60 bytes from 40        received 100
                                         or else:  200, all: the first 40 are skipped

    A response of another file, by its size, etag or date, fails.
    """

    api: ApiSession
    call: Call[Downloadable]
    write: Write = field(default=_discard, kw_only=True)
    progress: Progress | None = field(default=None, kw_only=True)
    max_bytes: int | None = field(default=None, kw_only=True)
    is_head_only: bool = field(default=False, kw_only=True)
    """Whether only the size is wanted."""
    allowance: _TimeAllowance = field(
        default=Factory(lambda self: _TimeAllowance(self.api.timeout), takes_self=True), init=False
    )
    spent: float = field(default=0.0, init=False)
    """What retries since the last share took from the retry budget."""
    received: int = field(default=0, init=False)
    total: int | None = field(default=None, init=False)
    content_type: str | None = field(default=None, init=False)
    etag: str | None = field(default=None, init=False)
    last_modified: str | None = field(default=None, init=False)
    is_complete: bool = field(default=False, init=False)

    async def run(self, link: Secret | None = None) -> None:
        """Download until the file is complete. A lost connection costs a request, an expired link two.

        Raises:
            TelnyxRoomsError: as many attempts in a row as the retry policy allows brought no byte, the retry
                budget is spent, or the store is too slow.
        """
        clock = self.api.clock
        attempts: tuple[Attempt, ...] = ()
        attempts_since_gain = 0
        while True:
            is_link_fresh = link is None
            link = link or self.link_of(await self.api.call(self.call))
            received_before, started = self.received, clock.monotonic()
            outcome = await self._attempt(link)
            elapsed = clock.monotonic() - started
            attempts_since_gain = 1 if self.received > received_before else attempts_since_gain + 1
            delay, is_budget_exhausted = self._retry_delay(outcome, attempts_since_gain)
            if _has_expired(outcome) and not is_link_fresh:
                link, delay = None, 0.0
            attempts = record_attempt(
                _DOWNLOAD,
                outcome,
                attempts,
                self.api.on_attempt,
                elapsed=elapsed,
                wait=delay,
                budget_exhausted=is_budget_exhausted,
            )
            if self.is_complete:
                self._refund(1.0)
                return
            if delay is None:
                raise error_of(outcome, attempts, now=clock.now())
            await clock.sleep(delay)
            self.allowance.left -= delay

    def link_of(self, item: Downloadable) -> Secret:
        """Return the link to the file of an item.

        Raises:
            NotReadyError: there is no file yet.
            APIResponseValidationError: the link is not a URL, or http:// while the API is https://. The
                message does not show it.
        """
        link = Secret(item.download_url or "")
        if item.status != RecordingStatus.COMPLETED or not link:
            raise NotReadyError(item.id, item.status)
        is_insecure = self.api.transport.is_https and not link.lower().startswith("https://")
        if is_insecure or url(link) or not is_usable_url(link):
            problem = f"$.data.download_url: expected {'an https:// URL' if is_insecure else 'a URL'}"
            raise APIResponseValidationError(problem, misfits=(problem,))
        return link

    def _retry_delay(self, outcome: Response | Failure, number: int) -> tuple[float | None, bool]:
        """Return the seconds until the next attempt, or None, and whether the retry budget forbids it."""
        api = self.api
        if self.is_complete:
            return None, False
        delay = next_delay(
            api.retry,
            _DOWNLOAD.retry_safety,
            outcome,
            number=number,
            time_left=self.allowance.left,
            now=api.clock.now(),
            random=api.clock.random(),
        )
        if delay is None:
            return None, False
        cost = retry_cost(api.retry, outcome)
        if not api.budget.take(cost, api.clock.monotonic()):
            return None, True
        self.spent += cost
        return delay, False

    def _refund(self, minimum: float) -> None:
        self.api.budget.give(self.spent or minimum)
        self.spent = 0.0

    async def _attempt(self, link: Secret) -> Response | Failure:
        """Request the rest of the file, and set `is_complete` at its end."""
        transport = self.api.transport
        request = partial(transport.open, link, offset=self.received, if_range=self._if_range)
        async with await transport.download_slots():
            stream = await self._timed(request)
            if isinstance(stream, Failure):
                return stream
            try:
                return await self._read(stream)
            finally:
                stream.close()

    @property
    def _if_range(self) -> str | None:
        """The ``If-Range`` header: a strong etag, or else the date of the file."""
        if self.etag and _STRONG_ETAG.fullmatch(self.etag):
            return self.etag
        return self.last_modified if self.last_modified and _PRINTABLE.fullmatch(self.last_modified) else None

    async def _read(self, stream: Stream) -> Response | Failure:
        head = stream.head
        if head.status not in (_OK, _PARTIAL_CONTENT):
            # A file whose size was not stated is complete when the store has no byte after the received ones.
            self.is_complete = head.header("content-range") == f"bytes */{self.received}"
            return head
        part = _Part.of(head)
        if part is None or not self._continues_with(part):
            return _OTHER_FILE
        self._use(part)
        if self.max_bytes is not None and self.total is not None and self.total > self.max_bytes:
            return self._too_large
        failure = None if self.is_head_only else await self._receive(stream, skip=self.received - part.offset)
        self.is_complete = failure is None
        return failure or head

    def _continues_with(self, part: _Part) -> bool:
        """Return whether a part is of the file whose first bytes were received, and joins them."""
        if part.is_partial and part.offset != self.received:
            return False
        if not self.received:
            return True
        if self.total is not None and part.size is not None and part.size != self.total:
            return False
        if part.etag or self.etag:
            return part.etag == self.etag
        # A response to If-Range need not repeat the date.
        return part.last_modified == self.last_modified or (part.is_partial and part.last_modified is None)

    def _use(self, part: _Part) -> None:
        if part.size is not None or not self.received:
            self.total = part.size
        self.etag = part.etag
        self.last_modified = part.last_modified or self.last_modified
        self.content_type = part.content_type or self.content_type

    async def _receive(self, stream: Stream, *, skip: int) -> Failure | None:
        """Write the bytes of a response without the first `skip`; return why the file is not complete."""

        async def read(*, seconds: float) -> bytes | Failure:
            stream.seconds = seconds
            return await stream.read()

        while piece := await self._timed(read):
            if isinstance(piece, Failure):
                return piece
            if failure := await self._write(piece[skip:]):
                return failure
            skip = max(0, skip - len(piece))
            if self.allowance.add_bytes(len(piece)):
                self._refund(0.0)
            elif self.allowance.is_over:
                return self._too_slow
        if self.total in (None, self.received) and not skip:
            return None
        return Failure(
            reason=FailureKind.LOST, sent=True, detail=f"{self.received} of {self.total} bytes came"
        )

    async def _write(self, piece: bytes) -> Failure | None:
        """Write bytes; return a failure if they are more than allowed or announced."""
        if not piece:
            return None
        size = self.received + len(piece)
        if self.max_bytes is not None and size > self.max_bytes:
            return self._too_large
        if self.total is not None and size > self.total:
            detail = f"more than the announced {self.total} bytes came"
            return Failure(reason=FailureKind.MALFORMED, sent=True, detail=detail)
        await self.write(piece)
        self.received = size
        if self.progress is not None:
            result = self.progress(self.received, self.total)
            if isawaitable(result):
                await result
        if self.api.in_flight_calls.is_closed:  # the writer or `progress` may have closed the client
            raise ClientClosedError
        return None

    async def _timed(self, operation: Callable[..., Awaitable[T | Failure]]) -> T | Failure:
        """Wait for the store, as long as one attempt and the allowance permit, and count the time."""
        clock, allowance = self.api.clock, self.allowance
        started = clock.monotonic()
        seconds = max(min(self.api.attempt_timeout, allowance.left), _SHORTEST_TIMEOUT)
        outcome = await operation(seconds=seconds)
        allowance.left -= clock.monotonic() - started
        is_timeout = isinstance(outcome, Failure) and outcome.reason is FailureKind.TIMEOUT
        return self._too_slow if is_timeout and allowance.is_over else outcome

    @property
    def _too_slow(self) -> Failure:
        detail = f"less than {_MIN_BYTES_PER_SECOND} bytes a second came for {self.allowance.seconds:g} s"
        return Failure(reason=FailureKind.TIMEOUT, sent=True, detail=detail, deadline=True)

    @property
    def _too_large(self) -> Failure:
        detail = f"the file is larger than max_bytes, which is {self.max_bytes}"
        return Failure(reason=FailureKind.TOO_LARGE, sent=True, detail=detail)


def _has_expired(outcome: Response | Failure) -> bool:
    return isinstance(outcome, Response) and outcome.status in _EXPIRED_LINK_STATUSES
