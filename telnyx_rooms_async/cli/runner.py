"""Run a command: one event loop, one client, and an exit code for every outcome."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TypeVar

import typer

from telnyx_rooms_async import (
    Attempt,
    ConfigurationError,
    InvalidArgumentError,
    RoomsClient,
    TelnyxRoomsError,
)
from telnyx_rooms_async.cli import output

T = TypeVar("T")

FAILED: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130
_BROKEN_PIPE: Final = 141
allow_insecure: Final = ContextVar("allow_insecure", default=False)
"""The option ``--allow-insecure``, which stands before the command."""


def run(
    use: Callable[[RoomsClient], Awaitable[T]],
    base_url: str | None,
    *,
    on_attempt: Callable[[Attempt], object] | None = None,
) -> T:
    """Use a client, and exit with the code of an error.

    Args:
        use: called with the client.
        base_url: of the API.
        on_attempt: called with every attempt, for a command with a progress bar. Without it, attempts that
            failed are printed at a terminal.

    Raises:
        Exit: an error was printed.
    """
    is_watched = output.is_watched()
    with exit_codes(), _printed_retries(is_enabled=is_watched and on_attempt is None):
        return asyncio.run(_with_client(use, base_url, on_attempt if is_watched else None))


async def _with_client(
    use: Callable[[RoomsClient], Awaitable[T]],
    base_url: str | None,
    on_attempt: Callable[[Attempt], object] | None,
) -> T:
    # The client's own message recommends `api_key`. There is no such option: `ps` shows a command line.
    if not os.environ.get("TELNYX_API_KEY"):
        raise ConfigurationError("no API key: set TELNYX_API_KEY (`telnyx-rooms demo` needs none)")
    insecure = allow_insecure.get()
    async with RoomsClient(base_url=base_url, allow_insecure=insecure, on_attempt=on_attempt) as client:
        return await use(client)


@contextmanager
def exit_codes(*, interrupted: int = INTERRUPTED) -> Generator[None, None, None]:
    """Print an error as one line on stderr, and exit with its code.

    Args:
        interrupted: the exit code after Ctrl-C.

    Raises:
        Exit: there was an error.
    """
    try:
        yield
    except InvalidArgumentError as error:
        raise _failed(error, USAGE) from None
    except TelnyxRoomsError as error:
        raise _failed(error, FAILED) from None
    except BrokenPipeError:
        output.abandon()
        raise typer.Exit(_BROKEN_PIPE) from None
    except OSError as error:
        output.abandon()
        raise _failed(error.strerror or error, FAILED) from None
    except KeyboardInterrupt:
        raise typer.Exit(interrupted) from None


def _failed(reason: object, code: int) -> typer.Exit:
    output.complain(reason)
    return typer.Exit(code)


@contextmanager
def _printed_retries(*, is_enabled: bool) -> Generator[None, None, None]:
    """Print log messages of the library: at a terminal they explain a delay."""
    logger = logging.getLogger("telnyx_rooms_async")
    handler = output.NoteHandler() if is_enabled else logging.NullHandler()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
