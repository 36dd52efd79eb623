"""``telnyx-rooms emulate``: run a Telnyx emulator until it is stopped."""

import asyncio
import errno
import os
import shlex
import signal
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias, TypeVar, cast
from urllib.parse import urlsplit

from telnyx_rooms_async import ConfigurationError, InvalidArgumentError
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.options import flag, option
from telnyx_rooms_async.cli.runner import command_group, exit_codes
from telnyx_rooms_async.core.validators import is_loopback
from telnyx_rooms_async.emulator import Emulator, load_faults

T = TypeVar("T")

app: Final = command_group()

Host: TypeAlias = Annotated[str, option("HOST", "Address to listen on.")]
Port: TypeAlias = Annotated[int, option("PORT", "Port to listen on; 0 for any free port.", min=0, max=65535)]
SIGNING_KEY: Final = "TELNYX_SIGNING_KEY"
"""Environment variable with the private key that signs webhooks for local work."""


@app.command()
def emulate(
    *,
    host: Host = "127.0.0.1",
    port: Port = 8080,
    api_key: Annotated[str | None, option("KEY", "The key to accept. Default: a new one.")] = None,
    rooms: Annotated[
        int | None, option("N", "Rooms at the start. Default: 0, or 10 with --history.", min=0)
    ] = None,
    history: Annotated[
        int | None, option("DAYS", "Give the rooms sessions in the last days.", min=1, max=3650)
    ] = None,
    public_url: Annotated[
        str | None, option("URL", "Base URL for other machines, such as http://telnyx:8080/v2.")
    ] = None,
    deliver_anywhere: Annotated[
        bool, flag("--deliver-anywhere", "Also send webhooks to other machines.")
    ] = False,
    faults: Annotated[Path | None, option("FILE", "Faults to inject: see above.")] = None,
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
    if rooms is None:
        rooms = 0 if history is None else 10
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
            telnyx.seed(rooms)
        else:
            telnyx.seed_history(days=history, rooms=rooms)
    except ValueError as error:
        problem = str(error).replace("public_url", "--public-url").replace("signing_key", SIGNING_KEY)
        raise InvalidArgumentError((problem,)) from None
    if faults is not None:
        _inject(telnyx, faults)

    content = output.counted(rooms)
    if history is not None:
        content += f" and a history of {output.counted(history, 'day')}"

    async def serve(_: Emulator) -> None:
        _print_variables(telnyx)
        output.note(f"The emulator with {content} listens at {telnyx.url}. Press Ctrl-C to stop.")
        await asyncio.Event().wait()

    run_server(telnyx, f"{host}:{port}", serve)


def _print_variables(telnyx: Emulator) -> None:
    """Print the environment variables of a client of the emulator, for a shell."""
    output.write_line(f"export TELNYX_API_KEY={shlex.quote(telnyx.api_key)}")
    output.write_line(f"export TELNYX_BASE_URL={shlex.quote(telnyx.url)}")
    url = urlsplit(telnyx.url)
    if url.scheme != "https" and not is_loopback(url.hostname or ""):
        output.write_line("export TELNYX_ALLOW_INSECURE=true")
    with suppress(RuntimeError):  # the extra "webhooks" is not installed
        output.write_line(f"export TELNYX_PUBLIC_KEY={shlex.quote(telnyx.public_key)}")


def _inject(telnyx: Emulator, path: Path) -> None:
    with output.file_errors(str(path), "read"):
        data = path.read_bytes()
    try:
        load_faults(telnyx, data)
    except ValueError as error:
        first, *others = error.args
        raise InvalidArgumentError((f"{path}: {first}", *others)) from None


def run_server(
    server: AbstractAsyncContextManager[T], address: str, use: Callable[[T], Coroutine[Any, Any, None]]
) -> None:
    """Enter a server and use it until Ctrl-C or SIGTERM."""

    async def use_until_stopped() -> None:
        stop = cast("asyncio.Task[None]", asyncio.current_task()).cancel
        for number in (signal.SIGINT, signal.SIGTERM):
            # Not implemented on Windows, where Ctrl-C raises KeyboardInterrupt.
            with suppress(NotImplementedError):
                asyncio.get_running_loop().add_signal_handler(number, stop)
        async with AsyncExitStack() as stack:
            try:
                entered = await stack.enter_async_context(server)
            except OSError as error:
                # The message of asyncio depends on the Python version. The errno of an unknown host is not
                # of the system.
                code = error.errno or 0
                reason = os.strerror(code) if code in errno.errorcode else error.strerror or error
                hint = "; use --port 0 for a free port" if code == errno.EADDRINUSE else ""
                raise ConfigurationError(f"cannot listen on {address}: {reason}{hint}") from None
            except UnicodeError:
                raise ConfigurationError(f"cannot listen on {address}: not a host name") from None
            await use(entered)

    with exit_codes(interrupted=0), suppress(asyncio.CancelledError):
        asyncio.run(use_until_stopped())
