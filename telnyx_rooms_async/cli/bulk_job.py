"""A command that makes many calls: outcomes, progress, failures, and a summary at the end."""

import sys
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from datetime import timedelta
from typing import Final, TypeAlias, TypeVar

import typer
from attrs import define, field
from rich.console import RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from telnyx_rooms_async import Attempt, AuthenticationError, ConfigurationError, RoomsClient
from telnyx_rooms_async.batch import Done, Failed
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.display import Result, show
from telnyx_rooms_async.cli.runner import FAILED, INTERRUPTED, exit_codes, run

Item = TypeVar("Item")
Value = TypeVar("Value")
Outcomes: TypeAlias = AsyncGenerator[Done[Item, Value] | Failed[Item], None]

_FATAL: Final = (AuthenticationError, ConfigurationError)
"""Errors that every other item would meet too: the key is refused, the disk is full."""
_PRINTED_FAILURES: Final = 10
_THROTTLED: Final = frozenset({429, 503})
RUN_AGAIN: Final = "run the same command again to continue"


@define
class JobProgress:
    """Counters of a command that makes many calls."""

    phase: str = ""
    """What is done before the first result, such as ``"collecting rooms"``."""
    total: int | None = field(default=None, kw_only=True)
    """Number of items, if it is known."""
    skipped: Callable[[], int] = field(default=int, kw_only=True)
    """Returns the number of items that an earlier run did."""
    done: int = field(default=0, init=False)
    failed: int = field(default=0, init=False)
    client: RoomsClient | None = field(default=None, init=False)
    """Client of the running job."""
    _requests: int = field(default=0, init=False)
    _throttled: int = field(default=0, init=False)

    @property
    def finished(self) -> int:
        """Items that are done, failed or skipped."""
        return self.done + self.failed + self.skipped()

    def result(self, *parts: str, **counts: int) -> Result:
        """Return a summary: its parts and the failures, or the counts for ``--json``."""
        failures = f"{self.failed} failed" if self.failed else ""
        return Result(", ".join(filter(None, (*parts, failures))), {**counts, "failed": self.failed})

    def on_attempt(self, attempt: Attempt) -> None:
        """Count an attempt."""
        self._requests += 1
        self._throttled += int(attempt.status in _THROTTLED and attempt.wait is not None)

    def add_failure(self, label: str, error: Exception) -> None:
        """Count a failure, and print the first ones."""
        self.failed += 1
        if self.failed <= _PRINTED_FAILURES:
            reason = str(error)
            output.complain(reason if reason.startswith(label) else f"{label}: {reason}")
        elif self.failed == _PRINTED_FAILURES + 1:
            output.note("more failures are counted, but not printed")

    @property
    def detail(self) -> str:
        """What the bar cannot show."""
        if not self.finished and self.phase:
            return f"{self.phase}, {output.counted(self._requests, 'request')}"
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
        super().__init__(BarColumn(bar_width=20), MofNCompleteColumn(), *columns, **output.bar_options())
        self.add_task("", total=None, rate="", detail="", left="")
        self.add_task("", total=None, visible=False)  # the items of this run, for their rate

    def get_renderables(self) -> Iterable[RenderableType]:
        """Draw the newest counts. Without a result the bar pulses instead of standing at 0."""
        if self.tasks:  # the base class draws once before there are any
            self._update()
        return super().get_renderables()

    def _update(self) -> None:
        job, (shown, this_run) = self._job, self.tasks
        self.update(this_run.id, completed=job.done + job.failed)
        rate = this_run.speed
        left = max(0, job.total - job.finished) / rate if rate and job.total is not None else None
        self.update(
            shown.id,
            completed=job.finished,
            total=job.total if job.finished else None,
            rate="" if rate is None else f"{rate:.0f}/s",
            detail=job.detail,
            left="-:--:--" if left is None else str(timedelta(seconds=int(left))),
        )


def run_job(
    start: Callable[[RoomsClient], Outcomes[Item, Value]],
    progress: JobProgress,
    *,
    label: Callable[[Item], str],
    summarize: Callable[[], Result],
    on_done: Callable[[Item], object] = lambda _item: None,
    on_failure: Callable[[Item, Exception], object] = lambda _item, _error: None,
    advise: Callable[[], str] = lambda: RUN_AGAIN,
) -> None:
    """Make calls, and print a summary: on stdout, or on stderr if the job was stopped.

    `label` names an item in error messages; `advise` says what to do next when something failed.
    """

    async def count(client: RoomsClient) -> None:
        progress.client = client
        with progress.bar():
            async with aclosing(start(client)) as outcomes:
                async for outcome in outcomes:
                    if isinstance(outcome, Done):
                        progress.done += 1
                        on_done(outcome.item)
                    elif isinstance(outcome.error, _FATAL):
                        raise outcome.error
                    else:
                        progress.add_failure(label(outcome.item), outcome.error)
                        on_failure(outcome.item, outcome.error)

    try:
        with exit_codes():  # an error is printed before what was done
            run(count, on_attempt=progress.on_attempt)
    except typer.Exit as stop:
        if progress.done or progress.failed or stop.exit_code == INTERRUPTED:
            output.note("; ".join(filter(None, [f"stopped: {summarize().sentence}", advise()])))
        raise
    show(summarize())
    if progress.failed:
        if advice := advise():
            output.note(advice)
        raise typer.Exit(FAILED)


def require_confirmation(*, yes: bool) -> None:
    """Check that there is a confirmation, or a terminal to ask at."""
    if not yes and not output.can_ask():
        raise typer.BadParameter("there is no terminal to ask for confirmation: use --yes")


def confirm(question: str) -> None:
    """Ask for confirmation at the terminal, and exit if the answer is no."""
    sys.stderr.write(f"{question} [y/N]: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        output.note("nothing was changed")
        raise typer.Exit(FAILED)
