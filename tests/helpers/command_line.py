"""Types of the fixtures that run commands, and values that their tests share."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from typer.testing import Result

Run: TypeAlias = Callable[..., Result]
"""Runs a command in this process."""
Table: TypeAlias = Callable[..., list[list[str]]]
"""Runs a command that succeeds, and splits the table that it prints."""
Objects: TypeAlias = Callable[..., list[Any]]
"""Runs a command with ``--json`` that succeeds, and parses its lines."""
Terminal: TypeAlias = Callable[..., str]
"""Runs a command at a terminal, and returns what the terminal shows."""
Start: TypeAlias = Callable[..., subprocess.Popen[str]]
"""Starts the program in a process of its own."""
SmallDisk: TypeAlias = Callable[..., subprocess.CompletedProcess[str]]
"""Runs the program where files have a maximum size."""
Shell: TypeAlias = Callable[..., subprocess.CompletedProcess[str]]
"""Runs the program in a shell, with redirections."""
Turn: TypeAlias = Callable[[float], None]
"""Lets seconds pass for the emulator."""

ED25519: Final = "cryptography.hazmat.primitives.asymmetric.ed25519"
WITHOUT_WEBHOOKS: Final = (
    sys.executable,
    "-c",
    f"import sys; sys.modules[{ED25519!r}] = None; from telnyx_rooms_async.__main__ import main; main()",
)
"""The program without the extra ``webhooks``."""
UNKNOWN_ID: Final = "00000000-0000-4000-8000-000000000000"
NOW: Final = "2021-04-25T13:45:06Z"
"""The time of the emulator."""
ROOM_COLUMNS: Final = [
    "id",
    "unique_name",
    "created_at",
    "active_session_id",
    "max_participants",
    "enable_recording",
]
"""Columns of a table of rooms."""
