"""Streams: results on stdout, for people or as JSON; messages and progress on stderr; errors of files."""

import json
import logging
import os
import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, Final, TextIO

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from telnyx_rooms_async import ConfigurationError, TelnyxRoomsError
from telnyx_rooms_async.serialization import converter

is_json: Final = ContextVar[bool]("is_json", default=False)
"""Whether the command has the option ``--json``."""
# A pipe has no width: no line is wrapped there, and no column left out.
_UNLIMITED_WIDTH: Final = 1_000_000


def counted(count: int, noun: str = "room", *, zero: str = "0") -> str:
    """Return a number with its noun: ``"2 rooms"``."""
    return f"{count or zero} {noun}{'s' * (count != 1)}"


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def is_watched() -> bool:
    """Return whether stderr is a terminal."""
    return _is_terminal(sys.stderr)


def can_ask() -> bool:
    """Return whether stdin and stderr are terminals."""
    return is_watched() and _is_terminal(sys.stdin)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()


def _escape_json(character: str) -> str:
    return json.dumps(character)[1:-1]


def escaped(text: str, *, keep: str = "", escape: Callable[[str], str] = _escape) -> str:
    """Escape characters that move the cursor, colour the terminal or reorder text."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character in keep else escape(character) for character in text
    )


def _redirect_to_null(stream: TextIO | None) -> None:
    if stream is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


# --- stdout -------------------------------------------------------------------------------------------------


def stdout() -> Console:
    """Return the console of the current stdout: of the terminal's width, or plain and unlimited."""
    terminal = _is_terminal(sys.stdout)
    width = None if terminal else _UNLIMITED_WIDTH
    return Console(force_terminal=terminal, width=width, highlight=False, markup=False, emoji=False)


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
    put((escaped(text, keep="\n") + "\n").encode(stdout().encoding, "replace"))


def write_json(value: object) -> None:
    """Print plain data or a model on stdout, as one line of JSON."""
    # JSON escapes ESC, but neither the C1 controls nor the marks that reorder text, which terminals obey.
    put(escaped(converter.dumps(value).decode(), escape=_escape_json).encode() + b"\n")


def put(data: bytes) -> None:
    """Write bytes to stdout at once, so that a reader gets every page, and a closed pipe is noticed here."""
    if sys.stdout is None:
        return
    rest = memoryview(data)
    while rest:  # an unbuffered stdout may take a part only
        rest = rest[sys.stdout.buffer.write(rest) :]
    sys.stdout.buffer.flush()


class Stdout:
    """Binary file that writes to stdout at once: the exact bytes, or at a terminal escaped text."""

    def write(self, data: bytes, /) -> None:
        """Write all of the data; at a terminal it is text that is not cut within a character."""
        if stdout().is_terminal:
            data = escaped(data.decode(), keep="\n\t", escape=_escape_json).encode()
        put(data)

    def flush(self) -> None:
        """Do nothing: nothing is buffered."""


def abandon() -> None:
    """Redirect a broken stdout to the null device, so that the flush of the interpreter does not fail."""
    _redirect_to_null(sys.stdout)


# --- stderr -------------------------------------------------------------------------------------------------


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
    console.print(Text(escaped(text, keep="\n"), style="dim"), soft_wrap=not console.is_terminal)


def complain(reason: object) -> None:
    """Print an error on stderr, in one line. An argument that it recommends is shown as an option."""
    message = escaped(str(reason)).replace("key_rotated=True", "--key-rotated")
    stderr().print(Text.assemble(("error:", "bold red"), f" {message}"), soft_wrap=True)


class _NoteHandler(logging.Handler):
    """Log handler that prints messages on stderr."""

    def emit(self, record: logging.LogRecord) -> None:
        note(record.getMessage())


@contextmanager
def log_notes(level: int = logging.WARNING) -> Generator[None, None, None]:
    """Print the messages of the library from a level on as notes."""
    logger, handler = logging.getLogger("telnyx_rooms_async"), _NoteHandler()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(level)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


# --- progress at a terminal ---------------------------------------------------------------------------------


def status(text: str) -> AbstractContextManager[object]:
    """Show what is being done, until it is done."""
    return stderr().status(Text(escaped(text))) if is_watched() else nullcontext()


def bar_options() -> dict[str, Any]:
    """Return the options of a bar on stderr, which is only shown at a terminal."""
    return {
        "console": stderr(),
        "redirect_stdout": False,
        "transient": True,
        "disable": not is_watched(),
    }


@contextmanager
def _bar(*columns: ProgressColumn) -> Generator[Callable[[int, int | None], object], None, None]:
    """Show a bar, which is set to what is done and the total, if it is known."""
    with Progress(*columns, **bar_options()) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def download_bar() -> AbstractContextManager[Callable[[int, int | None], object]]:
    """Show the progress of a download in bytes."""
    return _bar(BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())


def session_bar() -> AbstractContextManager[Callable[[int, int | None], object]]:
    """Show how many sessions were read."""
    return _bar(TextColumn("reading sessions"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())


# --- files --------------------------------------------------------------------------------------------------

STREAM: Final = "-"
"""The path of stdin or stdout."""


@contextmanager
def file_errors(path: str, action: str = "write") -> Generator[None, None, None]:
    """Turn an `OSError` into a `ConfigurationError` that names the file."""
    try:
        yield
    except TelnyxRoomsError:  # among them APITimeoutError, which is an OSError too
        raise
    except OSError as error:
        raise ConfigurationError(f"cannot {action} {path}: {error.strerror or error}") from None


def path_text(path: str) -> str:
    """Return a path as text that JSON can hold: a path may be of any bytes."""
    return os.fsencode(path).decode(errors="replace")
