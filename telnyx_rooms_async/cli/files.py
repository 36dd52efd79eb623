"""A file on its way to a path or to stdout: whoever waits at a terminal sees how far it is."""

from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from typing import Annotated, Any, Final, Protocol, TypeAlias

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

from telnyx_rooms_async import DownloadedFile
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.paths import naming, text_of

_STDOUT: Final = "-"

Target: TypeAlias = Annotated[
    str,
    typer.Argument(metavar="TARGET", help="Where to: a path, or - for stdout. What is there is replaced."),
]
Tell: TypeAlias = Callable[[int, int | None], object]


class Download(Protocol):
    """A verb that downloads."""

    def __call__(
        self, file_id: str, target: "str | Stdout", /, *, progress: Tell
    ) -> Coroutine[Any, Any, DownloadedFile]:
        """Bring a file to its target."""
        ...


class Stdout:
    """What the bytes are written to when they go down a pipe."""

    def write(self, data: bytes, /) -> None:
        """Write all of it."""
        output.put(data)


def refuse_muddle(target: str, *, as_json: bool) -> None:
    """Refuse to mix a file with what else goes to stdout, or to pour it over a terminal.

    Raises:
        BadParameter: the target is stdout, and is no place for a file.
    """
    if target == _STDOUT and as_json:
        raise typer.BadParameter("--json and the target - contradict each other: both are for stdout")
    if target == _STDOUT and output.stdout().is_terminal:
        raise typer.BadParameter("stdout is a terminal: name a file, or lead stdout into one")


async def download_to(verb: Download, file_id: str, target: str, *, as_json: bool) -> None:
    """Download a file, and tell where it is and how large; nothing but the file goes to stdout with ``-``."""
    if target == _STDOUT:
        with _bar() as tell:
            await verb(file_id, Stdout(), progress=tell)
        return
    with naming(target), _bar() as tell:
        file = await verb(file_id, target, progress=tell)
    if as_json:
        output.write_json({"path": text_of(target), "size": file.size, "content_type": file.content_type})
    else:
        output.write_line(f"downloaded {target} ({file.size} bytes)")


@contextmanager
def _bar() -> Generator[Tell, None, None]:
    """Show a bar on a terminal until the end, and nothing elsewhere."""
    bar = Progress(
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=output.stderr(),
        redirect_stdout=False,
        transient=True,
        disable=not output.is_watched(),
    )
    with bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
