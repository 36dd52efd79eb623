"""Progress at a terminal: bars and status lines on stderr. Without a terminal nothing is shown."""

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from time import monotonic
from typing import Final, TypeAlias

from rich.console import RenderableType
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from telnyx_rooms_async import Attempt, RateLimit
from telnyx_rooms_async.cli import output

OnProgress: TypeAlias = Callable[[int, int | None], object]
"""Called with the bytes that were downloaded, and the size if it is known."""

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


@contextmanager
def download_bar() -> Generator[OnProgress, None, None]:
    """Show the progress of a download."""
    bar = Progress(
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=output.stderr(),
        redirect_stdout=False,
        transient=True,
        disable=not output.is_watched(),
    )
    with bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class JobProgress:
    """Counters of a command that makes many calls, and its bar.

    Args:
        phase: what is done before the first result, such as ``"collecting rooms"``.
        total: items in all, if known.
    """

    def __init__(self, phase: str = "", *, total: int | None = None) -> None:
        self.phase = phase
        self.total = total
        self.done: int = 0
        self.failed: int = 0
        self.skipped: Callable[[], int] = lambda: 0
        """Returns how many items an earlier run has done."""
        self.rate_limit: Callable[[], RateLimit | None] = lambda: None
        self._requests = 0
        self._throttled = 0
        self._first: tuple[float, int] | None = None
        """Time and count of the first result of this run."""

    @property
    def finished(self) -> int:
        """Items that are done, failed or skipped."""
        return self.done + self.failed + self.skipped()

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
        self._note_first()

    def add_failure(self, label: str, error: Exception) -> None:
        """Count a failure, and print the first ones."""
        self.failed += 1
        self._note_first()
        if self.failed <= _PRINTED_FAILURES:
            output.complain(f"{label}: {error}")
        elif self.failed == _PRINTED_FAILURES + 1:
            output.note("more failures are counted, but not printed")

    def _note_first(self) -> None:
        if self._first is None:
            self._first = monotonic(), self.done + self.failed

    def __str__(self) -> str:
        """Describe what the bar cannot show."""
        if not self.finished and self.phase:
            return f"{self.phase}, {output.counted(self._requests, 'request')}"
        limit = self.rate_limit()
        at_limit = ", at the rate limit" if limit is not None and limit.remaining == 0 else ""
        return f"{self.failed} failed, {output.counted(self._throttled, 'wait')}{at_limit}"

    @contextmanager
    def shown(self) -> Generator[None, None, None]:
        """Show the bar until the end."""
        with _JobBar(self):
            yield


class _JobBar(Progress):
    """Bar that reads its job whenever it is drawn, also while no result arrives."""

    def __init__(self, job: JobProgress) -> None:
        self._job = job
        super().__init__(
            BarColumn(bar_width=20),  # all columns fit a line of 80
            MofNCompleteColumn(),
            _RateColumn(job),
            _DetailColumn(job),
            _TimeLeftColumn(job),
            console=output.stderr(),
            redirect_stdout=False,
            transient=True,
            disable=not output.is_watched(),
        )
        self.add_task("", total=None)

    def get_renderables(self) -> Iterable[RenderableType]:
        """Draw the newest counts. Without a result the bar pulses instead of standing at 0."""
        total = self._job.total if self._job.finished else None
        for task in self.task_ids:
            self.update(task, completed=self._job.finished, total=total)
        return super().get_renderables()


class _JobColumn(ProgressColumn):
    max_refresh = None

    def __init__(self, job: JobProgress) -> None:
        super().__init__()
        self._job = job


class _RateColumn(_JobColumn):
    def render(self, task: Task) -> Text:  # noqa: ARG002 - signature of the base class
        rate = self._job.rate
        return Text("" if rate is None else f"{rate:.0f}/s")


class _DetailColumn(_JobColumn):
    def render(self, task: Task) -> Text:  # noqa: ARG002 - signature of the base class
        return Text(str(self._job), style="red" if self._job.failed else "", no_wrap=True)


class _TimeLeftColumn(_JobColumn):
    def render(self, task: Task) -> Text:  # noqa: ARG002 - signature of the base class
        left = self._job.seconds_left
        if left is None:
            return Text("-:--:--")
        minutes, seconds = divmod(int(left), 60)
        return Text(f"{minutes // 60}:{minutes % 60:02}:{seconds:02}")
