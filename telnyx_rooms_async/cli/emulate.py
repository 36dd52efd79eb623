"""``telnyx-rooms emulate``: a Telnyx to develop against, until it is stopped. Being stopped is no error."""

import asyncio
import errno
import os
import shlex
import signal
from contextlib import AsyncExitStack, suppress
from typing import Annotated

import typer

from telnyx_rooms_async import ConfigurationError
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.running import ending
from telnyx_rooms_async.emulator import Emulator


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
) -> None:
    """Serve an emulated Telnyx on this machine until Ctrl-C.

    Prints two lines for the shell, which lead clients to it: set them where you run yours.
    """
    with ending(interrupted=0):
        asyncio.run(
            _serve(Emulator(host=host, port=port, api_key=api_key, recording=False), f"{host}:{port}", rooms)
        )


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


def _tell(telnyx: Emulator) -> None:
    # 0.0.0.0 is where to listen, not where to go: a client on this machine finds it here.
    url = telnyx.url.replace("//0.0.0.0:", "//127.0.0.1:")
    output.write_line(f"export TELNYX_API_KEY={shlex.quote(telnyx.api_key)}")
    output.write_line(f"export TELNYX_BASE_URL={shlex.quote(url)}")
    output.note(f"An emulated Telnyx with {len(telnyx.rooms)} rooms listens at {url}. Ctrl-C ends it.")
