"""Files that commands write: error messages with the path, and downloads to a path or stdout."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated, Final, Literal, TypeAlias

import typer

from telnyx_rooms_async import ConfigurationError, RoomsClient, TelnyxRoomsError
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.display import Result, show
from telnyx_rooms_async.cli.progress import download_bar
from telnyx_rooms_async.cli.runner import run

STREAM: Final = "-"
"""The path of stdin or stdout."""
Target: TypeAlias = Annotated[
    str,
    typer.Argument(metavar="TARGET", help="Path of the file, or - for stdout. An existing file is replaced."),
]


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


def refuse_stdout_conflicts(target: str, *, as_json: bool) -> None:
    """Refuse to mix a file with other output, or to print it on a terminal."""
    if target == STREAM and as_json:
        raise typer.BadParameter("--json and the target - cannot be combined: both write to stdout")
    if target == STREAM and output.stdout().is_terminal:
        raise typer.BadParameter("stdout is a terminal: use a path, or redirect stdout to a file")


def download(
    resource: Literal["recordings", "compositions"],
    file_id: str,
    target: str,
    *,
    as_json: bool,
    base_url: str | None,
) -> None:
    """Download a file, and print its path and size. With ``-`` only the file itself is printed."""
    refuse_stdout_conflicts(target, as_json=as_json)

    async def use(client: RoomsClient) -> None:
        method = client.recordings.download if resource == "recordings" else client.compositions.download
        if target == STREAM:
            with download_bar() as on_progress:
                await method(file_id, output.Stdout(), progress=on_progress)
            return
        with file_errors(target), download_bar() as on_progress:
            file = await method(file_id, target, progress=on_progress)
        values = {"path": path_text(target), "size": file.size, "content_type": file.content_type}
        show(Result(f"downloaded {target} ({file.size} bytes)", values), as_json=as_json)

    run(use, base_url)
