"""Rooms as tables: what is read, what is refused and where, and that what is written is read again."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_rooms_async import InvalidArgumentError, Room
from telnyx_rooms_async.core import tables
from telnyx_rooms_async.core.tables import Row

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
    return str(caught.value)


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
    text = b'unique_name,webhook_event_failover_url,webhook_timeout_secs\nnull,null,null\n,"",\na,"""""",\n'
    assert fields(text) == [
        {"unique_name": "null", "webhook_event_failover_url": None, "webhook_timeout_secs": None},
        {},
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
        (b"unique_name,\n", "rooms, line 1, column '': is no setting of a room"),
        (b"unique_name,unique_name\n", "rooms, line 1, column 'unique_name': stands there twice"),
        (b"unique_name;id\n", "rooms, line 1: columns are separated by commas, not as in 'unique_name;id'"),
        (HEADER + b"a\n", "rooms, line 2: has 1 cell, and the header 2"),
        (HEADER + b"a,5,\n", "rooms, line 2: has 3 cells, and the header 2"),
        (HEADER + b'a,5\n"b,6\n', "rooms, line 3: a quote is opened here and not closed"),
        (HEADER + b'a,5\n"b,6\n' + b"c,7\n" * 50_000, "rooms, line 3: a quote is opened here and not closed"),
        (HEADER + b'"a"b,5\n', "rooms, line 2: is not CSV: "),
        (HEADER + b"a,5\nb\xff,6\n", "rooms, line 3: is not UTF-8: byte 2 of the line is 0xff"),
        ("unique_name\n".encode("utf-16"), "rooms, line 1: is not UTF-8: byte 1 of the line is 0xff"),
        (HEADER + b"a" * 1_000_001, "rooms, line 2: is longer than 1000000 bytes"),
        (HEADER + b"a" * 131_073, "rooms, line 2: a cell is longer than 131072 characters"),
        (
            HEADER + b"a,1\nb\xff,6\n",
            "rooms, line 2, column max_participants: must be an int from 2 to 50, not 1; 1 more line is",
        ),
        (
            HEADER + b'a,1\nb,1\n"c,6\n',
            "rooms, line 2, column max_participants: must be an int from 2 to 50, not 1; 2 more lines are",
        ),
        (
            HEADER + b"a,5\n" * 810 + b"b,x\n",
            "rooms, line 812, column max_participants: must be an int from 2 to 50, not 'x'",
        ),
        (
            HEADER + b"a,1\nb,51\nc,\nd,5e1\n",
            "rooms, line 2, column max_participants: must be an int from 2 to 50, not 1; 2 more lines are",
        ),
        (
            b"unique_name,enable_recording\na,maybe\nb,x",
            "rooms, line 2, column enable_recording: must be True or False, not 'maybe'; 1 more line is",
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
    ],
)
def test_ndjson_that_is_refused(text: bytes, said: str) -> None:
    """Whatever is wrong is told in a sentence, with its line and column."""
    assert refused(text, "ndjson").startswith(said)


@pytest.mark.parametrize(
    ("text", "kind"), [(b'unique_name\na\n""\n', "csv"), (b'{"unique_name":"a"}\n{}', "ndjson")]
)
def test_names_may_be_wanted(text: bytes, kind: str) -> None:
    """Where rooms are known by their names, one without a name is refused."""
    assert len(read(text, kind)) == 2
    said = "rooms, line {}, column unique_name: is missing: here each room needs its name"
    assert refused(text, kind, named=True) == said.format(3 if kind == "csv" else 2)


def records(*rows: dict[str, object]) -> Iterator[dict[str, object]]:
    """Make records as they come out of Parquet."""
    yield from rows


def test_records() -> None:
    """Plain data is read likewise, in rows."""
    rows = tables.read_records(
        records({"unique_name": "a", "max_participants": None}, {"max_participants": 5}), "rooms"
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
    with pytest.raises(InvalidArgumentError) as caught:
        list(tables.read_records(records({"unique_name": "a"}, {"unique_name": None}), "rooms", named=True))
    assert str(caught.value) == (
        "rooms, row 2, column unique_name: is missing: here each room needs its name"
    )


# --- there and back -----------------------------------------------------------------------------------------

NAMES = st.text(min_size=1).filter(lambda name: not name.isspace()) | st.from_regex(
    r"\A['=+@\-\t\r\n\"]{1,3}[a-z]?\Z"
)
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


@given(st.lists(SETTINGS, min_size=1))
def test_what_is_written_is_read_again(rooms: list[dict[str, Any]]) -> None:
    """Names of any characters, null, the empty text and what is absent survive CSV and NDJSON."""
    columns = tables.FAILED_COLUMNS
    table = tables.csv_header(columns) + b"".join(tables.csv_row(room, columns) for room in rooms)
    assert fields(table) == rooms
    assert fields(b"".join(tables.ndjson_row(room, columns) for room in rooms), "ndjson") == rooms


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@a", "\t=1", "\r=1", "'=1", "''a"])
def test_a_name_like_a_formula(name: str) -> None:
    """A spreadsheet takes no name for a formula, nor loses its quote."""
    row = tables.csv_row({"unique_name": name}, ["unique_name"])
    ((cell,),) = csv.reader([row.decode()])
    assert cell == f"'{name}"


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
