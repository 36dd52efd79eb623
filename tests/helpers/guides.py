"""The guides: Markdown files of the package, and their code blocks."""

import re
from pathlib import Path
from typing import Final

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
