"""``telnyx-rooms docs``: the guides, which are files of the package, in the terminal."""

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, Final

import typer
from rich.markdown import Markdown
from rich.table import Table

from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.runner import command_group
from telnyx_rooms_async.errors import InvalidArgumentError

app: Final = command_group()


@app.command()
def docs(
    topic: Annotated[str | None, typer.Argument(help="One of the listed topics. Default: list them.")] = None,
) -> None:
    """Show the guide to a topic, or list the topics. In a pipe, the guide is plain Markdown."""
    guides = dict(sorted(_guides(files("telnyx_rooms_async"), "architecture")))
    if topic is None:
        _list(guides)
    elif topic not in guides:
        raise InvalidArgumentError((f"there is no guide to {topic!r}: {', '.join(guides)}",))
    elif output.stdout().is_terminal:
        output.write(Markdown(guides[topic], hyperlinks=False))
    else:
        output.put(guides[topic].encode())


def _guides(folder: Traversable, topic: str) -> Iterator[tuple[str, str]]:
    """Yield the topic and the text of each guide: a README is named after its folder."""
    for file in folder.iterdir():
        if file.is_dir():
            yield from _guides(file, file.name)
        elif file.name == "README.md":
            yield topic, file.read_text("utf-8")
        elif file.name.endswith(".md"):
            yield file.name.removesuffix(".md").lower(), file.read_text("utf-8")


def _list(guides: dict[str, str]) -> None:
    """Print each topic with the title of its guide."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for topic, text in guides.items():
        table.add_row(topic, text.partition("\n")[0].removeprefix("# "))
    output.write(table)
