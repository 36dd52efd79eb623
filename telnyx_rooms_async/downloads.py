"""Bring a file of Telnyx's store here: in pieces, resumed after cuts, checked at the end."""

import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from attrs import define, frozen

from telnyx_rooms_async.attempts import record, report
from telnyx_rooms_async.caller import Caller
from telnyx_rooms_async.core import protocol
from telnyx_rooms_async.core.errors import (
    APIResponseValidationError,
    ClientClosedError,
    NotReadyError,
)
from telnyx_rooms_async.core.messages import Attempt, Call, Failure, Reason, Repeat, Request, Response
from telnyx_rooms_async.core.models import RecordingStatus
from telnyx_rooms_async.core.retry import next_delay
from telnyx_rooms_async.core.rules import url
from telnyx_rooms_async.core.secret import Secret
from telnyx_rooms_async.targets import Write, Writer, checked_target, opened

_STORE: Final = Call(
    operation="download",
    template="{download_url}",
    request=Request(method="GET", path=""),
    answer=Response,
    repeat=Repeat.ALWAYS,
)
"""What the attempts at a file are recorded as: no operation of the API."""

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
    checked = checked_target(target)
    async with opened(checked) as write:
        transfer = _Transfer(caller, call, write, progress or (lambda _done, _total: None))
        with caller.lifetime:
            await transfer.run()
    path = checked if isinstance(checked, Path) else None
    return DownloadedFile(path=path, size=transfer.received, content_type=transfer.content_type)


@define(eq=False, repr=False)
class _Transfer:
    """One file on its way."""

    caller: Caller
    call: Call[Downloadable]
    write: Write
    progress: Progress
    received: int = 0
    total: int | None = None
    content_type: str | None = None
    etag: str | None = None
    is_whole: bool = False

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
            elapsed = clock.monotonic() - started
            fruitless = 1 if self.received > before else fruitless + 1
            wait = None if self.is_whole else self._pause(outcome, fruitless)
            if isinstance(outcome, Response) and outcome.status in _EXPIRED and not is_fresh:
                link, wait = None, 0.0
            attempts = (
                *attempts,
                record(_STORE, outcome, number=len(attempts) + 1, elapsed=elapsed, wait=wait),
            )
            report(attempts[-1], self.caller.on_attempt)
            if self.is_whole:
                return
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
            _STORE.repeat,
            outcome,
            number=fruitless,
            time_left=math.inf,
            now=self.caller.clock.now(),
            dice=self.caller.clock.dice(),
        )

    async def _pull(self, link: Secret) -> Response | Failure:
        """Read on from where we are, and return what came of it; `is_whole` tells of the end of the file."""
        seconds = self.caller.attempt_timeout
        stream = await self.caller.transport.open(link, offset=self.received, seconds=seconds)
        if isinstance(stream, Failure):
            return stream
        try:
            if stream.head.status not in (200, 206):
                # Nothing is beyond what we have: the end, of a file whose length was not told.
                self.is_whole = stream.head.header("content-range") == f"bytes */{self.received}"
                return stream.head
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
            self.is_whole = True
            return stream.head
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
