"""Rooms as tables: what is read, what is refused and where, and that what is written is read again."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from telnyx_rooms_async import InvalidArgumentError, Room
from telnyx_rooms_async.cli import tables
from telnyx_rooms_async.cli.tables import Row, WrongRow
from tests.helpers.unusual_values import UNUSUAL_STRINGS

READERS = {"csv": tables.read_csv, "ndjson": tables.read_ndjson}
HEADER = b"unique_name,max_participants\n"


def lines(text: bytes) -> list[bytes]:
    """Cut a file as a file object does."""
    return list(io.BytesIO(text))


def read(text: bytes, kind: str = "csv", **options: Any) -> list[Row]:
    """Read a whole table."""
    return list(READERS[kind](lines(text), "rooms", **options))


def fields(text: bytes, kind: str = "csv") -> list[Any]:
    """Read a whole table, and return what is in it."""
    return [row.fields for row in read(text, kind)]


def refused(text: bytes, kind: str = "csv", **options: Any) -> str:
    """Check a whole table that is wrong, and return what is said."""
    with pytest.raises(InvalidArgumentError) as caught:
        tables.check(
            lambda on_wrong: READERS[kind](lines(text), "rooms", on_wrong=on_wrong, **options), "rooms"
        )
    return "; ".join(caught.value.problems)


# --- CSV --------------------------------------------------------------------------------------------------


def test_cells_of_each_kind() -> None:
    """Text, whole numbers and truth are read from cells, in any order of the columns."""
    text = (
        b"enable_recording,webhook_timeout_secs,unique_name,max_participants,webhook_event_url\n"
        b'TRUE, 30 ,"a, ""b""\nc",25,https://example.com/x\n'
        b"false,0, d ,2.0,http://example.com\n"
    )
    assert read(text) == [
        Row(
            line=2,
            fields={
                "unique_name": 'a, "b"\nc',
                "max_participants": 25,
                "enable_recording": True,
                "webhook_event_url": "https://example.com/x",
                "webhook_timeout_secs": 30,
            },
        ),
        Row(
            line=4,
            fields={
                "unique_name": " d ",
                "max_participants": 2,
                "enable_recording": False,
                "webhook_event_url": "http://example.com",
                "webhook_timeout_secs": 0,
            },
        ),
    ]


def test_an_empty_cell_null_and_the_empty_text() -> None:
    """An empty cell says nothing; null clears what can be cleared, and is a name elsewhere."""
    text = b'unique_name,webhook_event_failover_url,webhook_timeout_secs\nnull,null,null\n,"",5\na,"""""",\n'
    assert fields(text) == [
        {"unique_name": "null", "webhook_event_failover_url": None, "webhook_timeout_secs": None},
        {"webhook_timeout_secs": 5},
        {"unique_name": "a", "webhook_event_failover_url": ""},
    ]


def test_a_mark_line_ends_and_blank_lines() -> None:
    """A byte-order mark, line ends of either kind and blank lines are no part of the table."""
    text = b"\xef\xbb\xbfunique_name,max_participants\r\n\r\na,5\r\n\nb,6"
    assert [(row.line, row.fields["unique_name"]) for row in read(text)] == [(3, "a"), (5, "b")]


def test_columns_that_telnyx_sets_are_passed_over() -> None:
    """An export and a list of failures are tables: ids, instants and reasons are passed over."""
    columns = b",".join(name.encode() for name in (*tables.COLUMNS, "record_type", "sessions", "error"))
    row = b"x" + b"," * columns.count(b",")
    assert fields(columns + b"\n" + row) == [{}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "rooms is empty: its first line must name the columns"),
        (b"\n\n", "rooms is empty: its first line must name the columns"),
        (b"\xef\xbb\xbf", "rooms is empty: its first line must name the columns"),
        (HEADER, "rooms is empty: there is no room in it"),
        (b"id,max_participants\n", "rooms, line 1: there is no column unique_name"),
        (
            b"unique_name,colour\n",
            "rooms, line 1, column 'colour': is no setting of a room; those are unique_name, max_p",
        ),
        (b"unique_name,unique_name\n", "rooms, line 1, column 'unique_name': stands there twice"),
        (
            b"unique_name|id\n",
            (
                "rooms, line 1: columns are separated by commas, semicolons or tabs, or by the delimiter "
                "that is given, not as in 'unique_name|id'"
            ),
        ),
        (HEADER + b"a\n", "rooms, line 2: has 1 cell, and the header 2"),
        (HEADER + b"a,5,\n", "rooms, line 2: has 3 cells, and the header 2"),
        (HEADER + b'a,5\n"b,6\n', "rooms, line 3: a quote is opened here and not closed"),
        (HEADER + b'a,5\n"b,6\n' + b"c,7\n" * 50_000, "rooms, line 3: a quote is opened here and not closed"),
        (HEADER + b'"a"b,5\n', "rooms, line 2: is not CSV: "),
        (HEADER + b"a,5\nb\xff,6\n", "rooms, line 3: is not UTF-8: byte 2 of the line is 0xff"),
        (HEADER + b"a" * 1_000_001, "rooms, line 2: is longer than 1000000 bytes"),
        (HEADER + b"a" * 131_073, "rooms, line 2: a cell is longer than 131072 characters"),
        (
            HEADER + b"a,1\nb\xff,6\n",
            (
                "rooms, line 2, column max_participants: must be an int from 2 to 50, not 1; "
                "rooms, line 3: is not UTF-8: byte 2 of the line is 0xff"
            ),
        ),
        (
            HEADER + b'a,1\nb,1\n"c,6\n',
            (
                "rooms, line 2, column max_participants: must be an int from 2 to 50, not 1; "
                "rooms, line 3, column max_participants: must be an int from 2 to 50, not 1; "
                "rooms, line 4: a quote is opened here and not closed"
            ),
        ),
        (
            HEADER + b"".join(b"a%d,5\n" % number for number in range(810)) + b"b,x\n",
            "rooms, line 812, column max_participants: must be an int from 2 to 50, not 'x'",
        ),
        (
            HEADER + b"a,1\nb,51\nc,\nd,5e1\n",
            (
                "rooms, line 2, column max_participants: must be an int from 2 to 50, not 1; "
                "rooms, line 3, column max_participants: must be an int from 2 to 50, not 51; "
                "rooms, line 5, column max_participants: must be an int from 2 to 50, not '5e1'"
            ),
        ),
        (
            b"unique_name,max_participants,enable_recording\na,1,maybe\nb,5,x\na,5,\na,6,",
            (
                "rooms, line 2, column max_participants: must be an int from 2 to 50, not 1; "
                "rooms, line 2, column enable_recording: must be True or False, not 'maybe'; "
                "rooms, line 3, column enable_recording: must be True or False, not 'x'; "
                "rooms, line 5, column unique_name: 'a' stands in line 4 too, and names are unique"
            ),
        ),
        (
            b"unique_name,webhook_event_url\na,null\n",
            "rooms, line 2, column webhook_event_url: must be a URL with its scheme, http:// or https",
        ),
        (
            HEADER + b"a,5\nb,5\n\nA,5\nb,6\n",
            "rooms, line 6, column unique_name: 'b' stands in line 3 too, and names are unique",
        ),
    ],
)
def test_csv_that_is_refused(text: bytes, said: str) -> None:
    """Whatever is wrong is told in a sentence, with its line and column."""
    assert refused(text).startswith(said)


class Alike(str):
    """A name whose digest is that of all others."""

    __slots__ = ()

    def __hash__(self) -> int:
        return 7


def test_names_of_one_digest_are_no_doubles() -> None:
    """Names are compared themselves before they are refused: two digests may be the same by chance."""
    names = ["a", "b", "c"]
    rows = [Row(line=line, fields={"unique_name": Alike(name)}) for line, name in enumerate(names, 2)]
    assert tables.check(lambda _: iter(rows), "rooms").rooms == 3
    rows.append(Row(line=5, fields={"unique_name": Alike("b")}))
    with pytest.raises(InvalidArgumentError, match="line 5, column unique_name: 'b' stands in line 3 too"):
        tables.check(lambda _: iter(rows), "rooms")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"unique_name;max_participants\na,b;5\n", 2),
        (b"unique_name\tmax_participants\na,b\t5\n", 2),
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
def test_csv_as_programs_save_it(text: bytes, line: int) -> None:
    """Delimiters, line ends, encodings and first lines of spreadsheets and of PowerShell are understood."""
    assert read(text) == [Row(line=line, fields={"unique_name": "a,b", "max_participants": 5})]


@given(st.lists(st.sampled_from(["a", "\U0001f389", "\u0a0a", "\r", "\n", "\r\n", "\u2028"])), st.data())
def test_lines_end_alike_wherever_the_file_is_cut(parts: list[str], data: st.DataObject) -> None:
    """However the bytes arrive in pieces, the names are the same."""
    cell = "x" + "".join(parts)
    encoding = data.draw(st.sampled_from(["utf-8", "utf-16"]))
    text = f'unique_name,id\r"{cell}",1\ry,2'.encode(encoding)
    cut = data.draw(st.integers(3, len(text)))
    found = [row.fields for row in tables.read_csv([text[:cut], text[cut:]], "rooms")]
    assert found == [{"unique_name": cell}, {"unique_name": "y"}]


def test_delimiter_that_is_given() -> None:
    """A delimiter that is given wins over what the table seems to have."""
    assert [row.fields for row in read(b"unique_name|id\na;b|c\n", delimiter="|")] == [{"unique_name": "a;b"}]
    assert refused(b"unique_name,id\na,b\n", delimiter=";").startswith("rooms, line 1: columns are separated")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (b"unique_name,max_participants,enable_recording\nA,25,true\n,,\n,,\n ,\t,\xc2\xa0\n,,,,,\n", ["A"]),
        (b'unique_name\nA\n \n\t\n\xe2\x80\x8b\n""\nB\n', ["A", "B"]),
        (b"unique_name,max_participants,,,\nA,25,,,\nB,25\nC,, ,\n,,,,\n", ["A", "B", "C"]),
        (b"unique_name,,max_participants,\nA,,25,\n", ["A"]),
        (b"unique_name;max_participants;;\nA;25;;\n;;;\n", ["A"]),
    ],
)
def test_what_is_blank_makes_no_room(text: bytes, names: list[str]) -> None:
    """Rows of blanks make no room, and empty columns pad a table."""
    assert [row.fields["unique_name"] for row in read(text)] == names


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            b"unique_name,max_participants,,\nA,25,,x\n",
            "rooms, line 2, column 4: 'x' stands under an empty header",
        ),
        (b"unique_name,,id\nA,5,\n", "rooms, line 2, column 2: '5' stands under an empty header"),
        (
            b"unique_name,max_participants\n ,5\n",
            "rooms, line 2, column unique_name: must not be only blanks",
        ),
        (b",,\n,,\n", "rooms is empty: its first line must name the columns"),
        (HEADER + b",\n ,\n", "rooms is empty: there is no room in it"),
        (
            b"unique_name,error\n,422 taken\n",
            "rooms, line 2, column unique_name: is missing: there is only the",
        ),
        (b"\x1f\x8b\x08\x00", "rooms is packed by gzip: unpack it first, as gunzip does"),
        (
            b"PK\x03\x04\x14\x00",
            "rooms is an Excel workbook or a zip archive, not text: save the sheet as CSV",
        ),
        (b"\xd0\xcf\x11\xe0", "rooms is an Excel workbook, not text: save the sheet as CSV UTF-8"),
        (b"PAR1\x15", "rooms is Parquet: name the format"),
        ("unique_name".encode("utf-32"), "rooms is UTF-32: save it as UTF-8"),
        (b"\xff\xfea\x00b", "rooms begins as UTF-16, and is not: save it as UTF-8"),
    ],
)
def test_csv_that_cannot_be_meant(text: bytes, said: str) -> None:
    """A value without a header, a name of blanks and another format are told, and how to save it."""
    assert refused(text).startswith(said)


def test_faulty_rows_are_named() -> None:
    """The first 20 are named and the others counted; those that can be read can be skipped."""
    text = HEADER + b"".join(b"a%d,%d\n" % (n, 1 + n % 2) for n in range(60)) + b"a1,3\n\xff,3\nx,3,\n"

    def rows(on_wrong: Any) -> Iterator[Row]:
        return tables.read_csv(lines(text), "rooms", on_wrong=on_wrong)

    with pytest.raises(InvalidArgumentError) as caught:
        tables.check(rows, "rooms")
    *named, rest = caught.value.problems
    assert [problem.split(":")[0] for problem in named] == [
        f"rooms, line {line}, column max_participants" for line in range(2, 42, 2)
    ]
    assert rest == "13 more lines are wrong"
    checked = tables.check(rows, "rooms", skip_invalid=True)
    assert (checked.rooms, checked.is_named, checked.faulty) == (30, True, 33)
    assert list(checked.doubles) == [62]
    assert checked.problems == caught.value.problems
    wrong: list[WrongRow] = []
    list(rows(wrong.append))
    assert wrong[0].record == {"unique_name": "a0", "max_participants": 1}
    assert [(row.line, row.record) for row in wrong[-2:]] == [(63, {}), (64, {})]
    assert wrong[-1].reason == "rooms, line 64: has 3 cells, and the header 2: 'x,3,'"


def test_table_without_a_row_that_is_right() -> None:
    """When all rows would be skipped, that is an error."""
    with pytest.raises(InvalidArgumentError, match="line 2, column max_participants"):
        tables.check(
            lambda on_wrong: tables.read_csv(lines(HEADER + b"a,1\n"), "rooms", on_wrong=on_wrong),
            "rooms",
            skip_invalid=True,
        )


# --- NDJSON and records -------------------------------------------------------------------------------------


def test_objects() -> None:
    """JSON says itself what is text, null and absent; null for what cannot be cleared says nothing."""
    text = (
        b'\xef\xbb\xbf{"unique_name":"=a","max_participants":25.0,"id":"x"}\n\n'
        b'{"unique_name":null,"webhook_event_url":"","webhook_timeout_secs":null,"webhook_event_failover_url":""}'
    )
    assert read(text, "ndjson") == [
        Row(line=1, fields={"unique_name": "=a", "max_participants": 25}),
        Row(line=3, fields={"webhook_timeout_secs": None, "webhook_event_failover_url": ""}),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "rooms is empty: there is no room in it"),
        (b"\n \n", "rooms is empty: there is no room in it"),
        (b'{"unique_name":"a"}\n{"unique_name', "rooms, line 2: is not JSON: "),
        (b"[" * 100_000, "rooms, line 1: is not JSON: nested too deep"),
        (b"[{}]", "rooms, line 1: must be a JSON object, one room a line, not [{}]"),
        (b'{"colour":1}', "rooms, line 1, column 'colour': is no setting of a room"),
        (
            b'{"unique_name":3}',
            "rooms, line 1, column unique_name: must be a non-empty Unicode string, not 3",
        ),
        (b'{"enable_recording":1}', "rooms, line 1, column enable_recording: must be True or False, not 1"),
        (b'{"max_participants":"5"}', "rooms, line 1, column max_participants: must be an int from 2 to 50"),
        (b'{"max_participants":true}', "rooms, line 1, column max_participants: must be an int from 2 to 50"),
        (b'{"max_participants":""}', "rooms, line 1, column max_participants: must be an int from 2 to 50"),
        (b'{}\n{"a":"\xff"}', "rooms, line 2: is not UTF-8: byte 7 of the line is 0xff"),
        (
            b'{"unique_name":"\\t "}\n{"id":"x","unique_name":" "}',
            "rooms, line 2, column unique_name: must not be",
        ),
        (b'{"unique_name":"a","":3}', "rooms, line 1: 3 stands under an empty header"),
    ],
)
def test_ndjson_that_is_refused(text: bytes, said: str) -> None:
    """Whatever is wrong is told in a sentence, with its line and column."""
    assert refused(text, "ndjson").startswith(said)


@pytest.mark.parametrize(
    ("text", "kind"), [(b"unique_name,id\na,\n,x\n", "csv"), (b'{"unique_name":"a"}\n{}', "ndjson")]
)
def test_names_may_be_wanted(text: bytes, kind: str) -> None:
    """Where rooms are known by their names, one without a name is refused."""
    assert len(read(text, kind)) == 2
    said = "rooms, line {}, column unique_name: is missing: here each room needs its name"
    assert refused(text, kind, named=True) == said.format(3 if kind == "csv" else 2)


@pytest.mark.parametrize(
    "text",
    [
        b'{"unique_name":"a"}\n{"unique_name":null,"max_participants":null}\n{"unique_name":" "}\n\t\n',
        '{"unique_name":"a"}\r\n\r\n'.encode("utf-16"),
        b'{"unique_name":"a"}\r',
    ],
)
def test_ndjson_as_programs_save_it(text: bytes) -> None:
    """Objects that say nothing make no room; UTF-16 and other line ends are understood."""
    assert fields(text, "ndjson") == [{"unique_name": "a"}]


def records(*rows: dict[str, object]) -> Iterator[dict[str, object]]:
    """Make records as they come out of Parquet."""
    yield from rows


def test_records() -> None:
    """Plain data is read likewise, in rows."""
    rows = tables.read_records(
        records(
            {"unique_name": "a", "max_participants": None},
            {"max_participants": 5},
            {"unique_name": None, "max_participants": None},
            {"unique_name": " ", "max_participants": None},
        ),
        "rooms",
    )
    assert list(rows) == [
        Row(line=1, fields={"unique_name": "a"}),
        Row(line=2, fields={"max_participants": 5}),
    ]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (({"id": "x"},), "rooms, row 1: there is no column unique_name"),
        (
            ({"unique_name": "a"}, {"unique_name": "b", "max_participants": 99}),
            "rooms, row 2, column max_participants: must be an int from 2 to 50, not 99",
        ),
    ],
)
def test_records_that_are_refused(rows: tuple[dict[str, object], ...], said: str) -> None:
    """Whatever is wrong is told with its row."""
    with pytest.raises(InvalidArgumentError) as caught:
        list(tables.read_records(records(*rows), "rooms"))
    assert str(caught.value) == said


def test_the_rows_of_a_table_that_is_checked() -> None:
    """What is wrong with the whole of a table of rows is told in rows."""

    def read(on_wrong: Any) -> Iterator[Row]:
        return tables.read_records(
            records({"unique_name": "a"}, {"unique_name": "b"}, {"unique_name": "a"}), "rooms", named=True
        )

    with pytest.raises(InvalidArgumentError) as caught:
        tables.check(read, "rooms", "row")
    assert str(caught.value) == (
        "rooms, row 3, column unique_name: 'a' stands in row 1 too, and names are unique"
    )


def test_a_table_that_is_right_is_counted() -> None:
    """A check returns how many rooms there are."""
    text = b"unique_name\na\nA\nb\n"
    told = tables.check(lambda on_wrong: tables.read_csv(lines(text), "rooms", on_wrong=on_wrong), "rooms")
    assert (told.rooms, told.is_named) == (3, True)


def test_records_may_need_their_names() -> None:
    """Where rooms are known by their names, a record without one is refused."""
    rows = records({"unique_name": "a", "id": None}, {"unique_name": None, "id": "x"})
    with pytest.raises(InvalidArgumentError) as caught:
        list(tables.read_records(rows, "rooms", named=True))
    assert str(caught.value) == (
        "rooms, row 2, column unique_name: is missing: here each room needs its name"
    )


# --- there and back -----------------------------------------------------------------------------------------

FORMULAS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
NAMES = (
    st.text(min_size=1) | st.text(f"'\";,{FORMULAS}", min_size=1, max_size=3) | st.text(f"a;\t{FORMULAS}")
).filter(lambda name: not tables.is_blank(name))
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


@given(st.lists(SETTINGS, min_size=1), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le"]))
def test_what_is_written_is_read_again(rooms: list[dict[str, Any]], encoding: str) -> None:
    """Names of any characters, null, the empty text and what is absent survive CSV and NDJSON."""
    columns = tables.COLUMNS
    written = [{"id": "a", **room} for room in rooms]
    table = tables.csv_header(columns) + b"".join(tables.csv_row(room, columns) for room in written)
    assert fields(table.decode().encode(encoding)) == rooms
    objects = b"".join(tables.ndjson_row(room, columns) for room in written)
    assert fields(objects.decode().encode(encoding), "ndjson") == rooms


@given(st.sampled_from(FORMULAS), st.text())
def test_no_cell_is_a_formula(first: str, rest: str) -> None:
    """A spreadsheet takes no text for a formula, nor loses its quote; a reason is text of a server."""
    for text in (first + rest, f"'{first}{rest}", f"''{rest}"):
        row = tables.csv_row({"unique_name": text, "error": text}, ["unique_name", "error"])
        (cells,) = csv.reader(io.StringIO(row.decode(), newline=""))
        assert cells == [f"'{text}"] * 2


def test_what_is_empty_in_a_room() -> None:
    """The empty text is spelled where it clears something; elsewhere the cell says nothing, as does null."""
    record = {
        "unique_name": "",
        "webhook_event_url": "",
        "webhook_event_failover_url": "",
        "enable_recording": False,
    }
    columns = [*record, "webhook_timeout_secs"]
    assert tables.csv_row(record, columns) == b',,"""""",false,\n'
    assert fields(tables.csv_header(columns) + tables.csv_row(record, columns)) == [
        {"webhook_event_failover_url": "", "enable_recording": False}
    ]


def test_a_room() -> None:
    """A room is a row: truth, numbers and instants are spelled as in JSON."""
    room = Room(
        id="a", enable_recording=True, max_participants=5, created_at=datetime(2021, 4, 25, tzinfo=UTC)
    )
    columns = ["id", "enable_recording", "max_participants", "created_at", "webhook_timeout_secs"]
    record = {name: getattr(room, name) for name in columns}
    assert tables.csv_row(record, columns) == b"a,true,5,2021-04-25T00:00:00Z,null\n"
    assert tables.ndjson_row(record, columns) == (
        b'{"id":"a","enable_recording":true,"max_participants":5,"created_at":"2021-04-25T00:00:00Z",'
        b'"webhook_timeout_secs":null}\n'
    )


def test_a_header_that_is_no_utf_8_is_named() -> None:
    """A table of another encoding is refused at its first line."""
    with pytest.raises(InvalidArgumentError, match="line 1: is not UTF-8: byte 12 of the line is 0xff"):
        list(tables.read_csv([b"unique_name\xff\n", b"A\n"], "rooms.csv"))


# --- values of other classes --------------------------------------------------------------------------------


@pytest.mark.parametrize("odd", UNUSUAL_STRINGS)
def test_records_are_read_by_their_exact_text(odd: Callable[[str], str]) -> None:
    """No method of a str subclass takes part, neither of a column nor of a cell."""
    record: dict[str, object] = {odd("unique_name"): odd("Weekly"), "webhook_event_failover_url": odd("")}
    (row,) = tables.read_records([record], "rooms")
    assert row.fields == {"unique_name": "Weekly", "webhook_event_failover_url": ""}
    assert all(type(part) is str for pair in row.fields.items() for part in pair)


@pytest.mark.parametrize("odd", UNUSUAL_STRINGS)
def test_rows_are_written_by_their_exact_text(odd: Callable[[str], str]) -> None:
    """A name that looks like a formula is escaped, whatever its class says of itself."""
    record = {"unique_name": odd("=a"), "webhook_event_url": URL("https://example.com/a"), "error": odd("b")}
    columns = ("unique_name", "webhook_event_url", "error")
    assert tables.csv_row(record, columns) == b"'=a,https://example.com/a,b\n"
    assert json.loads(tables.ndjson_row(record, columns)) == {
        "unique_name": "=a",
        "webhook_event_url": "https://example.com/a",
        "error": "b",
    }
