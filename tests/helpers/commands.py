"""The command line as a program that a test can interrupt, and what of it arrived at the emulator."""

import sys
from typing import Final

from telnyx_rooms_async.emulator import Emulator

MAIN: Final = "from telnyx_rooms_async.__main__ import main; main()"
# A test run in the background may hand down a SIGINT that is ignored.
INTERRUPTIBLE: Final = (
    sys.executable,
    "-c",
    f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler); {MAIN}",
)


def posts(telnyx: Emulator) -> int:
    """Count the requests that would create a room."""
    return sum(request.method == "POST" for request in telnyx.requests)
