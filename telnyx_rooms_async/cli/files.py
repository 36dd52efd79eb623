"""Files that commands write: error messages with the path, and downloads to a path or stdout."""

import os
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from typing import Annotated, Any, Final, Protocol, TypeAlias

import typer

from telnyx_rooms_async import ConfigurationError, DownloadedFile, TelnyxRoomsError
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.progress import OnProgress, download_bar

_STDOUT: Final = "-"

Target: TypeAlias = Annotated[
    str,
    typer.Argument(metavar="TARGET", help="Path of the file, or - for stdout. An existing file is replaced."),
]


class DownloadMethod(Protocol):
    """Method of the client that downloads a file."""

    def __call__(
        self, file_id: str, target: "str | Stdout", /, *, progress: OnProgress
    ) -> Coroutine[Any, Any, DownloadedFile]:
        """Download a file to a target."""
        ...


class Stdout:
    """Binary file that writes to stdout at once."""

    def write(self, data: bytes, /) -> None:
        """Write all of the data."""
        output.put(data)

    def flush(self) -> None:
        """Do nothing: nothing is buffered."""


@contextmanager
def file_errors(path: str, action: str = "write") -> Generator[None, None, None]:
    """Turn an `OSError` into an error that names the file.

    Args:
        path: of the file.
        action: what is done with it within.

    Raises:
        ConfigurationError: instead of the `OSError`.
    """
    try:
        yield
    except TelnyxRoomsError:  # among them APITimeoutError, which is an OSError too
        raise
    except OSError as error:
        raise ConfigurationError(f"cannot {action} {path}: {error.strerror or error}") from None


def path_text(path: str) -> str:
    """Return a path as text that JSON can hold: a path may be of any bytes."""
    return os.fsencode(path).decode(errors="replace")


def refuse_stdout_conflicts(target: str, *, as_json: bool) -> None:
    """Refuse to mix a file with other output, or to print it on a terminal.

    Raises:
        BadParameter: the target is stdout, and stdout cannot take the file.
    """
    if target == _STDOUT and as_json:
        raise typer.BadParameter("--json and the target - cannot be combined: both write to stdout")
    if target == _STDOUT and output.stdout().is_terminal:
        raise typer.BadParameter("stdout is a terminal: use a path, or redirect stdout to a file")


async def download_to(method: DownloadMethod, file_id: str, target: str, *, as_json: bool) -> None:
    """Download a file, and print its path and size. With ``-`` only the file itself is printed."""
    if target == _STDOUT:
        with download_bar() as on_progress:
            await method(file_id, Stdout(), progress=on_progress)
        return
    with file_errors(target), download_bar() as on_progress:
        file = await method(file_id, target, progress=on_progress)
    output.write_result(
        f"downloaded {target} ({file.size} bytes)",
        {"path": path_text(target), "size": file.size, "content_type": file.content_type},
        as_json=as_json,
    )
