"""A command that makes many calls: outcomes, progress, failures, and a summary at the end."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Annotated, Final, Generic, NamedTuple, TypeAlias, TypeVar

import typer
from attrs import frozen

from telnyx_rooms_async import AuthenticationError, ConfigurationError, RoomsClient
from telnyx_rooms_async.batch import Done, Failed
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.progress import JobProgress
from telnyx_rooms_async.cli.runner import FAILED, INTERRUPTED, exit_codes, run

Item = TypeVar("Item")
Value = TypeVar("Value")
Outcomes: TypeAlias = AsyncGenerator[Done[Item, Value] | Failed[Item], None]

CONCURRENCY: Final = 32
Concurrency: TypeAlias = Annotated[
    int, typer.Option(min=1, max=1000, metavar="N", help="Number of requests at the same time.")
]
MaxFailures: TypeAlias = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Stop after this number of failures.")
]
Yes: TypeAlias = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]
DryRun: TypeAlias = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be done, and change nothing.")
]
_FATAL: Final = (AuthenticationError, ConfigurationError)
"""Errors that every other item would meet too: the key is refused, the disk is full."""
RUN_AGAIN: Final = "run the same command again to continue"


class Summary(NamedTuple):
    """What a command has done."""

    sentence: str
    counts: Mapping[str, int]
    """The same for ``--json``."""


@frozen(kw_only=True)
class BulkJob(Generic[Item, Value]):
    """One run of a command that makes many calls."""

    progress: JobProgress
    start: Callable[[RoomsClient], Awaitable[Outcomes[Item, Value]]]
    """Starts the calls."""
    label: Callable[[Item], str]
    """Returns the name of an item, for error messages."""
    summarize: Callable[[], Summary]
    on_done: Callable[[Item, Value], object] | None = None
    on_failed: Callable[[Item, Exception], object] | None = None
    advice: Callable[[], str] = lambda: RUN_AGAIN
    """Returns what to do next when something failed, or an empty text."""

    def run(self, base_url: str | None, *, as_json: bool) -> None:
        """Make the calls, and print a summary: on stdout, or on stderr if the job was stopped.

        Raises:
            Exit: something failed, or the job was stopped.
        """
        try:
            run(self._run, base_url, on_attempt=self.progress.on_attempt)
        except typer.Exit as stop:
            if self.progress.finished or stop.exit_code == INTERRUPTED:
                sentence = f"stopped: {self.summarize().sentence}"
                output.note("; ".join(filter(None, [sentence, self.advice()])))
            raise
        summary = self.summarize()
        with exit_codes():
            output.write_result(summary.sentence, summary.counts, as_json=as_json)
        if self.progress.failed:
            if advice := self.advice():
                output.note(advice)
            raise typer.Exit(FAILED)

    async def _run(self, client: RoomsClient) -> None:
        self.progress.rate_limit = lambda: client.rate_limit
        try:
            with self.progress.shown():
                async with aclosing(await self.start(client)) as outcomes:
                    async for outcome in outcomes:
                        self._count(outcome)
        except ExceptionGroup as group:  # `max_failures` is reached
            output.complain(group.message)
            raise typer.Exit(FAILED) from None

    def _count(self, outcome: Done[Item, Value] | Failed[Item]) -> None:
        match outcome:
            case Done(item=item, value=value):
                self.progress.add_done()
                if self.on_done is not None:
                    self.on_done(item, value)
            case Failed(item=item, error=error):
                if isinstance(error, _FATAL):
                    raise error
                self.progress.add_failure(self.label(item), error)
                if self.on_failed is not None:
                    self.on_failed(item, error)


def confirm(question: str) -> None:
    """Ask for confirmation.

    Raises:
        Exit: the answer is no.
    """
    with exit_codes():
        if output.ask(question):
            return
    output.note("nothing was changed")
    raise typer.Exit(FAILED)


def require_confirmation(*, yes: bool) -> None:
    """Check that there is a confirmation, or a terminal to ask at.

    Raises:
        BadParameter: there is neither.
    """
    if not yes and not output.can_ask():
        raise typer.BadParameter("there is no terminal to ask for confirmation: use --yes")
