"""Output: results on stdout, as tables or as JSON; messages about them on stderr."""

import json
import logging
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from contextlib import aclosing
from typing import Final, TextIO, TypeVar

from rich.console import Console, RenderableType
from rich.text import Text

from telnyx_rooms_async import Listing
from telnyx_rooms_async.cli.display import (
    LAYOUTS,
    Nested,
    Token,
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
_YES: Final = ("y", "yes")


# --- values -------------------------------------------------------------------------------------------------


async def show_one(call: Awaitable[Value], *, as_json: bool) -> None:
    """Print the result of a call: one row per field, or one JSON object."""
    value = await call
    if as_json:
        write_json(value)
        return
    write(value_table(value))
    if nested := nested_values(value):
        _write_nested(nested)


async def show_awaited(call: Awaitable[Value], *, timeout: float, as_json: bool) -> None:
    """Print the result of a call that waits for an event; at a terminal, say so first."""
    if not as_json and is_watched():
        note(f"waiting up to {timeout:g} s; press Ctrl-C to stop")
    await show_one(call, as_json=as_json)


async def show_token(call: Awaitable[Token], *, as_json: bool) -> None:
    """Print a token, on stdout only: one unwrapped line per field, or one JSON object."""
    token = await call
    if as_json:
        write_json(token)
        return
    for line in token_lines(token):
        write(line, soft_wrap=True)


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
        limit: number of items to stop after.
        as_json: whether to print JSON.
    """
    async with aclosing(_first(listing, limit)) as items:
        if not as_json:
            _write_table(model, [item async for item in items], omit)
            return
        async for item in items:
            write_json(item)


async def _first(listing: Listing[Item], limit: int | None) -> AsyncGenerator[Item, None]:
    """Yield the first items, without a request for a page after them."""
    count = 0
    async with aclosing(aiter(listing)) as items:
        async for item in items:
            yield item
            count += 1
            if count == limit:
                return


async def show_done(call: Awaitable[None], sentence: str, *, as_json: bool) -> None:
    """Print a sentence when a call has returned. With JSON nothing is printed."""
    await call
    if not as_json:
        write_line(sentence)


def _write_table(model: type[Item], values: Sequence[Item], omit: str | None) -> None:
    table, hidden = values_table(model, values, stdout().width, omit=omit)
    is_terminal = stdout().is_terminal
    if values or not is_terminal:
        write(table)
    for value in values:
        nested = nested_values(value)
        if nested and nested.values:
            _write_nested(nested)
    if is_terminal:
        summary = counted(len(values), LAYOUTS[model].noun, zero="no")
        note(f"{summary}; not shown: {', '.join(hidden)} (--json has all)" if values and hidden else summary)


def _write_nested(nested: Nested) -> None:
    title, values, parent_column = nested
    write(Text(f"\n{title}" if values else f"\n{title}: none", style="bold"))
    if values:
        write(values_table(type(values[0]), values, stdout().width, omit=parent_column)[0])


def counted(count: int, noun: str = "room", *, zero: str = "0") -> str:
    """Return a number with its noun: ``"2 rooms"``."""
    return f"{count or zero} {noun}{'s' * (count != 1)}"


def write_result(sentence: str, values: Mapping[str, object], *, as_json: bool) -> None:
    """Print the result of a command on stdout: a sentence, or a JSON object."""
    if as_json:
        write_json(values)
    else:
        write_line(sentence)


def write_json(value: object) -> None:
    """Print plain data or a model on stdout, as one line of JSON."""
    line = converter.dumps(value).decode()
    # JSON escapes ESC, but neither the C1 controls nor the marks that reorder text, which terminals obey.
    put(("".join(map(_json_character, line)) if not line.isprintable() else line).encode() + b"\n")


def _json_character(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]


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


def abandon() -> None:
    """Redirect a broken stdout to the null device, so that the flush of the interpreter does not fail."""
    _redirect_to_null(sys.stdout)


def _redirect_to_null(stream: TextIO | None) -> None:
    if stream is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def note(text: str) -> None:
    """Print a message on stderr."""
    _print_on_stderr(Text(text, style="dim"), one_line=False)


def complain(reason: object) -> None:
    """Print an error on stderr, in one line."""
    _print_on_stderr(Text.assemble(("error:", "bold red"), f" {reason}"), one_line=True)


def _print_on_stderr(text: Text, *, one_line: bool) -> None:
    console = stderr()
    console.print(text, soft_wrap=one_line or not console.is_terminal)


def stderr() -> Console:
    """Return the console of the current stderr."""
    return _Stderr(stderr=True, force_terminal=is_watched())


class _Stderr(Console):
    """Console that ignores a closed stderr: the result of a command does not depend on it."""

    def on_broken_pipe(self) -> None:
        """Print nothing more. The base class exits the program."""
        self.quiet = True
        _redirect_to_null(sys.stderr)


def is_watched() -> bool:
    """Return whether stderr is a terminal."""
    return _is_terminal(sys.stderr)


def ask(question: str) -> bool:
    """Ask for confirmation at the terminal."""
    sys.stderr.write(f"{question} [y/N]: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in _YES


def can_ask() -> bool:
    """Return whether stdin and stderr are terminals."""
    return is_watched() and _is_terminal(sys.stdin)


class NoteHandler(logging.Handler):
    """Log handler that prints messages on stderr."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one message."""
        note(record.getMessage())


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()
