"""``telnyx-rooms docs``: the guides, which are files of the package, in the terminal."""

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markdown import Markdown
from rich.table import Table

import telnyx_rooms_async
from telnyx_rooms_async import InvalidArgumentError
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.runner import command_group

app: Final = command_group()

_PACKAGE: Final = Path(telnyx_rooms_async.__file__).parent


@app.command()
def docs(
    topic: Annotated[str | None, typer.Argument(help="One of the listed topics. Default: list them.")] = None,
) -> None:
    """Show the guide to a topic, or list the topics. In a pipe, the guide is plain Markdown."""
    guides = {_topic(path): path.read_text("utf-8") for path in sorted(_PACKAGE.rglob("*.md"), key=_topic)}
    if topic is None:
        table = Table(box=None, show_header=False, pad_edge=False)
        for name, text in guides.items():
            table.add_row(name, text.partition("\n")[0].removeprefix("# "))
        output.write(table)
    elif topic not in guides:
        raise InvalidArgumentError((f"there is no guide to {topic!r}: {', '.join(guides)}",))
    elif output.stdout().is_terminal:
        output.write(Markdown(guides[topic], hyperlinks=False))
    else:
        output.put(guides[topic].encode())


def _topic(path: Path) -> str:
    """Return the topic of a guide: a README is named after its folder."""
    if path.name != "README.md":
        return path.stem.lower()
    return "architecture" if path.parent == _PACKAGE else path.parent.name
