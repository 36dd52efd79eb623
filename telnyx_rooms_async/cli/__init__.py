"""The ``telnyx-rooms`` command line, a user of the public package.

``commands`` has a module for each command group, with one command per method of the client. ``bulk_job`` runs
commands that make many calls, ``tables`` reads and writes files of rooms.

Guide: ``telnyx-rooms docs cli``, or the README.md of this folder.
"""

from importlib import import_module
from typing import Annotated, Any, Final, NamedTuple

import typer
from typer.core import TyperGroup

import telnyx_rooms_async
from telnyx_rooms_async import Settings
from telnyx_rooms_async.cli import output, runner
from telnyx_rooms_async.cli.options import flag, option

_COMMANDS: Final = (
    "rooms",
    "sessions",
    "participants",
    "recordings",
    "compositions",
    "tokens",
    "reports",
    "webhooks",
    "emulate",
    "demo",
    "docs",
)


class _Program(TyperGroup):
    """The program. The module of a command is imported when the command is run or listed."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 - of Typer or of Click, by version
        """Return the names of all commands."""
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 - of Typer or of Click, by version
        """Return a command. All are imported for an unknown name: Typer suggests a similar one."""
        for name in (cmd_name,) if cmd_name in _COMMANDS else _COMMANDS:
            if name not in self.commands:
                module = import_module(f"{__name__}.commands.{name}")
                self.add_command(typer.main.get_command(module.app), name)
        return super().get_command(ctx, cmd_name)

    def make_context(self, *args: Any, **extra: Any) -> Any:  # noqa: ANN401 - of Typer or of Click, by version
        """Parse the options of the program. ``--help`` and ``--version`` print here, and stdout may fail."""
        with runner.exit_codes():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - of Typer or of Click, by version
        """Run a command, and exit with the code of an error."""
        with runner.exit_codes():
            return super().invoke(ctx)


app: Final = runner.command_group(
    cls=_Program,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    # A pretty traceback can show the values of variables, and one of them is the key.
    pretty_exceptions_enable=False,
)


class Header(NamedTuple):
    """A header of requests."""

    name: str
    value: str


def _parse_header(text: str) -> Header:
    """Parse a header: ``X-Team: Video``. The text is not shown, since it may be a secret."""
    name, colon, value = text.partition(":")
    if not colon:
        raise typer.BadParameter("must be NAME:VALUE")
    return Header(name.strip(), value.strip())


def _print_version(requested: bool) -> None:  # noqa: FBT001 - Typer passes the value by position
    if requested:
        output.write_line(f"telnyx-rooms {telnyx_rooms_async.__version__}")
        raise typer.Exit


@app.callback()
def _program(
    *,
    ca_file: Annotated[
        str | None,
        option(
            "PATH",
            "PEM file of CA certificates to trust beside those of the system. Default: TELNYX_CA_FILE.",
        ),
    ] = None,
    client_cert: Annotated[
        str | None,
        option("PATH", "PEM file of a client certificate and its private key. Default: TELNYX_CLIENT_CERT."),
    ] = None,
    proxy: Annotated[
        str | None,
        option(
            "URL", "HTTP proxy: http://HOST:PORT. Default: TELNYX_PROXY, which keeps a password out of `ps`."
        ),
    ] = None,
    header: Annotated[
        list[Header] | None,
        option("NAME:VALUE", "Header of every request; repeat the option for several.", parser=_parse_header),
    ] = None,
    max_retries: Annotated[int | None, option("N", "Retries of a failed request. Default: 2.", min=0)] = None,
    allow_insecure: Annotated[
        bool,
        flag(
            "--allow-insecure",
            "Allow an http:// base URL on another machine, as TELNYX_ALLOW_INSECURE=true does.",
        ),
    ] = False,
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
