"""Plain technical English: metaphors and vague identifiers that must not come back."""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import telnyx_rooms_async

PACKAGE: Final = Path(telnyx_rooms_async.__file__).parent
ROOT: Final = Path(__file__).parents[2]

WORDS: Final = frozenset(
    """
    told tell tells who whom whoever nobody somebody anybody everybody
    house floor floors door dice trail crew stage shelf breath canary
    happening happenings mishap mishaps verdict verdicts misfit misfits
    newcomer rival stranger fleet journaled journaling untouched
    """.split()  # noqa: SIM905 - a list of words
)
"""Forbidden in names, docstrings, comments, messages and Markdown."""
IDENTIFIERS: Final = frozenset({"asked", "each", "found", "given", "it", "kind", "kinds", "whole"})
"""Forbidden as whole identifiers: the noun is missing."""


def forbidden(path: Path) -> Iterator[str]:
    """Yield the forbidden words of a file with their lines."""
    text = path.read_text("utf-8")
    if path.suffix == ".md":
        for number, line in enumerate(text.splitlines(), 1):
            yield from (f"{number}: {word}" for word in _prose(line))
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME:
            words = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+", token.string)} & WORDS
            words |= {token.string} & IDENTIFIERS
        elif token.type in (tokenize.STRING, tokenize.COMMENT):
            words = set(_prose(token.string))
        else:
            continue
        yield from (f"{token.start[0]}: {word}" for word in sorted(words))


def _prose(text: str) -> list[str]:
    return [word for word in re.findall(r"[a-z]+", text.lower()) if word in WORDS]


GUIDES: Final = {*ROOT.glob("*.md"), *ROOT.glob(".github/*.md"), ROOT / "benchmarks" / "README.md"}
FILES: Final = sorted([*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.md"), *GUIDES])


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(path.parts[-2:]))
def test_words_are_plain(path: Path) -> None:
    assert list(forbidden(path)) == []
