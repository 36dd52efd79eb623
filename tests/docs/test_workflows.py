"""The workflows of GitHub: valid, pinned, and without rights that they do not need."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).parents[2] / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))  # the sdist has none


def load(path: Path) -> dict[str, Any]:
    """Parse a workflow."""
    workflow = yaml.safe_load(path.read_text())
    assert isinstance(workflow, dict)
    return workflow


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_to_commits_and_only_a_job_may_do_more_than_read(path: Path) -> None:
    actions = re.findall(r"uses: (\S+)", path.read_text())
    assert actions
    for action in actions:
        assert action.startswith("./") or re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action), action
    assert load(path)["permissions"] == {"contents": "read"}


@pytest.mark.skipif(not WORKFLOWS, reason="the sdist has no workflows")
def test_a_release_is_tested_attested_and_published_without_a_token() -> None:
    text = (FOLDER / "release.yml").read_text()
    jobs = load(FOLDER / "release.yml")["jobs"]
    assert jobs["test"]["uses"] == "./.github/workflows/test.yml"
    assert (FOLDER / "test.yml").exists()
    assert set(jobs["publish"]["needs"]) == {"test", "build"}
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    assert jobs["build"]["permissions"]["attestations"] == "write"
    assert "-o sbom/" in text, "PyPI rejects a bill of materials in dist/"
    assert "secrets." not in text
