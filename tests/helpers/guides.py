"""The guides: Markdown files of the package, and their code blocks."""

import ast
import builtins
import inspect
import re
from collections.abc import Awaitable
from pathlib import Path
from types import FunctionType
from typing import Final, Literal

import telnyx_rooms_async

ROOT: Final = Path(__file__).parents[2]
README: Final = ROOT / "README.md"
GUIDES: Final = [
    README,
    ROOT / "benchmarks" / "README.md",
    *sorted(Path(telnyx_rooms_async.__file__).parent.rglob("*.md")),
]


def read_files() -> dict[str, str]:
    """Return the code blocks that name their file in a comment in the first line."""
    text = "\n".join(guide.read_text("utf-8") for guide in GUIDES)
    blocks = re.findall(
        r"^```\w+\n((?:# |<!-- )(\S+\.\w+)(?: -->)?\n.*?)^```$", text, re.MULTILINE | re.DOTALL
    )
    files = {name: code for code, name in blocks}
    assert len(files) == len(blocks), "two blocks have the same name"
    return files


async def run(source: str, names: dict[str, object], mode: Literal["exec", "single"] = "exec") -> None:
    """Run code that may await at its top level. The mode "single" prints values, as a prompt does."""
    code = compile(source, "guide", mode, flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    names.setdefault("__builtins__", builtins)  # annotations are evaluated later, since Python 3.14
    result = FunctionType(code, names)()
    if code.co_flags & inspect.CO_COROUTINE:
        assert isinstance(result, Awaitable)
        await result
