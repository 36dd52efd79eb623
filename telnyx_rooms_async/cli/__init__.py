"""The ``telnyx-rooms`` command line, a user of the public package.

``commands`` has the command groups, with one command per method of the client. ``bulk_job`` runs
commands that make many calls, ``tables`` reads and writes files of rooms.

Guide: ``telnyx-rooms docs cli``, or the README.md of this folder.
"""

from typing import Annotated, Final

import typer

import telnyx_rooms_async
from telnyx_rooms_async import Settings
from telnyx_rooms_async.cli import output, runner
from telnyx_rooms_async.cli.commands import (
    compositions,
    recordings,
    reports,
    rooms,
    sessions,
    tokens,
    webhooks,
)
from telnyx_rooms_async.cli.commands.demo import demo
from telnyx_rooms_async.cli.commands.docs import docs
from telnyx_rooms_async.cli.commands.emulate import emulate
from telnyx_rooms_async.cli.commands.enforce import enforce
from telnyx_rooms_async.cli.commands.room_tables import apply, export_rooms, import_rooms
from telnyx_rooms_async.cli.options import AllowInsecure, CAFile, ClientCert, Headers, MaxRetries, Proxy

app: Final = typer.Typer(
    no_args_is_help=True,
    # Plain help: in boxes of 80 columns the names of long options are cut off.
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    # A pretty traceback can show the values of variables, and one of them is the key.
    pretty_exceptions_enable=False,
)


def _print_version(requested: bool) -> None:  # noqa: FBT001 - Typer passes the value by position
    if requested:
        output.write_line(f"telnyx-rooms {telnyx_rooms_async.__version__}")
        raise typer.Exit


@app.callback()
def _program(
    *,
    ca_file: CAFile = None,
    client_cert: ClientCert = None,
    proxy: Proxy = None,
    header: Headers = None,
    max_retries: MaxRetries = None,
    allow_insecure: AllowInsecure = False,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Manage Telnyx Video Rooms.

    The API key is read from the environment variable TELNYX_API_KEY. The demo and the emulator need none.

    Exit codes: 0 success, 1 failure, 2 invalid argument, 130 Ctrl-C, 141 stdout was closed.
    """
    settings = Settings(
        ca_file=ca_file,
        client_cert=client_cert,
        proxy=proxy,
        default_headers=None if header is None else dict(header),
        max_retries=max_retries,
        allow_insecure=allow_insecure,
    )
    runner.program_settings.set(settings)


rooms.group.command("import")(import_rooms)
rooms.group.command("export")(runner.grouped_options(export_rooms))
rooms.group.command()(apply)
rooms.group.command("attendance")(reports.room_attendance)
sessions.group.command("attendance")(reports.session_attendance)
rooms.group.command()(enforce)
app.command()(demo)
app.command()(docs)
app.command()(emulate)
for _group in (
    rooms.group,
    sessions.group,
    sessions.participants_group,
    recordings.group,
    compositions.group,
    tokens.group,
    reports.group,
    webhooks.group,
):
    app.add_typer(_group)
