"""``telnyx-rooms tokens``: one command per method of ``client.tokens``. Secrets are never arguments."""

import getpass
import os
import sys
from contextlib import suppress
from typing import Annotated, Final, TypeAlias

import typer

from telnyx_rooms_async import ConfigurationError
from telnyx_rooms_async.cli.options import AsJson, BaseUrl, RoomId, unset_if_none
from telnyx_rooms_async.cli.output import show_token
from telnyx_rooms_async.cli.runner import exit_codes, run

group: Final = typer.Typer(
    name="tokens", no_args_is_help=True, help="Tokens that client SDKs use to join a room."
)

_STDIN: Final = "-"
_VARIABLE: Final = "TELNYX_REFRESH_TOKEN"

TokenTtlSecs: TypeAlias = Annotated[
    int | None,
    typer.Option(metavar="SECONDS", help="Lifetime of the token: 10 to 3600. Default: 600."),
]


@group.command()
def create(
    room_id: RoomId,
    *,
    token_ttl_secs: TokenTtlSecs = None,
    refresh_token_ttl_secs: Annotated[
        int | None,
        typer.Option(metavar="SECONDS", help="Lifetime of the refresh token: 60 to 86400. Default: 3600."),
    ] = None,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """Create a token to join a room, and print it.

    Both the token and its refresh token are secrets.
    """
    run(
        lambda client: show_token(
            client.tokens.create(
                room_id,
                token_ttl_secs=unset_if_none(token_ttl_secs),
                refresh_token_ttl_secs=unset_if_none(refresh_token_ttl_secs),
            ),
            as_json=as_json,
        ),
        base_url,
    )


@group.command()
def refresh(
    room_id: RoomId,
    refresh_token: Annotated[
        str | None,
        typer.Argument(metavar="-", help=f"Read the refresh token from stdin instead of {_VARIABLE}."),
    ] = None,
    *,
    token_ttl_secs: TokenTtlSecs = None,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """Create the next token with a refresh token, and print it.

    The refresh token is read from the environment variable TELNYX_REFRESH_TOKEN, or from stdin. It remains
    valid.
    """
    if refresh_token not in (None, _STDIN):
        # The argument is not repeated: it may be a secret.
        raise typer.BadParameter(
            f"a refresh token must not be an argument: set {_VARIABLE}, or pass - and send it on stdin"
        )
    with exit_codes():
        secret = _read_secret(refresh_token)
    run(
        lambda client: show_token(
            client.tokens.refresh(room_id, secret, token_ttl_secs=unset_if_none(token_ttl_secs)),
            as_json=as_json,
        ),
        base_url,
    )


def _read_secret(source: str | None) -> str:
    secret = (os.environ.get(_VARIABLE, "") if source is None else _read_stdin()).strip()
    if not secret:
        raise ConfigurationError(f"no refresh token: set {_VARIABLE}, or pass - and send it on stdin")
    return secret


def _read_stdin() -> str:
    if sys.stdin is None:
        return ""
    if not sys.stdin.isatty():
        return sys.stdin.buffer.readline().decode(errors="replace")
    with suppress(EOFError):
        return getpass.getpass("Refresh token: ")
    return ""
