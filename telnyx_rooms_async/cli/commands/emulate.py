"""``telnyx-rooms emulate``: a Telnyx to develop against, until it is stopped. Being stopped is no error."""

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
from telnyx_rooms_async.cli.runner import ending
from telnyx_rooms_async.emulator import Emulator, load_script


def emulate(
    *,
    host: Annotated[str, typer.Option(metavar="HOST", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="PORT", help="Where to listen; 0 for any free port.")
    ] = 8080,
    api_key: Annotated[
        str | None, typer.Option(metavar="KEY", help="The key to accept; made up unless given.")
    ] = None,
    rooms: Annotated[int, typer.Option(min=0, metavar="N", help="How many rooms to begin with.")] = 0,
    public_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The base URL for other machines, such as http://telnyx:8080/v2."),
    ] = None,
    deliver_anywhere: Annotated[
        bool, typer.Option("--deliver-anywhere", help="Send webhooks to other machines too.")
    ] = False,
    faults: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What goes wrong, and when: see above.")
    ] = None,
) -> None:
    """Serve an emulated Telnyx on this machine until Ctrl-C.

    Prints lines for the shell, which lead clients to it: set them where you run yours. With the extra
    webhooks, the key for those who verify them is among the lines.

    In a container, listen with --host 0.0.0.0, and say with --public-url how others reach it. People join a
    room with POST /emulator/participants and {"room_id": ID, "context": "Alice"}, with the API key as
    everywhere, and leave with DELETE /emulator/participants/ID.

    FILE is a JSON list of faults. Each is for the next request, or for so many "times" (null is for ever),
    of one "operation", by its id in the API reference, or of all.

    \b
    [{"operation": "CreateRoom", "times": 2, "status": 503, "retry_after": 2},
     {"operation": "DeleteRoom", "cut": "after"},
     {"limit": {"requests": 20, "seconds": 5}}]

    \b
    status       the answer, and nothing is carried out unless "after": true
    body         text or JSON to answer with
    headers      more headers for the answer
    retry_after  seconds: the header Retry-After
    cut          close the connection: "before" the operation, "after" it,
                 or amid the "headers" or the "body" of the answer
    reset        true to cut with RST
    delay        seconds to wait before the operation
    after        true to carry it out first: before the delay and the status
    """  # noqa: D301 - not a backslash, but Click's mark of lines that are not to be filled
    with ending(interrupted=0):
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
            _load(telnyx, faults)
        asyncio.run(_serve(telnyx, f"{host}:{port}", rooms))


def _load(telnyx: Emulator, faults: Path) -> None:
    try:
        load_script(telnyx, faults.read_bytes())
    except OSError as error:
        raise InvalidArgumentError((f"cannot read {faults}: {error.strerror or error}",)) from None
    except ValueError as error:
        first, *others = error.args
        raise InvalidArgumentError((f"{faults}: {first}", *others)) from None


async def _serve(telnyx: Emulator, address: str, rooms: int) -> None:
    telnyx.seed(rooms)
    stopped = _when_stopped()
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(telnyx)
        except OSError as error:
            raise ConfigurationError(f"cannot listen on {address}: {_why(error)}") from None
        _tell(telnyx)
        await stopped.wait()


def _why(error: OSError) -> object:
    # asyncio words it differently from Python to Python; an unknown host has no errno of the system.
    code = error.errno or 0
    why = os.strerror(code) if code in errno.errorcode else error.strerror or error
    return f"{why}; --port 0 finds a free one" if code == errno.EADDRINUSE else why


def _when_stopped() -> asyncio.Event:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Windows has no such handlers: there Ctrl-C is a KeyboardInterrupt, which ends just as well.
        with suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped


def _is_safe(url: str) -> bool:
    """Tell whether a client accepts this base URL without being allowed to."""
    parts = urlsplit(url)
    try:
        return parts.scheme == "https" or ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.hostname == "localhost"


def _tell(telnyx: Emulator) -> None:
    output.write_line(f"export TELNYX_API_KEY={shlex.quote(telnyx.api_key)}")
    output.write_line(f"export TELNYX_BASE_URL={shlex.quote(telnyx.url)}")
    if not _is_safe(telnyx.url):
        output.write_line("export TELNYX_ALLOW_INSECURE=true")
    with suppress(RuntimeError):  # without the extra there are no webhooks to verify
        output.write_line(f"export TELNYX_PUBLIC_KEY={shlex.quote(telnyx.public_key)}")
    output.note(f"An emulated Telnyx with {len(telnyx.rooms)} rooms listens at {telnyx.url}. Ctrl-C ends it.")
