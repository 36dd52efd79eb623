"""The command line, for people and for scripts: a user of the public package, like any other.

Of what is not public it knows two rooms of the core: how rooms are spelled in tables, and values in JSON.

Each resource has a room here with a group of commands, named after the verbs of its client; each
parameter of a verb is an option of that name. `options` spells what groups have in common, `running`
decides how a command ends, `output` what it prints. In `jobs` are the commands for many rooms at once, and
for all recordings: tables in and out.
"""

from typing import Annotated, Final

import typer

import telnyx_rooms_async
from telnyx_rooms_async.cli import (
    compositions,
    demo,
    emulate,
    output,
    participants,
    recordings,
    rooms,
    running,
    sessions,
    tokens,
)
from telnyx_rooms_async.cli.jobs import applying, collecting, deleting, exporting, importing

app: Final = typer.Typer(
    no_args_is_help=True,
    # Plain help: in boxes of 80 columns the names of long options are cut off.
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    # A pretty traceback can show the values of variables, and one of them is the key.
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - Typer calls it, with the value alone
    if wanted:
        output.write_line(f"telnyx-rooms {telnyx_rooms_async.__version__}")
        raise typer.Exit


@app.callback()
def _program(
    *,
    allow_insecure: Annotated[
        bool,
        typer.Option(
            "--allow-insecure",
            help="Let an http:// base URL lead to another machine, as TELNYX_ALLOW_INSECURE=true does.",
        ),
    ] = False,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and end."),
    ] = False,
) -> None:
    """Work with Telnyx Video Rooms.

    The API key is read from the environment variable TELNYX_API_KEY. The demo needs none.

    Exit codes: 0 done, 1 failed, 2 a wrong argument, 130 Ctrl-C, 141 nobody reads stdout.
    """
    running.allow_insecure.set(allow_insecure)


rooms.group.command()(deleting.delete)
rooms.group.command("import")(importing.import_rooms)
rooms.group.command("export")(exporting.export_rooms)
rooms.group.command()(applying.apply)
recordings.group.command("export")(collecting.export_recordings)
app.command()(demo.demo)
app.command()(emulate.emulate)
for _noun in (rooms, sessions, participants, recordings, compositions, tokens):
    app.add_typer(_noun.group)
