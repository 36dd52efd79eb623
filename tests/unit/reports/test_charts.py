"""Charts: files, their contents, and the committed examples.

``python -m tests.unit.reports.test_charts`` writes the examples again.
"""

import re
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import matplotlib as mpl
import pytest

import telnyx_rooms_async
from telnyx_rooms_async import InvalidArgumentError, RoomParticipant, RoomSession
from telnyx_rooms_async.reports import attendance_of
from tests.helpers.report_samples import NAMES, START, lesson, usage

EXAMPLES: Final = Path(telnyx_rooms_async.__file__).parent / "reports" / "examples"
CHARTS: Final[dict[str, Callable[[Path], None]]] = {
    "attendance.svg": lambda path: lesson(10).write_chart(path),
    "attendance_dark.svg": lambda path: lesson(10, is_active=True).write_chart(path, dark=True),
    "usage.svg": lambda path: usage("day", days=31).write_chart(path),
}


def texts(path: Path) -> list[str]:
    """Return the texts of an SVG file."""
    return [element.text or "" for element in ET.parse(path).iter() if element.tag.endswith("}text")]


def numbers(path: Path) -> list[float]:
    """Return the numbers of the shapes and texts of an SVG file."""
    attributes = re.findall(r' (?:d|x|y|style)="([^"]*)"', path.read_text())
    return [float(number) for value in attributes for number in re.findall(r"-?\d+(?:\.\d+)?", value)]


@pytest.mark.parametrize("name", CHARTS)
def test_committed_examples_are_reproducible(name: str, tmp_path: Path) -> None:
    CHARTS[name](tmp_path / name)
    assert texts(tmp_path / name) == texts(EXAMPLES / name)
    # Older versions of matplotlib measure texts in another way; newer ones differ in the last digits.
    if mpl.__version_info__ >= (3, 11):
        assert numbers(tmp_path / name) == pytest.approx(numbers(EXAMPLES / name), abs=0.01)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("people", [0, 1, 12])
def test_attendance_has_a_row_for_each_person(people: int, tmp_path: Path, *, dark: bool) -> None:
    report = lesson(people, is_active=dark)
    report.write_chart(tmp_path / "chart.svg", zone=ZoneInfo("Europe/Berlin"), dark=dark)
    shown = texts(tmp_path / "chart.svg")
    assert sum(text.endswith((" min", " s")) for text in shown) == people
    for name in NAMES[:people] if people < 8 else NAMES[:9]:
        assert name in shown
    if people:
        assert "10:10" in shown  # in Berlin
        assert any(text.startswith("2026-03-01 Europe/Berlin") for text in shown)
    report.write_chart(tmp_path / "chart.png", dark=dark)  # warnings are errors: no character is missing
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")
    assert len(list(tmp_path.iterdir())) == 2


def test_names_are_shortened_and_have_no_control_characters(tmp_path: Path) -> None:
    lesson(len(NAMES)).write_chart(tmp_path / "chart.svg")
    shown = texts(tmp_path / "chart.svg")
    assert "two lines \ufffd[31m\ufffd" in shown
    (shortened,) = (text for text in shown if text.startswith("WW"))
    assert shortened.endswith("W…")
    assert len(shortened) < 30


@pytest.mark.parametrize("by", ["day", "month", "room"])
@pytest.mark.parametrize("days", [0, 1, 365])
def test_usage_has_its_totals_and_labels(by: str, days: int, tmp_path: Path) -> None:
    report = usage(by, days=days)  # type: ignore[arg-type]  # one of the three
    report.write_chart(tmp_path / "chart.svg")
    report.write_chart(tmp_path / "chart.png", dark=True)
    (title,) = (text for text in texts(tmp_path / "chart.svg") if "participant minute" in text)
    assert f"{report.total.billed_minutes:,}" in title
    assert "cost" in title
    if by == "room":
        assert {row.key for row in report.rows} <= set(texts(tmp_path / "chart.svg"))
    elif days:
        assert ("Sep" if days > 1 else "Mar") in texts(tmp_path / "chart.svg")


def test_large_charts_leave_out_rows(tmp_path: Path) -> None:
    people = [
        RoomParticipant(id=f"{number:03}", joined_at=START, left_at=START + timedelta(minutes=1))
        for number in range(250)
    ]
    report = attendance_of([RoomSession(id="s", participants=tuple(people))], as_of=START)
    report.write_chart(tmp_path / "chart.svg")
    shown = texts(tmp_path / "chart.svg")
    assert any("50 not shown" in text for text in shown)
    assert {"199", "1 min"} <= set(shown)
    assert "200" not in shown


def test_stay_of_no_length_is_visible(tmp_path: Path) -> None:
    alice = RoomParticipant(id="Alice", joined_at=START, left_at=START)
    report = attendance_of([RoomSession(id="s", participants=(alice,))], as_of=START)
    report.write_chart(tmp_path / "chart.svg")
    assert "0 s" in texts(tmp_path / "chart.svg")


@pytest.mark.parametrize(
    ("hours", "labels"),
    [
        (0.075, ["09:00", "09:01", "09:02", "09:03", "09:04"]),
        (3.9, ["09:00", "10:00", "11:00", "12:00"]),
        (108, ["02", "03", "04", "05"]),
        (36_000, ["2027", "2028", "2029", "2030"]),
    ],
)
def test_time_axis_has_labels_without_a_warning(hours: float, labels: list[str], tmp_path: Path) -> None:
    alice = RoomParticipant(id="Alice", joined_at=START, left_at=START + timedelta(hours=hours))
    report = attendance_of([RoomSession(id="s", participants=(alice,))], as_of=START)
    report.write_chart(tmp_path / "chart.svg")  # warnings are errors
    assert texts(tmp_path / "chart.svg")[2:-4] == labels


def test_charts_use_no_global_state(tmp_path: Path) -> None:
    with mpl.rc_context({"font.size": 33, "axes.facecolor": "red", "text.usetex": True}):
        settings = dict(mpl.rcParams)
        threads = [
            threading.Thread(target=lesson(3).write_chart, args=(tmp_path / f"{number}.svg",))
            for number in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert dict(mpl.rcParams) == settings
    lesson(3).write_chart(tmp_path / "chart.svg")
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_wrong_names_and_folders_are_refused(tmp_path: Path) -> None:
    for name in ("chart", "chart.pdf", "chart.svg.gz"):
        with pytest.raises(InvalidArgumentError, match=r"\.svg or \.png"):
            lesson(1).write_chart(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        usage("day", days=1).write_chart(tmp_path / "folder" / "chart.svg")
    assert list(tmp_path.iterdir()) == []


if __name__ == "__main__":
    for example, write in CHARTS.items():
        write(EXAMPLES / example)
