"""``telnyx-rooms emulate``: run a Telnyx emulator until it is stopped."""

import asyncio
import errno
import os
import shlex
import signal
from contextlib import AsyncExitStack, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from telnyx_rooms_async import ConfigurationError, InvalidArgumentError
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.runner import exit_codes
from telnyx_rooms_async.emulator import Emulator, load_faults


def emulate(
    *,
    host: Annotated[str, typer.Option(metavar="HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="PORT", help="Port to listen on; 0 for any free port.")
    ] = 8080,
    api_key: Annotated[
        str | None, typer.Option(metavar="KEY", help="The key to accept. Default: a new one.")
    ] = None,
    rooms: Annotated[int, typer.Option(min=0, metavar="N", help="Number of rooms at the start.")] = 0,
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
    include the public key that verifies webhooks.

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
    with exit_codes(interrupted=0):
        try:
            telnyx = Emulator(
                host=host,
                port=port,
                api_key=api_key,
                recording=False,
                deliver_anywhere=deliver_anywhere,
                public_url=public_url,
            )
        except ValueError as error:
            raise InvalidArgumentError((str(error).replace("public_url", "--public-url"),)) from None
        if faults is not None:
            try:
                load_faults(telnyx, faults.read_bytes())
            except OSError as error:
                problem = f"cannot read {faults}: {error.strerror or error}"
                raise InvalidArgumentError((problem,)) from None
            except ValueError as error:
                first, *others = error.args
                raise InvalidArgumentError((f"{faults}: {first}", *others)) from None
        asyncio.run(_serve(telnyx, f"{host}:{port}", rooms))


async def _serve(telnyx: Emulator, address: str, rooms: int) -> None:
    telnyx.seed(rooms)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Not implemented on Windows, where Ctrl-C raises KeyboardInterrupt.
        with suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(telnyx)
        except OSError as error:
            raise ConfigurationError(f"cannot listen on {address}: {_reason(error)}") from None
        output.write_line(f"export TELNYX_API_KEY={shlex.quote(telnyx.api_key)}")
        output.write_line(f"export TELNYX_BASE_URL={shlex.quote(telnyx.url)}")
        if not _is_safe(telnyx.url):
            output.write_line("export TELNYX_ALLOW_INSECURE=true")
        with suppress(RuntimeError):  # the extra "webhooks" is not installed
            output.write_line(f"export TELNYX_PUBLIC_KEY={shlex.quote(telnyx.public_key)}")
        count = output.counted(rooms)
        output.note(f"The emulator with {count} listens at {telnyx.url}. Press Ctrl-C to stop.")
        await stopped.wait()


def _reason(error: OSError) -> object:
    # The message of asyncio depends on the Python version. The errno of an unknown host is not of the system.
    code = error.errno or 0
    reason = os.strerror(code) if code in errno.errorcode else error.strerror or error
    return f"{reason}; use --port 0 for a free port" if code == errno.EADDRINUSE else reason


def _is_safe(url: str) -> bool:
    """Return whether a client accepts this base URL without ``allow_insecure``."""
    parts = urlsplit(url)
    try:
        return parts.scheme == "https" or ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.hostname == "localhost"
