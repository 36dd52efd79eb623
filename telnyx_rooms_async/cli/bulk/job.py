"""How a job of many calls runs and ends: outcomes counted, failures told and kept, all summed up."""

from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import aclosing, contextmanager
from typing import Annotated, Final, TypeAlias, TypeVar

import typer

from telnyx_rooms_async import AuthenticationError, ConfigurationError
from telnyx_rooms_async.batch import Done, Failed
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.progress import Tally, shown
from telnyx_rooms_async.cli.runner import FAILED, INTERRUPTED, ending

Item = TypeVar("Item")
Value = TypeVar("Value")

CONCURRENCY: Final = 32
Concurrency: TypeAlias = Annotated[
    int, typer.Option(min=1, max=1000, metavar="N", help="How many requests are under way at once.")
]
StopAfter: TypeAlias = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Leave the rest when so many have failed.")
]
Yes: TypeAlias = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
DryRun: TypeAlias = Annotated[
    bool, typer.Option("--dry-run", help="Tell what would be done, and do nothing.")
]
_HOPELESS: Final = (AuthenticationError, ConfigurationError)
"""What would come of each other item too: the key is refused, the disk is full."""
THE_SAME: Final = "the same command goes on"


async def follow(
    outcomes: AsyncGenerator[Done[Item, Value] | Failed[Item], None],
    tally: Tally,
    *,
    total: int | None,
    name: Callable[[Item], str],
    done: Callable[[Item, Value], object] = lambda _item, _value: None,
    failed: Callable[[Item, Exception], object] = lambda _item, _error: None,
) -> None:
    """Count outcomes until there are no more.

    Args:
        outcomes: what comes of each item.
        tally: counts them.
        total: how many items there are.
        name: how to call an item that failed.
        done: what to do about one that did not.
        failed: what to do about one that did.

    Raises:
        TelnyxRoomsError: what would come of each other item too.
        Exit: so many failed that the rest was left.
    """
    try:
        with shown(tally) as show:
            show(total)
            async with aclosing(outcomes):
                async for outcome in outcomes:
                    match outcome:
                        case Done(item=item, value=value):
                            tally.done += 1
                            done(item, value)
                        case Failed(item=item, error=error):
                            if isinstance(error, _HOPELESS):
                                raise error
                            tally.fail(name(item), error)
                            failed(item, error)
                    show(total)
    except ExceptionGroup as group:
        output.complain(group.message)
        raise typer.Exit(FAILED) from None


@contextmanager
def summed_up(
    tally: Tally,
    sentence: Callable[[], str],
    counts: Callable[[], Mapping[str, int]],
    *,
    as_json: bool,
    go_on: Callable[[], str] = lambda: THE_SAME,
) -> Generator[None, None, None]:
    """Say in the end what was done, on stdout; when it came to no good end, on stderr, and how to go on.

    Args:
        tally: of what is done within.
        sentence: for people.
        counts: for machines.
        as_json: for whom.
        go_on: what to do next, when not all was done; nothing that could be said is no text.

    Raises:
        Exit: something failed.
    """
    try:
        yield
    except typer.Exit as end:
        if tally.is_begun or end.exit_code == INTERRUPTED:
            output.note("; ".join(filter(None, [f"stopped: {sentence()}", go_on()])))
        raise
    tell(sentence(), counts(), as_json=as_json)
    if tally.failed:
        if advice := go_on():
            output.note(advice)
        raise typer.Exit(FAILED)


def tell(sentence: str, counts: Mapping[str, int | str], *, as_json: bool) -> None:
    """Say what was done, on stdout."""
    with ending():
        if as_json:
            output.write_json(counts)
        else:
            output.write_line(sentence)


def agreed(question: str) -> None:
    """Ask whether to do it.

    Raises:
        Exit: no.
    """
    with ending():
        if output.ask(question):
            return
    output.note("nothing was changed")
    raise typer.Exit(FAILED)


def refuse_to_guess(*, yes: bool) -> None:
    """See to it that somebody says yes.

    Raises:
        BadParameter: nobody did, and nobody is there to be asked.
    """
    if not yes and not output.can_ask():
        raise typer.BadParameter("there is no terminal to ask at: say --yes")
