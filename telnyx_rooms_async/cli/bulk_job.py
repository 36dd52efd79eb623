"""A command that makes many calls: outcomes, progress, failures, and a summary at the end."""

import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Annotated, Final, TypeAlias, TypeVar

import typer

from telnyx_rooms_async import AuthenticationError, ConfigurationError, RoomsClient
from telnyx_rooms_async.batch import Done, Failed
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.display import Result, show
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


def run_job(
    start: Callable[[RoomsClient], Outcomes[Item, Value]],
    progress: JobProgress,
    *,
    label: Callable[[Item], str],
    summarize: Callable[[], Result],
    on_outcome: Callable[[Done[Item, Value] | Failed[Item]], object] = lambda _: None,
    advise: Callable[[], str] = lambda: RUN_AGAIN,
    as_json: bool,
    base_url: str | None,
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
                        progress.add_done()
                    elif isinstance(outcome.error, _FATAL):
                        raise outcome.error
                    else:
                        progress.add_failure(label(outcome.item), outcome.error)
                    on_outcome(outcome)

    try:
        run(count, base_url, on_attempt=progress.on_attempt)
    except typer.Exit as stop:
        if progress.finished or stop.exit_code == INTERRUPTED:
            output.note("; ".join(filter(None, [f"stopped: {summarize().sentence}", advise()])))
        raise
    with exit_codes():
        show(summarize(), as_json=as_json)
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
    with exit_codes():
        sys.stderr.write(f"{question} [y/N]: ")
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() in ("y", "yes"):
            return
    output.note("nothing was changed")
    raise typer.Exit(FAILED)
