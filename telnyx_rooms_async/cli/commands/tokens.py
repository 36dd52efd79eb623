"""``telnyx-rooms tokens``: one command per method of ``client.tokens``. Secrets are never arguments."""

import getpass
import os
import sys
from collections.abc import Awaitable
from contextlib import suppress
from typing import Annotated, Final, TypedDict, Unpack

import typer

from telnyx_rooms_async import ClientToken, ConfigurationError, RoomsClient
from telnyx_rooms_async.cli.display import show
from telnyx_rooms_async.cli.options import RoomId, argument, option
from telnyx_rooms_async.cli.runner import command, command_group, run

app: Final = command_group(help="Tokens that client SDKs use to join a room.")

_STDIN: Final = "-"
_VARIABLE: Final = "TELNYX_REFRESH_TOKEN"


class Lifetime(TypedDict, total=False):
    """Option for the lifetime of a new token."""

    token_ttl_secs: Annotated[int, option("SECONDS", "Lifetime of the token: 10 to 3600. Default: 600.")]


class Lifetimes(Lifetime, total=False):
    """Options for the lifetimes of two new tokens."""

    refresh_token_ttl_secs: Annotated[
        int, option("SECONDS", "Lifetime of the refresh token: 60 to 86400. Default: 3600.")
    ]


@command(app)
def create(client: RoomsClient, room_id: RoomId, **lifetimes: Unpack[Lifetimes]) -> Awaitable[ClientToken]:
    """Create a token to join a room, and print it.

    Both the token and its refresh token are secrets.
    """
    return client.tokens.create(room_id, **lifetimes)


@command(app)
def refresh(
    room_id: RoomId,
    refresh_token: Annotated[
        str | None, argument("-", f"Read the refresh token from stdin instead of {_VARIABLE}.")
    ] = None,
    **lifetime: Unpack[Lifetime],
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
    secret = _read_stdin() if refresh_token == _STDIN else os.environ.get(_VARIABLE, "")
    if not (secret := secret.strip()):
        raise ConfigurationError(f"no refresh token: set {_VARIABLE}, or pass - and send it on stdin")
    show(run(lambda client: client.tokens.refresh(room_id, secret, **lifetime)))


def _read_stdin() -> str:
    if sys.stdin is None:
        return ""
    if not sys.stdin.isatty():
        return sys.stdin.buffer.readline().decode(errors="replace")
    with suppress(EOFError):
        return getpass.getpass("Refresh token: ")
    return ""
