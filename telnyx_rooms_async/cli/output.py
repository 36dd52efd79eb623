"""Where it is printed: values on stdout, as tables or as JSON; all that is said about them on stderr."""

import json
import logging
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import aclosing
from typing import Final, TextIO, TypeVar

from rich.console import Console, RenderableType
from rich.text import Text

from telnyx_rooms_async import Listing
from telnyx_rooms_async.cli.display import KINDS, Inside, Token, Value, inside, record, table, token_lines
from telnyx_rooms_async.core.codec import encode

Item = TypeVar("Item", bound=Value)

# A pipe has no width: nothing is wrapped there, and no column left out.
_ENDLESS: Final = 1_000_000
_YES: Final = ("y", "yes")


# --- values -----------------------------------------------------------------------------------------------


async def show_one(answer: Awaitable[Value], *, as_json: bool) -> None:
    """Print what is answered: a row of each field, or one JSON object."""
    value = await answer
    if as_json:
        write_json(value)
        return
    write(record(value))
    if found := inside(value):
        _write_inside(found)


async def show_when_there(answer: Awaitable[Value], *, seconds: float, as_json: bool) -> None:
    """Print what is answered in the end; who waits for it at a terminal is told so."""
    if not as_json and is_watched():
        note(f"waiting up to {seconds:g} s; Ctrl-C ends it")
    await show_one(answer, as_json=as_json)


async def show_token(answer: Awaitable[Token], *, as_json: bool) -> None:
    """Print a token, on stdout only: each field in one line however long, or one JSON object."""
    token = await answer
    if as_json:
        write_json(token)
        return
    for line in token_lines(token):
        write(line, soft_wrap=True)


async def show_list(
    listing: Listing[Item],
    model: type[Item],
    *,
    of: str | None = None,
    limit: int | None = None,
    as_json: bool,
) -> None:
    """Print a list: a table once all is there, or a JSON object a line while the pages arrive."""
    async with aclosing(_first(listing, limit)) as items:
        if not as_json:
            _write_table(model, [item async for item in items], of)
            return
        async for item in items:
            write_json(item)


async def _first(listing: Listing[Item], limit: int | None) -> AsyncGenerator[Item, None]:
    """Yield no more than wanted, and ask for no page beyond."""
    count = 0
    async with aclosing(aiter(listing)) as items:
        async for item in items:
            yield item
            count += 1
            if count == limit:
                return


async def show_done(action: Awaitable[None], sentence: str, *, as_json: bool) -> None:
    """Say that something is done; in JSON there is nothing to say."""
    await action
    if not as_json:
        write_line(sentence)


def _write_table(model: type[Item], values: Sequence[Item], of: str | None) -> None:
    rows, left_out = table(model, values, stdout().width, of=of)
    if values or not stdout().is_terminal:
        write(rows)
    for value in values:
        found = inside(value)
        if found and found.values:
            _write_inside(found)
    if stdout().is_terminal:
        note(_summary(KINDS[model].noun, len(values), left_out))


def _write_inside(found: Inside) -> None:
    title, values, of = found
    write(Text(f"\n{title}" if values else f"\n{title}: none", style="bold"))
    if values:
        write(table(type(values[0]), values, stdout().width, of=of)[0])


def _summary(noun: str, count: int, left_out: Sequence[str]) -> str:
    said = counted(count, noun, zero="no")
    return f"{said}; not shown: {', '.join(left_out)} (--json has all)" if count and left_out else said


def counted(count: int, noun: str = "room", *, zero: str = "0") -> str:
    """Spell a number of things."""
    return f"{count or zero} {noun}{'s' * (count != 1)}"


def write_json(value: object) -> None:
    """Print plain data or a model on stdout, as one line of JSON."""
    line = encode(value).decode()
    # JSON escapes ESC, but neither the C1 controls nor the marks that reorder text, which terminals obey.
    put(("".join(map(_json_character, line)) if not line.isprintable() else line).encode() + b"\n")


def _json_character(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]


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


def write(shown: RenderableType, *, soft_wrap: bool = False) -> None:
    """Print on stdout."""
    console = stdout()
    with console.capture() as captured:
        console.print(shown, soft_wrap=soft_wrap)
    text = captured.get()
    if not console.is_terminal:
        text = "".join(f"{line.rstrip()}\n" for line in text.splitlines())
    put(text.encode(console.encoding, "replace"))


def write_line(text: str) -> None:
    """Print a line on stdout as it is, however long."""
    put(f"{text}\n".encode(stdout().encoding, "replace"))


def put(data: bytes) -> None:
    """Write on stdout at once: a reader gets each page as it comes, and its leaving is noticed here."""
    if sys.stdout is None:
        return
    left = memoryview(data)
    while left:  # an unbuffered stdout may take less than all
        left = left[sys.stdout.buffer.write(left) :]
    sys.stdout.buffer.flush()


def abandon() -> None:
    """Give up a stdout that takes no more, so that the interpreter's last flush does not fail on it."""
    _lead_nowhere(sys.stdout)


def _lead_nowhere(stream: TextIO | None) -> None:
    if stream is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def note(text: str) -> None:
    """Say something to a person, on stderr."""
    _say(Text(text, style="dim"), one_line=False)


def complain(reason: object) -> None:
    """Say what went wrong, in one line on stderr."""
    _say(Text.assemble(("error:", "bold red"), f" {reason}"), one_line=True)


def _say(text: Text, *, one_line: bool) -> None:
    console = stderr()
    console.print(text, soft_wrap=one_line or not console.is_terminal)


def stderr() -> Console:
    """Return the console of stderr as it is now."""
    return _Stderr(stderr=True, force_terminal=is_watched())


class _Stderr(Console):
    """Goes on without a reader: what is said here is beside the job."""

    def on_broken_pipe(self) -> None:
        """Say no more, where the base ends the program."""
        self.quiet = True
        _lead_nowhere(sys.stderr)


def is_watched() -> bool:
    """Tell whether a person reads stderr."""
    return _is_terminal(sys.stderr)


def ask(question: str) -> bool:
    """Ask a person at the terminal whether to go on, and take only a yes for one."""
    sys.stderr.write(f"{question} [y/N]: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in _YES


def can_ask() -> bool:
    """Tell whether there is a person to ask."""
    return is_watched() and _is_terminal(sys.stdin)


class NoteHandler(logging.Handler):
    """Says what the library logs."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say one message."""
        note(record.getMessage())


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()
