"""``telnyx-rooms tokens``: a command for each verb of ``client.tokens``. What is secret comes in unseen."""

import getpass
import os
import sys
from contextlib import suppress
from typing import Annotated, Final, TypeAlias

import typer

from telnyx_rooms_async import ConfigurationError
from telnyx_rooms_async.cli.options import AsJson, BaseUrl, RoomId, given
from telnyx_rooms_async.cli.output import show_token
from telnyx_rooms_async.cli.runner import ending, run

group: Final = typer.Typer(
    name="tokens", no_args_is_help=True, help="Tokens that a client SDK joins a room with."
)

_STDIN: Final = "-"
_VARIABLE: Final = "TELNYX_REFRESH_TOKEN"

TokenTtlSecs: TypeAlias = Annotated[
    int | None,
    typer.Option(metavar="SECONDS", help="How long the token is good: 10 to 3600; 600 unless given."),
]


@group.command()
def create(
    room_id: RoomId,
    *,
    token_ttl_secs: TokenTtlSecs = None,
    refresh_token_ttl_secs: Annotated[
        int | None,
        typer.Option(metavar="SECONDS", help="How long it can be refreshed: 60 to 86400; 3600 unless given."),
    ] = None,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """Make a token that lets one client join a room, and print it.

    It is a secret, as is the refresh token that gets the next one.
    """
    run(
        lambda client: show_token(
            client.tokens.create(
                room_id,
                token_ttl_secs=given(token_ttl_secs),
                refresh_token_ttl_secs=given(refresh_token_ttl_secs),
            ),
            as_json=as_json,
        ),
        base_url,
    )


@group.command()
def refresh(
    room_id: RoomId,
    refresh_token: Annotated[
        str | None, typer.Argument(metavar="-", help=f"Read the refresh token from stdin, not {_VARIABLE}.")
    ] = None,
    *,
    token_ttl_secs: TokenTtlSecs = None,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """Get the next token, and print it.

    The refresh token is read from the environment variable TELNYX_REFRESH_TOKEN, or from stdin. It stays the
    same.
    """
    if refresh_token not in (None, _STDIN):
        # Not shown again, for it may be one.
        raise typer.BadParameter(
            f"a refresh token is a secret: set {_VARIABLE}, or write - and give it on stdin"
        )
    with ending():
        secret = _read_secret(refresh_token)
    run(
        lambda client: show_token(
            client.tokens.refresh(room_id, secret, token_ttl_secs=given(token_ttl_secs)), as_json=as_json
        ),
        base_url,
    )


def _read_secret(source: str | None) -> str:
    secret = (os.environ.get(_VARIABLE, "") if source is None else _read_stdin()).strip()
    if not secret:
        raise ConfigurationError(f"no refresh token: set {_VARIABLE}, or write - and give it on stdin")
    return secret


def _read_stdin() -> str:
    if sys.stdin is None:
        return ""
    if not sys.stdin.isatty():
        return sys.stdin.buffer.readline().decode(errors="replace")
    with suppress(EOFError):
        return getpass.getpass("Refresh token: ")  # typed, and not shown
    return ""
