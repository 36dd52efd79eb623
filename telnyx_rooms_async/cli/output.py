"""Output: results on stdout, as tables or as JSON; messages about them on stderr."""

import json
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import Final, NamedTuple, TextIO, TypeAlias, TypeVar

from rich.console import Console, RenderableType
from rich.text import Text

from telnyx_rooms_async import AccessToken, Listing
from telnyx_rooms_async.cli.display import (
    LAYOUTS,
    Value,
    nested_values,
    token_lines,
    value_table,
    values_table,
)
from telnyx_rooms_async.serialization import converter

Item = TypeVar("Item", bound=Value)

# A pipe has no width: no line is wrapped there, and no column left out.
_UNLIMITED_WIDTH: Final = 1_000_000


class Result(NamedTuple):
    """What a command has done."""

    sentence: str
    values: Mapping[str, object] | None = None
    """The same for ``--json``; None to print nothing there."""


Shown: TypeAlias = Value | AccessToken | Result

# --- values -------------------------------------------------------------------------------------------------


def show(value: Shown, *, as_json: bool) -> None:
    """Print a result on stdout: a sentence, one line per field, or one JSON object."""
    if isinstance(value, Result):
        if not as_json:
            write_line(value.sentence)
        elif value.values is not None:
            write_json(value.values)
    elif as_json:
        write_json(value)
    elif isinstance(value, AccessToken):
        for line in token_lines(value):
            write(line, soft_wrap=True)
    else:
        write(value_table(value))
        _write_nested(value, even_if_empty=True)


async def show_list(
    listing: Listing[Item],
    model: type[Item],
    *,
    omit: str | None = None,
    limit: int | None = None,
    as_json: bool,
) -> None:
    """Print a listing: a table at the end, or one JSON object per line as the pages arrive.

    Args:
        listing: what to print.
        model: class of the items.
        omit: a column that would have the same value in every row.
        limit: number of items to stop after, without a request for a page after them.
        as_json: whether to print JSON.
    """
    values: list[Item] = []
    count = 0
    async with aclosing(aiter(listing)) as items:
        async for item in items:
            if as_json:
                write_json(item)
            else:
                values.append(item)
            count += 1
            if count == limit:
                break
    if not as_json:
        _write_table(model, values, omit)


def _write_table(model: type[Item], values: Sequence[Item], omit: str | None) -> None:
    table, hidden = values_table(model, values, stdout().width, omit=omit)
    is_terminal = stdout().is_terminal
    if values or not is_terminal:
        write(table)
    for value in values:
        _write_nested(value, even_if_empty=False)
    if is_terminal:
        summary = counted(len(values), LAYOUTS[model].noun, zero="no")
        note(f"{summary}; not shown: {', '.join(hidden)} (--json has all)" if values and hidden else summary)


def _write_nested(value: Value, *, even_if_empty: bool) -> None:
    nested = nested_values(value)
    if nested is None or not (nested.values or even_if_empty):
        return
    title, values, parent_column = nested
    write(Text(f"\n{title}" if values else f"\n{title}: none", style="bold"))
    if values:
        write(values_table(type(values[0]), values, stdout().width, omit=parent_column)[0])


def counted(count: int, noun: str = "room", *, zero: str = "0") -> str:
    """Return a number with its noun: ``"2 rooms"``."""
    return f"{count or zero} {noun}{'s' * (count != 1)}"


def write_json(value: object) -> None:
    """Print plain data or a model on stdout, as one line of JSON."""
    line = converter.dumps(value).decode()
    if not line.isprintable():
        # JSON escapes ESC, but neither the C1 controls nor the marks that reorder text, which terminals obey.
        line = "".join(
            character if character.isprintable() else json.dumps(character)[1:-1] for character in line
        )
    put(line.encode() + b"\n")


# --- streams ------------------------------------------------------------------------------------------------


def stdout() -> Console:
    """Return the console of the current stdout: of the terminal's width, or plain and unlimited."""
    terminal = _is_terminal(sys.stdout)
    return Console(
        force_terminal=terminal,
        width=None if terminal else _UNLIMITED_WIDTH,
        highlight=False,
        markup=False,
        emoji=False,
    )


def write(renderable: RenderableType, *, soft_wrap: bool = False) -> None:
    """Print on stdout."""
    console = stdout()
    with console.capture() as captured:
        console.print(renderable, soft_wrap=soft_wrap)
    text = captured.get()
    if not console.is_terminal:
        text = "".join(f"{line.rstrip()}\n" for line in text.splitlines())
    put(text.encode(console.encoding, "replace"))


def write_line(text: str) -> None:
    """Print a line on stdout without wrapping it."""
    put(f"{text}\n".encode(stdout().encoding, "replace"))


def put(data: bytes) -> None:
    """Write bytes to stdout at once, so that a reader gets every page, and a closed pipe is noticed here."""
    if sys.stdout is None:
        return
    rest = memoryview(data)
    while rest:  # an unbuffered stdout may take a part only
        rest = rest[sys.stdout.buffer.write(rest) :]
    sys.stdout.buffer.flush()


class Stdout:
    """Binary file that writes to stdout at once."""

    def write(self, data: bytes, /) -> None:
        """Write all of the data."""
        put(data)

    def flush(self) -> None:
        """Do nothing: nothing is buffered."""


def abandon() -> None:
    """Redirect a broken stdout to the null device, so that the flush of the interpreter does not fail."""
    _redirect_to_null(sys.stdout)


def _redirect_to_null(stream: TextIO | None) -> None:
    if stream is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class _Stderr(Console):
    """Console that ignores a closed stderr: the result of a command does not depend on it."""

    def on_broken_pipe(self) -> None:
        """Print nothing more. The base class exits the program."""
        self.quiet = True
        _redirect_to_null(sys.stderr)


def stderr() -> Console:
    """Return the console of the current stderr."""
    return _Stderr(stderr=True, force_terminal=is_watched())


def note(text: str) -> None:
    """Print a message on stderr."""
    console = stderr()
    console.print(Text(text, style="dim"), soft_wrap=not console.is_terminal)


def complain(reason: object) -> None:
    """Print an error on stderr, in one line."""
    stderr().print(Text.assemble(("error:", "bold red"), f" {reason}"), soft_wrap=True)


class NoteHandler(logging.Handler):
    """Log handler that prints messages on stderr."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one message."""
        note(record.getMessage())


def is_watched() -> bool:
    """Return whether stderr is a terminal."""
    return _is_terminal(sys.stderr)


def can_ask() -> bool:
    """Return whether stdin and stderr are terminals."""
    return is_watched() and _is_terminal(sys.stdin)


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()
