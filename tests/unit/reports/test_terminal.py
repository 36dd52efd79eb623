"""Charts in a terminal."""

import io
from datetime import timedelta

import pytest
from rich.cells import cell_len
from rich.console import Console

from telnyx_rooms_async import RoomParticipant, RoomSession
from telnyx_rooms_async.reports import Attendance, Usage, attendance_of
from tests.helpers.report_samples import START, lesson, usage


def lines(report: object, width: int = 80, encoding: str = "utf-8") -> list[str]:
    """Return the lines that rich prints."""
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding=encoding)
    Console(file=stream, width=width, legacy_windows=False).print(report)
    stream.flush()
    return buffer.getvalue().decode(encoding).splitlines()


def test_attendance_is_a_timeline() -> None:
    def stay(name: str, joined: float, left: float) -> RoomParticipant:
        joined_at, left_at = START + timedelta(minutes=joined), START + timedelta(minutes=left)
        return RoomParticipant(id=f"{name}{joined}", context=name, joined_at=joined_at, left_at=left_at)

    stays = (stay("Al", 0, 56), stay("Bo", 7, 14), stay("Bo", 31, 50), stay("Cy", 14, 14), stay("Di", 28, 28))
    report = attendance_of([RoomSession(id="s", participants=stays)], as_of=START)
    assert [line.rstrip() for line in lines(report, width=30)[-6:]] == [
        "Al  ██████████████  56 min",
        "Bo   ▒█▓   ▒████▓   26 min",
        "Cy     ▒            0 s",
        "Di         ▒        0 s",
        "    ▄███▄▄▄██████▄  at most 2",
        "    09:00    09:56",
    ]
    assert lines(report, width=20)[-1].rstrip() == "    09:00"


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("people", [1, 12, 50])
def test_lines_fit_the_terminal(people: int, width: int) -> None:
    title, *rows, curve, axis = lines(lesson(people), width)
    assert len(rows) >= people
    assert {cell_len(line) for line in rows[-people:]} <= set(range(width + 1))
    assert max(map(cell_len, (title, curve, axis))) <= min(width, 120)
    assert all(character.isprintable() or character in "\u200c\u200d" for row in rows for character in row)


def test_empty_reports_have_a_title() -> None:
    assert lines(lesson(0)) == ["0 people · at most 0 at the same time · 0 s in all"]
    assert lines(usage("day", days=0)) == ["0 participant minutes · 0 sessions · 0 people · cost 0.000"]


@pytest.mark.parametrize("report", [usage("room", days=31), usage("month", days=90)])
def test_usage_is_a_bar_chart(report: Usage) -> None:
    printed = lines(report, 100)[-len(report.rows) :]
    highest = max(report.rows, key=lambda row: row.billed_minutes)
    for line, row in zip(printed, report.rows, strict=True):
        assert f"{row.billed_minutes:,} min" in line
        assert line.startswith(row.key[:30])
        assert line.count("█") <= printed[report.rows.index(highest)].count("█")


@pytest.mark.parametrize("report", [usage("day", days=9), lesson(12)])
def test_ascii_terminals_get_ascii(report: Usage | Attendance) -> None:
    title, *rows = lines(report, encoding="ascii")
    assert title.isascii()
    assert " - " in title
    assert all(line.isascii() for line in rows)
    assert any("####" in line for line in rows)


def test_terminals_get_the_letters_of_their_encoding() -> None:
    printed = "\n".join(lines(lesson(12), encoding="latin-1"))
    assert "Zoë Bär" in printed
    assert "???" in printed
