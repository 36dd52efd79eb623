"""Progress at a terminal: bars and status lines on stderr. Without a terminal nothing is shown."""

import reprlib
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic
from typing import Any, Final

from rich.console import RenderableType
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from telnyx_rooms_async import Attempt, RoomsClient
from telnyx_rooms_async.cli import output

_PRINTED_FAILURES: Final = 10
_THROTTLED: Final = frozenset({429, 503})


@contextmanager
def status(text: str) -> Generator[None, None, None]:
    """Show what is being done, until it is done."""
    if not output.is_watched():
        yield
        return
    with output.stderr().status(Text(text)):
        yield


def _bar_options() -> dict[str, Any]:
    return {
        "console": output.stderr(),
        "redirect_stdout": False,
        "transient": True,
        "disable": not output.is_watched(),
    }


@contextmanager
def download_bar() -> Generator[Callable[[int, int | None], object], None, None]:
    """Show the progress of a download: the bytes that are done, and the size if it is known."""
    columns = BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()
    with Progress(*columns, **_bar_options()) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class JobProgress:
    """Counters of a command that makes many calls: `total` items if known, of which an earlier run did some.

    `phase` is what is done before the first result, such as ``"collecting rooms"``.
    """

    def __init__(
        self, phase: str = "", *, total: int | None = None, skipped: Callable[[], int] = int
    ) -> None:
        self.total = total
        self.done: int = 0
        self.failed: int = 0
        self.skipped = skipped
        self.client: RoomsClient | None = None
        """Client of the running job."""
        self._phase = phase
        self._requests = 0
        self._throttled = 0
        self._first: tuple[float, int] | None = None
        """Time and count of the first result of this run."""

    @property
    def finished(self) -> int:
        """Items that are done, failed or skipped."""
        return self.done + self.failed + self.skipped()

    @property
    def failures(self) -> list[str]:
        """The part of a summary about failures, if there are any."""
        return [f"{self.failed} failed"] if self.failed else []

    @property
    def rate(self) -> float | None:
        """Items per second of this run: skipped items do not count."""
        if self._first is None:
            return None
        since, count = self._first
        elapsed, items = monotonic() - since, self.done + self.failed - count
        return items / elapsed if items and elapsed > 0 else None

    @property
    def seconds_left(self) -> float | None:
        """Estimated time until the end, by the rate of this run."""
        rate = self.rate
        return None if rate is None or self.total is None else max(0, self.total - self.finished) / rate

    def on_attempt(self, attempt: Attempt) -> None:
        """Count an attempt."""
        self._requests += 1
        self._throttled += int(attempt.status in _THROTTLED and attempt.wait is not None)

    def add_done(self, count: int = 1) -> None:
        """Count items that are done."""
        self.done += count
        self._first = self._first or (monotonic(), self.done + self.failed)

    def add_failure(self, label: str, error: Exception) -> None:
        """Count a failure, and print the first ones."""
        self.failed += 1
        self._first = self._first or (monotonic(), self.done + self.failed)
        if self.failed <= _PRINTED_FAILURES:
            label = label if label.isprintable() else reprlib.repr(label)
            output.complain(f"{label}: {error}")
        elif self.failed == _PRINTED_FAILURES + 1:
            output.note("more failures are counted, but not printed")

    @property
    def detail(self) -> str:
        """What the bar cannot show."""
        if not self.finished and self._phase:
            return f"{self._phase}, {output.counted(self._requests, 'request')}"
        limit = self.client.rate_limit if self.client else None
        at_limit = ", at the rate limit" if limit is not None and limit.remaining == 0 else ""
        text = f"{self.failed} failed, {output.counted(self._throttled, 'wait')}{at_limit}"
        return f"[red]{text}[/red]" if self.failed else text

    def bar(self) -> Progress:
        """Return the bar, a context manager."""
        return _JobBar(self)


class _JobBar(Progress):
    """Bar that reads its job whenever it is drawn, also while no result arrives."""

    def __init__(self, job: JobProgress) -> None:
        self._job = job
        columns = (TextColumn(f"{{task.fields[{name}]}}") for name in ("rate", "detail", "left"))
        # All columns fit a line of 80.
        super().__init__(BarColumn(bar_width=20), MofNCompleteColumn(), *columns, **_bar_options())
        self.add_task("", total=None, rate="", detail="", left="")

    def get_renderables(self) -> Iterable[RenderableType]:
        """Draw the newest counts. Without a result the bar pulses instead of standing at 0."""
        job, rate, left = self._job, self._job.rate, self._job.seconds_left
        for task in self.task_ids:
            self.update(
                task,
                completed=job.finished,
                total=job.total if job.finished else None,
                rate="" if rate is None else f"{rate:.0f}/s",
                detail=job.detail,
                left="-:--:--" if left is None else str(timedelta(seconds=int(left))),
            )
        return super().get_renderables()
