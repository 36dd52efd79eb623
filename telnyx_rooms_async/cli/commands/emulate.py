"""``telnyx-rooms emulate``: run a Telnyx emulator until it is stopped."""

import asyncio
import os
import shlex
from contextlib import suppress
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from telnyx_rooms_async import InvalidArgumentError
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.options import SIGNING_KEY, Host, Port
from telnyx_rooms_async.cli.runner import exit_codes, run_server
from telnyx_rooms_async.core.validators import is_loopback
from telnyx_rooms_async.emulator import Emulator, load_faults


def emulate(
    *,
    host: Host = "127.0.0.1",
    port: Port = 8080,
    api_key: Annotated[
        str | None, typer.Option(metavar="KEY", help="The key to accept. Default: a new one.")
    ] = None,
    rooms: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Rooms at the start. Default: 0, or 10 with --history."),
    ] = None,
    history: Annotated[
        int | None,
        typer.Option(min=1, max=3650, metavar="DAYS", help="Give the rooms sessions in the last days."),
    ] = None,
    public_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Base URL for other machines, such as http://telnyx:8080/v2."),
    ] = None,
    deliver_anywhere: Annotated[
        bool, typer.Option("--deliver-anywhere", help="Also send webhooks to other machines.")
    ] = False,
    faults: Annotated[Path | None, typer.Option(metavar="FILE", help="Faults to inject: see above.")] = None,
) -> None:
    """Run a Telnyx emulator on this machine until Ctrl-C.

    It prints environment variables for the shell that your client runs in. With the extra "webhooks" they
    include the public key that verifies webhooks: a new one, or that of the private key TELNYX_SIGNING_KEY.

    In a container, use --host 0.0.0.0, and set --public-url to the URL for other machines. To simulate a
    participant, send POST /emulator/participants with {"room_id": ID, "context": "Alice"}, and DELETE
    /emulator/participants/ID to leave. Both need the API key.

    FILE is a JSON list of faults. A fault applies to the next request, or to the next "times" requests
    (null: to all), of one "operation" of the API reference, or of any operation.

    \b
    [{"operation": "CreateRoom", "times": 2, "status": 503, "retry_after": 2},
     {"operation": "DeleteRoom", "cut": "after"},
     {"limit": {"requests": 20, "seconds": 5}}]

    \b
    status       respond with this status, without the operation
    body         body of the response: text or JSON
    headers      additional headers of the response
    retry_after  seconds in the header Retry-After
    cut          close the connection "before" the operation, "after" it, or
                 within the "headers" or the "body" of the response
    reset        true: close the connection with RST
    delay        seconds to wait before the operation
    after        true: perform the operation first
    """  # noqa: D301 - not a backslash, but Click's mark of lines that are not to be filled
    with exit_codes():
        try:
            telnyx = Emulator(
                host=host,
                port=port,
                api_key=api_key,
                recording=False,
                deliver_anywhere=deliver_anywhere,
                signing_key=os.environ.get(SIGNING_KEY) or None,
                public_url=public_url,
            )
            if history is None:
                telnyx.seed(rooms := rooms or 0)
            else:
                rooms = 10 if rooms is None else rooms
                telnyx.seed_history(days=history, rooms=rooms)
        except ValueError as error:
            problem = str(error).replace("public_url", "--public-url").replace("signing_key", SIGNING_KEY)
            raise InvalidArgumentError((problem,)) from None
        if faults is not None:
            try:
                load_faults(telnyx, faults.read_bytes())
            except OSError as error:
                problem = f"cannot read {faults}: {error.strerror or error}"
                raise InvalidArgumentError((problem,)) from None
            except ValueError as error:
                first, *others = error.args
                raise InvalidArgumentError((f"{faults}: {first}", *others)) from None

    async def serve(_: Emulator) -> None:
        output.write_line(f"export TELNYX_API_KEY={shlex.quote(telnyx.api_key)}")
        output.write_line(f"export TELNYX_BASE_URL={shlex.quote(telnyx.url)}")
        parts = urlsplit(telnyx.url)
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            output.write_line("export TELNYX_ALLOW_INSECURE=true")
        with suppress(RuntimeError):  # the extra "webhooks" is not installed
            output.write_line(f"export TELNYX_PUBLIC_KEY={shlex.quote(telnyx.public_key)}")
        content = output.counted(rooms)
        if history is not None:
            content += f" and a history of {output.counted(history, 'day')}"
        output.note(f"The emulator with {content} listens at {telnyx.url}. Press Ctrl-C to stop.")
        await asyncio.Event().wait()

    run_server(telnyx, f"{host}:{port}", serve)
