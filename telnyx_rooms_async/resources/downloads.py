"""Downloads of recordings and compositions to a path or a writer."""

import asyncio
import errno
import io
import os
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from inspect import isasyncgenfunction, isawaitable
from pathlib import Path
from typing import Final, Protocol, TypeAlias, TypeVar, cast

from attrs import define, field

from telnyx_rooms_async.atomic_write import AtomicFile
from telnyx_rooms_async.core.endpoints import Endpoint, RetrySafety
from telnyx_rooms_async.core.error_mapping import error_of
from telnyx_rooms_async.core.http_messages import Call, Failure, Request, Response
from telnyx_rooms_async.core.retry import NO_RETRY, RetryPlan
from telnyx_rooms_async.core.secret import Secret
from telnyx_rooms_async.core.validators import checked_limit, exact_text, short_repr, url
from telnyx_rooms_async.errors import (
    APIResponseValidationError,
    Attempt,
    ClientClosedError,
    FailureKind,
    InvalidArgumentError,
    NotReadyError,
)
from telnyx_rooms_async.http.api_session import ApiSession
from telnyx_rooms_async.http.attempt_log import record_attempt
from telnyx_rooms_async.http.transport import Stream, is_usable_url
from telnyx_rooms_async.models import RecordingStatus, RoomComposition, RoomRecording
from telnyx_rooms_async.resources.results import DownloadedFile
from telnyx_rooms_async.shield import run_in_thread

T = TypeVar("T")
Downloadable: TypeAlias = RoomRecording | RoomComposition
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
    Endpoint("download", "GET", "{download_url}", 200, Response, RetrySafety.IDEMPOTENT), Request("GET", "")
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


async def download(
    api: ApiSession,
    call: Call[Downloadable],
    target: str | os.PathLike[str] | Writer,
    *,
    progress: Progress | None,
    max_bytes: int | None,
) -> DownloadedFile:
    """Download the file of the item that `call` retrieves, as `Recordings.download` documents it."""
    if progress is not None and (not callable(cast("object", progress)) or isasyncgenfunction(progress)):
        wrong = f"progress must be a function, async or not, not {short_repr(progress)}"
        raise InvalidArgumentError((wrong,))
    max_bytes = checked_limit("max_bytes", max_bytes, minimum=0)
    with api.in_flight_calls:
        checked = await _check_target(target)
        async with _open_file(checked) if isinstance(checked, Path) else _open_writer(checked) as write:
            transfer = _Transfer(api, call, write=write, progress=progress, max_bytes=max_bytes)
            await transfer.run()
    path = checked if isinstance(checked, Path) else None
    return DownloadedFile(path=path, size=transfer.received, content_type=transfer.content_type)


async def file_size(api: ApiSession, call: Call[Downloadable], item: Downloadable) -> int | None:
    """Return the size of the file of `item` in bytes. If its link has expired, `call` retrieves a new one."""
    transfer = _Transfer(api, call)
    with api.in_flight_calls:
        await transfer.run(transfer.link_of(item))
    return transfer.total


# --- targets ----------------------------------------------------------------------------------------------


async def _check_target(target: str | os.PathLike[str] | Writer) -> Path | Writer:
    """Return a writer unchanged, or a path with all links resolved, or raise `InvalidArgumentError`."""
    target = exact_text(target)
    if isinstance(target, str | os.PathLike):
        path = Path(target)
        try:
            path, is_no_file = await run_in_thread(partial(_resolve, path))
        except (ValueError, RuntimeError):  # NUL, a lone surrogate, a loop of links
            problem = f"the path of a file, not {short_repr(str(path))}"
        else:
            if not is_no_file:
                return path
            # A rename would replace a device.
            problem = f"a file, not a folder or a device: {short_repr(str(path))}"
    elif not callable(getattr(target, "write", None)):
        problem = f"a path or a writer, not {short_repr(target)}"
    elif isinstance(target, io.TextIOBase):
        problem = f"opened in binary mode, not {short_repr(target)}"
    else:
        return target
    raise InvalidArgumentError((f"target must be {problem}",))


def _resolve(path: Path) -> tuple[Path, bool]:
    path = path.resolve()
    return path, path.exists() and not path.is_file()


@asynccontextmanager
async def _open_file(path: Path) -> AsyncGenerator[Write, None]:
    """Write to a temporary file, which replaces `path` at the end of the block."""
    target = AtomicFile(path)
    buffer = bytearray()

    async def write(data: bytes) -> None:
        buffer.extend(data)
        if len(buffer) >= _WRITE_SIZE:
            await run_in_thread(partial(file.write, buffer))
            buffer.clear()

    try:
        file = await run_in_thread(target.open)
        yield write
        await run_in_thread(partial(file.write, buffer))
        await run_in_thread(target.commit)
    except BaseException as error:
        if _can_await_after(error):
            await run_in_thread(target.discard)
        else:
            target.discard()
        raise


def _can_await_after(error: BaseException) -> bool:
    """Return False in a task that is discarded together with its event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return not isinstance(error, GeneratorExit)


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


# --- transfer ---------------------------------------------------------------------------------------------


@define(eq=False, repr=False)
class _Transfer:
    """The download of one file, by as many requests as it takes.

    Example: a file of 100 bytes whose connection is lost after 40::

        GET link                                   200, 40 bytes, lost          received 40
        GET link  Range: bytes=40-  If-Range: etag  206, 60 bytes from 40        received 100
                                         or else:  200, all: the first 40 are skipped

    A response of another file, by its size, etag or date, fails.

    The store may take the timeout of the client, and that time again for every share of the file: the bytes
    that the minimum rate brings in the timeout. Only the wait for the store counts, not that for the API, the
    writer, or a connection.
    """

    api: ApiSession
    call: Call[Downloadable]
    write: Write | None = None
    """None if only the size is wanted."""
    progress: Progress | None = None
    max_bytes: int | None = None
    received: int = 0
    total: int | None = None
    content_type: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    is_complete: bool = False
    time_left: float = field(init=False)
    share: int = 0
    """Bytes since `time_left` was renewed."""
    spent: float = 0.0
    """What retries since then took from the retry budget."""

    def __attrs_post_init__(self) -> None:
        self.time_left = self.api.timeout

    async def run(self, link: Secret | None = None) -> None:
        """Download until the file is complete. A lost connection costs a request, an expired link two.

        It fails when as many attempts in a row as the retry policy allows brought no byte, when the retry
        budget is spent, and when the store is too slow.
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
            has_expired = isinstance(outcome, Response) and outcome.status in _EXPIRED_LINK_STATUSES
            if self.is_complete:
                plan = NO_RETRY
            elif has_expired and not is_link_fresh:
                link, plan = None, RetryPlan(delay=0.0)
            else:
                plan = self.api.plan_retry(
                    _DOWNLOAD.endpoint.retry_safety,
                    outcome,
                    number=attempts_since_gain,
                    time_left=self.time_left,
                    monotonic=clock.monotonic(),
                )
                self.spent += plan.cost
            attempts = record_attempt(
                _DOWNLOAD,
                outcome,
                attempts,
                self.api.on_attempt,
                elapsed=elapsed,
                wait=plan.delay,
                budget_exhausted=plan.is_budget_exhausted,
            )
            if self.is_complete:
                self.api.budget.give(self.spent or 1.0)
                return
            if plan.delay is None:
                raise error_of(outcome, attempts, now=clock.now())
            await clock.sleep(plan.delay)
            self.time_left -= plan.delay

    def link_of(self, item: Downloadable) -> Secret:
        """Return the link to the file of an item. The message about an invalid link does not show it."""
        link = Secret(item.download_url or "")
        if item.status != RecordingStatus.COMPLETED or not link:
            raise NotReadyError(item.id, item.status)
        is_insecure = self.api.transport.is_https and not link.lower().startswith("https://")
        if is_insecure or url(link) or not is_usable_url(link):
            problem = f"$.data.download_url: expected {'an https:// URL' if is_insecure else 'a URL'}"
            raise APIResponseValidationError(problem, problems=(problem,))
        return link

    async def _attempt(self, link: Secret) -> Response | Failure:
        """Request the rest of the file, and set `is_complete` at its end."""
        transport = self.api.transport
        if_range = None
        if self.etag and _STRONG_ETAG.fullmatch(self.etag):
            if_range = self.etag
        elif self.last_modified and _PRINTABLE.fullmatch(self.last_modified):
            if_range = self.last_modified
        async with await transport.download_slots():
            request = partial(transport.open, link, offset=self.received, if_range=if_range)
            stream = await self._wait_for_store(request)
            if isinstance(stream, Failure):
                return stream
            try:
                return await self._read(stream)
            finally:
                stream.close()

    async def _read(self, stream: Stream) -> Response | Failure:
        head = stream.head
        if head.status not in (_OK, _PARTIAL_CONTENT):
            # A file whose size was not stated is complete when the store has no byte after the received ones.
            self.is_complete = head.headers.get("content-range") == f"bytes */{self.received}"
            return head
        if not self._continues_with(head):
            return _OTHER_FILE
        if self.max_bytes is not None and self.total is not None and self.total > self.max_bytes:
            return self._too_large
        failure = None
        if self.write is not None:
            skip = self.received if head.status == _OK else 0
            failure = await self._receive(stream, self.write, skip=skip)
        self.is_complete = failure is None
        return failure or head

    def _continues_with(self, head: Response) -> bool:
        """Return whether a response has the rest of the file whose first bytes were received, or all of it.

        Its size, etag, date and content type are taken over then.
        """
        is_partial = head.status == _PARTIAL_CONTENT
        stated_size = head.headers.get("content-length")
        if is_partial:
            content_range = _CONTENT_RANGE.fullmatch(head.headers.get("content-range") or "")
            if content_range is None or int(content_range[1]) != self.received:
                return False
            stated_size = content_range[2]
        size = int(stated_size) if stated_size and stated_size.isdecimal() else None
        etag, last_modified = head.headers.get("etag"), head.headers.get("last-modified")
        if self.received:
            if size is not None and self.total not in (None, size):
                return False
            if etag or self.etag:
                if etag != self.etag:
                    return False
            # A response to If-Range need not repeat the date.
            elif last_modified != self.last_modified and not (is_partial and last_modified is None):
                return False
        if size is not None or not self.received:
            self.total = size
        self.etag = etag
        self.last_modified = last_modified or self.last_modified
        self.content_type = head.headers.get("content-type") or self.content_type
        return True

    async def _receive(self, stream: Stream, write: Write, *, skip: int) -> Failure | None:
        """Write the bytes of a response without the first `skip`; return why the file is not complete."""
        while piece := await self._wait_for_store(stream.read):
            if isinstance(piece, Failure):
                return piece
            if failure := await self._accept(piece[skip:], write):
                return failure
            skip = max(0, skip - len(piece))
            self.share += len(piece)
            if self.share >= _MIN_BYTES_PER_SECOND * self.api.timeout:
                self.time_left, self.share = self.api.timeout, 0
                self.api.budget.give(self.spent)
                self.spent = 0.0
            elif self.time_left <= _SHORTEST_TIMEOUT:
                return self._too_slow
        if self.total in (None, self.received) and not skip:
            return None
        detail = f"{self.received} of {self.total} bytes came"
        return Failure(reason=FailureKind.LOST, sent=True, detail=detail)

    async def _accept(self, data: bytes, write: Write) -> Failure | None:
        """Write bytes; return a failure if they are more than allowed or announced."""
        if not data:
            return None
        size = self.received + len(data)
        if self.max_bytes is not None and size > self.max_bytes:
            return self._too_large
        if self.total is not None and size > self.total:
            detail = f"more than the announced {self.total} bytes came"
            return Failure(reason=FailureKind.MALFORMED, sent=True, detail=detail)
        await write(data)
        self.received = size
        if self.progress is not None and isawaitable(result := self.progress(size, self.total)):
            await result
        if self.api.in_flight_calls.is_closed:  # the writer or `progress` may have closed the client
            raise ClientClosedError
        return None

    async def _wait_for_store(self, operation: Callable[..., Awaitable[T | Failure]]) -> T | Failure:
        """Wait as long as one attempt and the time left permit, and count the time."""
        clock = self.api.clock
        started = clock.monotonic()
        outcome = await operation(
            seconds=max(min(self.api.attempt_timeout, self.time_left), _SHORTEST_TIMEOUT)
        )
        self.time_left -= clock.monotonic() - started
        is_timeout = isinstance(outcome, Failure) and outcome.reason is FailureKind.TIMEOUT
        return self._too_slow if is_timeout and self.time_left <= _SHORTEST_TIMEOUT else outcome

    @property
    def _too_slow(self) -> Failure:
        detail = f"less than {_MIN_BYTES_PER_SECOND} bytes a second came for {self.api.timeout:g} s"
        return Failure(reason=FailureKind.TIMEOUT, sent=True, detail=detail, deadline=True)

    @property
    def _too_large(self) -> Failure:
        detail = f"the file is larger than max_bytes, which is {self.max_bytes}"
        return Failure(reason=FailureKind.TOO_LARGE, sent=True, detail=detail)
