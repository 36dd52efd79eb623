"""Tables of rooms: what is read, what is refused and where, and that what is written is read again."""

import csv
import errno
import io
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_rooms_async import ConfigurationError, Room
from telnyx_rooms_async.cli.tables import COLUMNS, Format, Source
from telnyx_rooms_async.cli.tables.formats import (
    csv_header,
    csv_row,
    ndjson_row,
    parquet_types,
    read_csv,
)
from telnyx_rooms_async.cli.tables.input_table import InputTable, read_table
from telnyx_rooms_async.core.validators import is_blank

HEADER = b"unique_name,max_participants\n"


def read(
    text: bytes, kind: str = "csv", *, names_required: bool = False, delimiter: str | None = None
) -> InputTable:
    table = InputTable(source=Source("rooms"), format=Format(kind), names_required=names_required)
    table.read(io.BytesIO(text), delimiter)
    return table


def fields(text: bytes, kind: str = "csv", **options: Any) -> list[Any]:
    """Read a table in which every row is valid."""
    table = read(text, kind, **options)
    assert table.problems == []
    return table.rooms


def lines(text: bytes) -> list[int]:
    """Return the lines of the rows of a CSV file."""
    return [row.line for row in read_csv(io.BytesIO(text), Source("rooms"))]


def problems(text: bytes, kind: str = "csv", **options: Any) -> str:
    """Return the problems of a table."""
    return "; ".join(read(text, kind, **options).problems)


# --- CSV ----------------------------------------------------------------------------------------------------


def test_csv_cells_are_text_integers_and_booleans() -> None:
    text = (
        b"enable_recording,webhook_timeout_secs,unique_name,max_participants,webhook_event_url\n"
        b'TRUE, 30 ,"a, ""b""\nc",25,https://example.com/x\n'
        b"false,0, d ,2.0,http://example.com\n"
    )
    assert lines(text) == [2, 4]
    assert fields(text) == [
        {
            "unique_name": 'a, "b"\nc',
            "max_participants": 25,
            "enable_recording": True,
            "webhook_event_url": "https://example.com/x",
            "webhook_timeout_secs": 30,
        },
        {
            "unique_name": " d ",
            "max_participants": 2,
            "enable_recording": False,
            "webhook_event_url": "http://example.com",
            "webhook_timeout_secs": 0,
        },
    ]


def test_csv_null_and_empty_text_only_clear_nullable_settings() -> None:
    text = b'unique_name,webhook_event_failover_url,webhook_timeout_secs\nnull,null,null\n,"",5\na,"""""",\n'
    assert fields(text) == [
        {"unique_name": "null", "webhook_event_failover_url": None, "webhook_timeout_secs": None},
        {"webhook_timeout_secs": 5},
        {"unique_name": "a", "webhook_event_failover_url": ""},
    ]


def test_csv_byte_order_mark_and_blank_lines_are_skipped() -> None:
    text = b"\xef\xbb\xbfunique_name,max_participants\r\n\r\na,5\r\n\nb,6"
    assert lines(text) == [3, 5]
    assert [room["unique_name"] for room in fields(text)] == ["a", "b"]


def test_columns_that_telnyx_sets_are_ignored() -> None:
    columns = b",".join(name.encode() for name in (*COLUMNS, "record_type", "sessions", "error"))
    row = b"x" + b"," * columns.count(b",")
    assert fields(columns + b"\n" + row) == [{}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", "rooms is empty: its first line must name the columns"),
        (b"\n\n", "rooms is empty: its first line must name the columns"),
        (b",,\n,,\n", "rooms is empty: its first line must name the columns"),
        (b"id,max_participants\n", "rooms, line 1: column unique_name is missing"),
        (
            b"unique_name,colour\n",
            "rooms, line 1, column 'colour': is not a room setting; the settings are unique_name, max_p",
        ),
        (b"unique_name,unique_name\n", "rooms, line 1, column 'unique_name': appears twice"),
        (b"unique_name|id\n", "rooms, line 1: the delimiter is not a comma, a semicolon or a tab in 'uni"),
        (b"unique_name\xff\nA\n", "rooms, line 1: is not UTF-8: byte 12 of the line is 0xff"),
        (HEADER + b"a\n", "rooms, line 2: has 1 cell, but the header has 2"),
        (HEADER + b"a,5,\n", "rooms, line 2: has 3 cells, but the header has 2"),
        (HEADER + b'a,5\n"b,6\n', "rooms, line 3: a quote is opened here but never closed"),
        (HEADER + b'"b,6\n' + b"c,7\n" * 50_000, "rooms, line 2: a quote is opened here but never closed"),
        (HEADER + b'"a"b,5\n', "rooms, line 2: is not CSV: "),
        (HEADER + b"a,5\nb\xff,6\n", "rooms, line 3: is not UTF-8: byte 2 of the line is 0xff"),
        (HEADER + b"a" * 1_000_001, "rooms, line 2: is longer than 1000000 characters"),
        (HEADER + b"a" * 131_073, "rooms, line 2: a cell is longer than 131072 characters"),
        (
            HEADER + b'a,1\nb\xff,6\n"c,6\n',
            (
                "rooms, line 2, column max_participants: must be an int from 2 to 50, not 1; "
                "rooms, line 3: is not UTF-8: byte 2 of the line is 0xff; "
                "rooms, line 4: a quote is opened here but never closed"
            ),
        ),
        (
            HEADER + b"".join(b"a%d,5\n" % number for number in range(810)) + b"b,x\n",
            "rooms, line 812, column max_participants: must be an int from 2 to 50, not 'x'",
        ),
        (
            b"unique_name,max_participants,enable_recording\na,1,maybe\nb,5e1,true\na,5,\na,6,",
            (
                "rooms, line 2, column max_participants: must be an int from 2 to 50, not 1; "
                "rooms, line 2, column enable_recording: must be True or False, not 'maybe'; "
                "rooms, line 3, column max_participants: must be an int from 2 to 50, not '5e1'; "
                "rooms, line 5, column unique_name: 'a' is already in line 4; names must be unique"
            ),
        ),
        (
            b"unique_name,webhook_event_url\na,null\n",
            "rooms, line 2, column webhook_event_url: must be a",
        ),
        (b"unique_name,max_participants,,\nA,25,,x\n", "rooms, line 2, column 4: 'x' has no column name"),
        (b"unique_name,max_participants\n ,5\n", "rooms, line 2, column unique_name: must not be blank"),
        (b"unique_name,error\n,422 taken\n", "rooms, line 2, column unique_name: is missing: the row has no"),
        (b"\x1f\x8b\x08\x00", "rooms is compressed with gzip: decompress it first"),
        (
            b"PK\x03\x04\x14\x00",
            "rooms is an Excel workbook or a zip archive, not text: save the sheet as CSV",
        ),
        (b"\xd0\xcf\x11\xe0", "rooms is an Excel workbook, not text: save the sheet as CSV UTF-8"),
        (b"PAR1\x15", "rooms is a Parquet file: use --format parquet"),
        ("unique_name".encode("utf-32"), "rooms is UTF-32: save it as UTF-8"),
        (b"\xff\xfea\x00b", "rooms begins like UTF-16 but is not UTF-16: save it as UTF-8"),
    ],
)
def test_csv_problems_have_their_position(text: bytes, expected: str) -> None:
    assert problems(text).startswith(expected)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"unique_name;max_participants\na,b;5\n", 2),
        (b'"unique_name";"max_participants"\r\n"a,b";"5"\r\n', 2),
        (b"sep=;\r\nunique_name;max_participants\r\na,b;5\r\n", 3),
        (b'\xef\xbb\xbf"sep=\t"\nunique_name\tmax_participants\na,b\t5\n', 3),
        (b"sep=|\nunique_name|max_participants\na,b|5", 3),
        (b'#TYPE System.Object\r\n"unique_name","max_participants"\r\n"a,b","5"\r\n', 3),
        (b'unique_name,max_participants\r"a,b",5\r', 2),
        (b'unique_name,max_participants\r\r\n"a,b",5\r\r\n', 3),
        (b'unique_name,max_participants\r"a,b",5\n', 2),
        (b'\n,,\nunique_name,max_participants\n"a,b",5\n', 4),
        ("sep=;\r\nunique_name;max_participants\r\na,b;5\r\n".encode("utf-16"), 3),
        ("unique_name\tmax_participants\r\na,b\t5\r\n".encode("utf-16-le"), 2),
        ("\ufeffunique_name\tmax_participants\ra,b\t5\r".encode("utf-16-be"), 2),
        ("unique_name;max_participants\na,b;5".encode("utf-16-be"), 2),
    ],
)
def test_csv_of_spreadsheets_and_powershell_is_read(text: bytes, line: int) -> None:
    assert fields(text) == [{"unique_name": "a,b", "max_participants": 5}]
    assert lines(text) == [line]


@given(st.lists(st.sampled_from(["a", "\U0001f389", "\u0a0a", "\r", "\n", "\r\n", "\u2028"])))
def test_line_ends_within_a_cell_are_kept(parts: list[str]) -> None:
    cell = "x" + "".join(parts)
    for encoding in ("utf-8", "utf-16"):
        assert fields(f'unique_name,id\r"{cell}",1\ry,2'.encode(encoding)) == [
            {"unique_name": cell},
            {"unique_name": "y"},
        ]


def test_explicit_delimiter_is_used() -> None:
    assert fields(b"unique_name|id\na;b|c\n", delimiter="|") == [{"unique_name": "a;b"}]
    assert problems(b"unique_name,id\na,b\n", delimiter=";").startswith("rooms, line 1: the delimiter is not")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (b"unique_name,max_participants,enable_recording\nA,25,true\n,,\n,,\n ,\t,\xc2\xa0\n,,,,,\n", ["A"]),
        (b'unique_name\nA\n \n\t\n\xe2\x80\x8b\n""\nB\n', ["A", "B"]),
        (b"unique_name,max_participants,,,\nA,25,,,\nB,25\nC,, ,\n,,,,\n", ["A", "B", "C"]),
        (b"unique_name,,max_participants,\nA,,25,\n", ["A"]),
    ],
)
def test_blank_rows_and_padding_columns_are_skipped(text: bytes, names: list[str]) -> None:
    assert [room["unique_name"] for room in fields(text)] == names


def test_invalid_rows_keep_their_values_and_the_first_20_are_described() -> None:
    text = HEADER + b"".join(b"a%d,%d\n" % (n, 1 + n % 2) for n in range(60)) + b"a1,3\n\xff,3\nx,3,\n"
    *described, rest = problems(text).split("; ")[:21]
    assert [problem.split(":")[0] for problem in described] == [
        f"rooms, line {line}, column max_participants" for line in range(2, 42, 2)
    ]
    assert rest == "13 more lines are invalid"
    failures = [row.failure for row in read(text).invalid]
    problem = "rooms, line 2, column max_participants: must be an int from 2 to 50, not 1"
    assert failures[0] == {"unique_name": "a0", "max_participants": 1, "error": problem}
    assert failures[-2:] == [
        {"error": "rooms, line 63: is not UTF-8: byte 1 of the line is 0xff"},
        {"error": "rooms, line 64: has 3 cells, but the header has 2: 'x,3,'"},
    ]


# --- NDJSON -------------------------------------------------------------------------------------------------


def test_ndjson_distinguishes_text_null_and_missing_keys() -> None:
    text = (
        b'\xef\xbb\xbf{"unique_name":"=a","max_participants":25.0,"id":"x"}\n\n'
        b'{"unique_name":null,"webhook_event_url":"","webhook_timeout_secs":null,"webhook_event_failover_url":""}'
    )
    assert fields(text, "ndjson") == [
        {"unique_name": "=a", "max_participants": 25},
        {"webhook_timeout_secs": None, "webhook_event_failover_url": ""},
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'{"unique_name":"a"}\n{"unique_name', "rooms, line 2: is not JSON: "),
        (b"[" * 100_000, "rooms, line 1: is not JSON: nested too deep"),
        (b"[{}]", "rooms, line 1: must be a JSON object, one room per line, got [{}]"),
        (b'{"colour":1}', "rooms, line 1, column 'colour': is not a room setting"),
        (b'{"unique_name":3}', "rooms, line 1, column unique_name: must be a non-empty Unicode string"),
        (b'{"enable_recording":1}', "rooms, line 1, column enable_recording: must be True or False, not 1"),
        (b'{"max_participants":"5"}', "rooms, line 1, column max_participants: must be an int from 2 to 50"),
        (b'{"max_participants":true}', "rooms, line 1, column max_participants: must be an int from 2 to 50"),
        (b'{"max_participants":""}', "rooms, line 1, column max_participants: must be an int from 2 to 50"),
        (b'{}\n{"a":"\xff"}', "rooms, line 2: is not UTF-8: byte 7 of the line is 0xff"),
        (b'{"id":"x","unique_name":" "}', "rooms, line 1, column unique_name: must not be blank"),
        (b'{"unique_name":"a","":3}', "rooms, line 1: 3 has no column name"),
    ],
)
def test_ndjson_problems_have_their_position(text: bytes, expected: str) -> None:
    assert problems(text, "ndjson").startswith(expected)


@pytest.mark.parametrize(
    "text",
    [
        b'{"unique_name":"a"}\n{"unique_name":null,"max_participants":null}\n{"unique_name":" "}\n\t\n',
        '{"unique_name":"a"}\r\n\r\n'.encode("utf-16"),
        b'{"unique_name":"a"}\r',
    ],
)
def test_ndjson_of_other_programs_is_read(text: bytes) -> None:
    assert fields(text, "ndjson") == [{"unique_name": "a"}]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (b"unique_name,webhook_timeout_secs\na,\n,null\n", "csv"),
        (b'{"unique_name":"a"}\n{}\n{"webhook_timeout_secs":null}', "ndjson"),
    ],
)
def test_row_without_a_value_is_skipped(text: bytes, kind: str) -> None:
    assert fields(text, kind) == [{"unique_name": "a"}]


@pytest.mark.parametrize(
    ("text", "kind", "line"),
    [(b"unique_name,id\na,\n,x\n", "csv", 3), (b'{"unique_name":"a"}\n{"max_participants":2}', "ndjson", 2)],
)
def test_names_can_be_required(text: bytes, kind: str, line: int) -> None:
    assert len(fields(text, kind)) == 2
    expected = f"rooms, line {line}, column unique_name: is missing: every room needs a name here"
    assert problems(text, kind, names_required=True) == expected


# --- files that cannot be read ------------------------------------------------------------------------------


def test_closed_stdin_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(ConfigurationError, match="cannot read stdin: it is closed"):
        read_table("-", Format.CSV, names_required=False)


def test_read_error_of_a_parquet_file_is_named() -> None:
    class BrokenFile(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(ConfigurationError, match="cannot read rooms: Input/output error"):
        parquet_types(BrokenFile(b"PAR1" * 10), Source("rooms"))


# --- writing ------------------------------------------------------------------------------------------------

FORMULAS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
NAMES = (
    st.text(min_size=1) | st.text(f"'\";,{FORMULAS}", min_size=1, max_size=3) | st.text(f"a;\t{FORMULAS}")
).filter(lambda name: not is_blank(name))
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "unique_name": NAMES,
        "max_participants": st.integers(2, 50),
        "enable_recording": st.booleans(),
        "webhook_event_url": st.just("https://example.com/ä"),
        "webhook_event_failover_url": st.sampled_from([None, "", "https://example.com"]),
        "webhook_timeout_secs": st.none() | st.integers(0, 30),
    },
)


@given(
    st.lists(SETTINGS, min_size=1, unique_by=lambda room: room.get("unique_name", id(room))),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le"]),
)
def test_what_is_written_is_read_again(rooms: list[dict[str, Any]], encoding: str) -> None:
    written = [{"id": "a", **room} for room in rooms]
    table = csv_header(COLUMNS) + b"".join(csv_row(room, COLUMNS) for room in written)
    assert fields(table.decode().encode(encoding)) == rooms
    objects = b"".join(ndjson_row(room, COLUMNS) for room in written)
    assert fields(objects.decode().encode(encoding), "ndjson") == rooms


@given(st.sampled_from(FORMULAS), st.text())
def test_no_csv_cell_is_a_formula(first: str, rest: str) -> None:
    for text in (first + rest, f"'{first}{rest}", f"''{rest}"):
        row = csv_row({"unique_name": text, "error": text}, ["unique_name", "error"])
        (cells,) = csv.reader(io.StringIO(row.decode(), newline=""))
        assert cells == [f"'{text}"] * 2


def test_empty_text_is_only_written_where_it_clears_a_setting() -> None:
    record = {
        "unique_name": "",
        "webhook_event_url": "",
        "webhook_event_failover_url": "",
        "enable_recording": False,
    }
    columns = [*record, "webhook_timeout_secs"]
    assert csv_row(record, columns) == b',,"""""",false,\n'
    assert fields(csv_header(columns) + csv_row(record, columns)) == [
        {"webhook_event_failover_url": "", "enable_recording": False}
    ]


def test_room_is_written_as_in_json() -> None:
    room = Room(
        id="a", enable_recording=True, max_participants=5, created_at=datetime(2021, 4, 25, tzinfo=UTC)
    )
    columns = ["id", "enable_recording", "max_participants", "created_at", "webhook_timeout_secs"]
    record = {name: getattr(room, name) for name in columns}
    assert csv_row(record, columns) == b"a,true,5,2021-04-25T00:00:00Z,null\n"
    assert ndjson_row(record, columns) == (
        b'{"id":"a","enable_recording":true,"max_participants":5,"created_at":"2021-04-25T00:00:00Z",'
        b'"webhook_timeout_secs":null}\n'
    )
