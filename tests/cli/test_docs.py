"""``telnyx-rooms docs``."""

from pathlib import Path

import pytest

import telnyx_rooms_async
from tests.helpers.command_line import Run, Terminal

PACKAGE = Path(telnyx_rooms_async.__file__).parent
GUIDES = sorted(PACKAGE.rglob("*.md"))


def topic(guide: Path) -> str:
    """Return the topic of a guide."""
    if guide.name != "README.md":
        return guide.stem.lower()
    return "architecture" if guide.parent == PACKAGE else guide.parent.name


def test_every_guide_is_listed_with_its_title(run: Run) -> None:
    listed = dict(line.split(maxsplit=1) for line in run("docs").stdout.splitlines())
    titles = {topic(guide): guide.read_text().splitlines()[0].removeprefix("# ") for guide in GUIDES}
    assert listed == titles
    assert len(listed) == len(GUIDES) >= 9


@pytest.mark.parametrize("guide", GUIDES, ids=topic)
def test_a_pipe_gets_the_markdown(run: Run, guide: Path) -> None:
    assert run("docs", topic(guide)).stdout == guide.read_text()


def test_a_terminal_gets_formatted_text(at_terminal: Terminal) -> None:
    shown = at_terminal("docs", "http")
    assert "Rate limits" in shown
    assert "## Rate limits" not in shown


def test_an_unknown_topic_exits_with_the_list(run: Run) -> None:
    result = run("docs", "nothing")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: there is no guide to 'nothing': architecture, ")
