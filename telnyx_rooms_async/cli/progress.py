"""What is seen of a long job: a bar for who watches, and a line for each of the first failures."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TimeRemainingColumn
from rich.text import Text

from telnyx_rooms_async import Attempt, RateLimit
from telnyx_rooms_async.cli import output

_TOLD: Final = 10
_THROTTLED: Final = frozenset({429, 503})


class Tally:
    """How a job is going. It is told of each attempt and each outcome."""

    def __init__(self) -> None:
        self.done: int = 0
        self.failed: int = 0
        self.skipped: Callable[[], int] = lambda: 0
        """How many needed nothing."""
        self.waits: int = 0
        """How often the server asked for a pause."""
        self.rate_limit: Callable[[], RateLimit | None] = lambda: None

    @property
    def is_begun(self) -> bool:
        """Whether anything came of anything."""
        return self.done + self.failed + self.skipped() > 0

    def attempt(self, attempt: Attempt) -> None:
        """Take note of an attempt."""
        self.waits += int(attempt.status in _THROTTLED and attempt.wait is not None)

    def fail(self, what: str, error: Exception) -> None:
        """Take note of a failure, and tell the first few."""
        self.failed += 1
        if self.failed <= _TOLD:
            output.complain(f"{what}: {error}")
        elif self.failed == _TOLD + 1:
            output.note("further failures are counted only")

    def __str__(self) -> str:
        """Say what a bar has no room for."""
        told = self.rate_limit()
        waits = output.counted(self.waits, "wait")
        if told is not None and told.remaining == 0:
            waits += ", at the limit"
        return f"{self.failed} failed, {waits}"


@contextmanager
def working(what: str) -> Generator[None, None, None]:
    """Say on a terminal what takes a while, until it is done."""
    if not output.is_watched():
        yield
        return
    with output.stderr().status(Text(what)):
        yield


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.0f}/s")


class _TallyColumn(ProgressColumn):
    def __init__(self, tally: Tally) -> None:
        super().__init__()
        self._tally = tally

    def render(self, task: Task) -> Text:  # noqa: ARG002 - of the base
        return Text(str(self._tally), style="red" if self._tally.failed else "", no_wrap=True)


@contextmanager
def shown(tally: Tally) -> Generator[Callable[[int | None], None], None, None]:
    """Show a bar on a terminal until the end, and nothing elsewhere.

    Yields:
        What to call when the tally has changed, with how much there is in all, if that is known.
    """
    bar = Progress(
        BarColumn(bar_width=20),  # in 80 columns all stands in one line
        MofNCompleteColumn(),
        _Rate(),
        _TallyColumn(tally),
        TimeRemainingColumn(),
        console=output.stderr(),
        redirect_stdout=False,
        transient=True,
        disable=not output.is_watched(),
    )
    with bar:
        task = bar.add_task("", total=None)
        yield lambda total: bar.update(
            task, completed=tally.done + tally.failed + tally.skipped(), total=total
        )
