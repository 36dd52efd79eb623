"""Where it is printed: values on stdout, as tables or as JSON; all that is said about them on stderr."""

import logging
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import aclosing
from typing import Final, TextIO, TypeVar

from rich.console import Console, RenderableType
from rich.text import Text

from telnyx_rooms_async import Listing
from telnyx_rooms_async.cli.tables import KINDS, Value, inside, record, table
from telnyx_rooms_async.core.codec import encode

Item = TypeVar("Item", bound=Value)

# A pipe has no width: nothing is wrapped there, and no column left out.
_ENDLESS: Final = 1_000_000


# --- values -----------------------------------------------------------------------------------------------


async def show_one(answer: Awaitable[Value], *, as_json: bool) -> None:
    """Print what is answered: a row of each field, or one JSON object."""
    value = await answer
    if as_json:
        _write_json(value)
        return
    write(record(value))
    if found := inside(value):
        _write_inside(*found)


async def show_list(
    listing: Listing[Item], model: type[Item], *, limit: int | None = None, as_json: bool
) -> None:
    """Print a list: a table once all is there, or a JSON object a line while the pages arrive."""
    async with aclosing(_first(listing, limit)) as items:
        if not as_json:
            _write_table(model, [item async for item in items])
            return
        async for item in items:
            _write_json(item)


async def _first(listing: Listing[Item], limit: int | None) -> AsyncGenerator[Item, None]:
    """Yield no more than wanted, and ask for no page beyond."""
    count = 0
    async with aclosing(aiter(listing)) as items:
        async for item in items:
            yield item
            count += 1
            if count == limit:
                return


async def show_deleted(gone: Awaitable[None], name: str, *, as_json: bool) -> None:
    """Say that something is deleted; in JSON there is nothing to say."""
    await gone
    if not as_json:
        write_line(f"deleted {name}")


def _write_table(model: type[Item], values: Sequence[Item]) -> None:
    rows, left_out = table(model, values, stdout().width)
    if values or not stdout().is_terminal:
        write(rows)
    for value in values:
        found = inside(value)
        if found and found[1]:
            _write_inside(*found)
    if stdout().is_terminal:
        note(_summary(KINDS[model].noun, len(values), left_out))


def _write_inside(title: str, values: Sequence[Value]) -> None:
    write(Text(f"\n{title}" if values else f"\n{title}: none", style="bold"))
    if values:
        write(table(type(values[0]), values, stdout().width)[0])


def _summary(noun: str, count: int, left_out: Sequence[str]) -> str:
    counted = f"{count or 'no'} {noun if count == 1 else noun + 's'}"
    return f"{counted}; not shown: {', '.join(left_out)} (--json has all)" if count and left_out else counted


def _write_json(value: Value) -> None:
    _put(encode(value) + b"\n")


# --- streams ----------------------------------------------------------------------------------------------


def stdout() -> Console:
    """Return the console of stdout as it is now: of the terminal's width, or plain and endless."""
    terminal = _is_terminal(sys.stdout)
    return Console(
        force_terminal=terminal,
        width=None if terminal else _ENDLESS,
        highlight=False,
        markup=False,
        emoji=False,
    )


def write(shown: RenderableType) -> None:
    """Print on stdout."""
    console = stdout()
    with console.capture() as captured:
        console.print(shown)
    text = captured.get()
    if not console.is_terminal:
        text = "".join(f"{line.rstrip()}\n" for line in text.splitlines())
    _put(text.encode(console.encoding, "replace"))


def write_line(text: str) -> None:
    """Print a line on stdout as it is, however long."""
    _put(f"{text}\n".encode(stdout().encoding, "replace"))


def _put(data: bytes) -> None:
    """Write at once, so that a reader gets each page as it comes, and its leaving is noticed here."""
    if sys.stdout is None:
        return
    left = memoryview(data)
    while left:  # an unbuffered stdout may take less than all
        left = left[sys.stdout.buffer.write(left) :]
    sys.stdout.buffer.flush()


def abandon() -> None:
    """Give up a stdout that takes no more, so that the interpreter's last flush does not fail on it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def note(text: str) -> None:
    """Say something to a person, on stderr."""
    _say(Text(text, style="dim"), one_line=False)


def complain(reason: object) -> None:
    """Say what went wrong, in one line on stderr."""
    _say(Text.assemble(("error:", "bold red"), f" {reason}"), one_line=True)


def _say(text: Text, *, one_line: bool) -> None:
    terminal = _is_terminal(sys.stderr)
    Console(stderr=True, force_terminal=terminal).print(text, soft_wrap=one_line or not terminal)


class NoteHandler(logging.Handler):
    """Says what the library logs."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say one message."""
        note(record.getMessage())


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()
