"""Files that people name: how they are told of, in an error and in JSON."""

import os
from collections.abc import Generator
from contextlib import contextmanager

from telnyx_rooms_async import ConfigurationError, TelnyxRoomsError


@contextmanager
def naming(path: str, cannot: str = "write") -> Generator[None, None, None]:
    """Name the file that an error of the system is about.

    Args:
        path: of the file.
        cannot: what is done with it within.

    Raises:
        ConfigurationError: instead of that error.
    """
    try:
        yield
    except TelnyxRoomsError:  # among them APITimeoutError, which is an OSError too
        raise
    except OSError as error:
        raise ConfigurationError(f"cannot {cannot} {path}: {error.strerror or error}") from None


def text_of(path: str) -> str:
    """Return a path as text that JSON can hold: it may be of any bytes, and JSON is UTF-8."""
    return os.fsencode(path).decode(errors="replace")
