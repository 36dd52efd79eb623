"""How a command runs and how it ends: one loop, one client, one exit code for each outcome."""

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

FAILED = 1
USAGE = 2
INTERRUPTED = 130
allow_insecure: Final = ContextVar("allow_insecure", default=False)
"""The option of that name, which stands before the command."""
_BROKEN_PIPE = 141


def run(
    job: Callable[[RoomsClient], Awaitable[T]],
    base_url: str | None,
    *,
    on_attempt: Callable[[Attempt], object] | None = None,
) -> T:
    """Do a job with a client, and end the command with its exit code.

    Args:
        job: what to do.
        base_url: where the API is.
        on_attempt: takes note of each attempt of a job of many calls, for someone who watches; without
            it, those that failed are told.
    """
    is_watched = output.is_watched()
    with ending(), _retries_told(is_watched and on_attempt is None):
        return asyncio.run(_with_client(job, base_url, on_attempt if is_watched else None))


async def _with_client(
    job: Callable[[RoomsClient], Awaitable[T]],
    base_url: str | None,
    on_attempt: Callable[[Attempt], object] | None,
) -> T:
    # The client would advise to pass `api_key`. There is no such option: `ps` shows a command line.
    if not os.environ.get("TELNYX_API_KEY"):
        raise ConfigurationError("no API key: set TELNYX_API_KEY (`telnyx-rooms demo` needs none)")
    insecure = allow_insecure.get()
    async with RoomsClient(base_url=base_url, allow_insecure=insecure, on_attempt=on_attempt) as client:
        return await job(client)


@contextmanager
def ending(*, interrupted: int = INTERRUPTED) -> Generator[None, None, None]:
    """Turn what ends a command into its exit code, and an error into one line on stderr.

    Args:
        interrupted: the exit code after Ctrl-C.
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
def _retries_told(wanted: bool) -> Generator[None, None, None]:  # noqa: FBT001 - the one thing to say
    """Tell someone who waits at a terminal why; a script reads the outcome only."""
    logger = logging.getLogger("telnyx_rooms_async")
    handler = output.NoteHandler() if wanted else logging.NullHandler()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
