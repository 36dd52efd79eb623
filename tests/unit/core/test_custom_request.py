"""Calls that no endpoint describes: what is accepted, and what is refused before it is sent."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from telnyx_rooms_async.core.custom_request import build_raw
from telnyx_rooms_async.core.http_messages import Call, Request, Response, RetrySafety
from telnyx_rooms_async.errors import InvalidArgumentError


def written(value: object) -> str:
    """Name a case by its value, without a backslash: so pytest finds it by its name."""
    return ascii(value).replace("\\", "/")


ROOM_ID = "0ccc7b54-4df3-4bca-a65a-3da1ecc777f0"

# --- build ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "repeat"),
    [
        ("GET", RetrySafety.IDEMPOTENT),
        ("HEAD", RetrySafety.IDEMPOTENT),
        ("PUT", RetrySafety.IDEMPOTENT),
        ("PATCH", RetrySafety.IDEMPOTENT),
        ("DELETE", RetrySafety.IDEMPOTENT),
        ("POST", RetrySafety.IF_NOT_SENT),
    ],
)
def test_build_raw(method: str, repeat: RetrySafety) -> None:
    """A raw call carries what it was given, and only a POST is not repeated blindly."""
    call = build_raw(
        method,
        "/room_sessions/x-1/actions/end",
        query={"page[size]": 1, "a": "B c", "c": True, "d": False},
        json={},
    )
    assert call == Call(
        operation=f"{method} /room_sessions/{{id}}/actions/end",
        template="/room_sessions/{id}/actions/end",
        request=Request(
            method=method,
            path="/room_sessions/x-1/actions/end",
            query=(("page[size]", "1"), ("a", "B c"), ("c", "true"), ("d", "false")),
            body=b"{}",
        ),
        answer=Response,
        repeat=repeat,
    )


@pytest.mark.parametrize(
    ("told", "body"),
    [
        (None, None),
        ({}, b"{}"),
        ([], b"[]"),
        (False, b"false"),
        (0, b"0"),
        ("Zoë", '"Zoë"'.encode()),
        ({"a": [1, None, {"b": 2.5}]}, b'{"a":[1,null,{"b":2.5}]}'),
    ],
    ids=["none", "object", "list", "false", "zero", "text", "nested"],
)
def test_raw_json(told: object, body: bytes | None) -> None:
    """A raw body is written as JSON, and None sends none."""
    assert build_raw("POST", "/rooms", json=told).request.body == body


@pytest.mark.parametrize(
    "path",
    [
        "/rooms",
        "/rooms/0ccc7b54",
        "/a/b/c",
        "/rooms/...",
        "/rooms/.a",
        "/rooms/a..b",
        "/rooms/a:b@c,d;e=f!$&'()*+~-_",
    ],
)
def test_raw_paths_that_are_taken(path: str) -> None:
    """A plain absolute path is taken as it is."""
    assert build_raw("GET", path).request.target == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "rooms",
        "//example.com/rooms",
        "https://example.com/rooms",
        "/rooms/",
        "/rooms//a",
        "/rooms/.",
        "/rooms/..",
        "/rooms/../keys",
        "/./rooms",
        "/..",
        "/rooms/%2e%2e",
        "/rooms/%",
        "/rooms?a=b",
        "/rooms#a",
        "/rooms/a b",
        "/rooms\r\nHost: a",
        "/rooms\n",
        "/rooms\0",
        "/rooms\\..",
        "/rooms/{room_id}",
        "/zoë",
        "/\ud800",
        b"/rooms",
        None,
        7,
        ["/rooms"],
    ],
    ids=written,
)
def test_raw_paths_that_are_refused(path: Any) -> None:
    """A path that could lead elsewhere, or that is no text, is refused."""
    with pytest.raises(InvalidArgumentError) as caught:
        build_raw("GET", path)
    (problem,) = caught.value.problems
    assert problem.startswith("path must be plain and absolute, below the base URL, not ")


@pytest.mark.parametrize(
    "method",
    ["get", "TRACE", "CONNECT", "OPTIONS", "", "GET ", "GET\r\nA: b", b"GET", None, 7, ["GET"]],
    ids=written,
)
def test_raw_methods_that_are_refused(method: Any) -> None:
    """A method that is not one of the six is refused."""
    with pytest.raises(InvalidArgumentError) as caught:
        build_raw(method, "/rooms")
    (problem,) = caught.value.problems
    assert problem.startswith("method must be one of GET, HEAD, PUT, PATCH, DELETE, POST, not ")


@pytest.mark.parametrize(
    "value",
    [
        None,
        1.5,
        b"a",
        ["a"],
        date(2021, 4, 25),
        datetime(2021, 4, 25, tzinfo=UTC),
        "\ud800",
        2**63,
        -(2**63),
        10**5000,
    ],
    ids=[
        "none",
        "float",
        "bytes",
        "list",
        "date",
        "datetime",
        "surrogate",
        "65-bits",
        "minus-65-bits",
        "endless-int",
    ],
)
def test_raw_query_values_that_are_refused(value: Any) -> None:
    """A query value that cannot be spelt as one text is refused with its name."""
    with pytest.raises(InvalidArgumentError) as caught:
        build_raw("GET", "/rooms", query={"good": "a", "bad": value})
    (problem,) = caught.value.problems
    assert problem.startswith("query 'bad' must be ")


@pytest.mark.parametrize("name", ["\ud800", b"a", None, 7], ids=["surrogate", "bytes", "none", "int"])
def test_raw_query_names_that_are_refused(name: Any) -> None:
    """A query name that is no text is refused."""
    with pytest.raises(InvalidArgumentError) as caught:
        build_raw("GET", "/rooms", query={name: "a"})
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize("query", [["a"], "a=b", 7], ids=ascii)
def test_raw_queries_that_are_refused(query: Any) -> None:
    """A query that is no mapping is refused."""
    with pytest.raises(InvalidArgumentError) as caught:
        build_raw("GET", "/rooms", query=query)
    assert caught.value.problems == (f"query must be a mapping, not {query!r}",)


@pytest.mark.parametrize("value", [2**63 - 1, 1 - 2**63, 0])
def test_raw_query_integers_of_64_bits(value: int) -> None:
    """An integer of up to 64 bits is spelt out."""
    assert build_raw("GET", "/rooms", query={"a": value}).request.query == (("a", str(value)),)


def endless() -> object:
    """Return a list that is in itself."""
    circle: list[object] = []
    circle.append(circle)
    return circle


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(object(), id="object"),
        pytest.param({"a": {1, object()}}, id="object-inside"),
        pytest.param({None: 1}, id="key-of-no-kind"),
        pytest.param("\ud800", id="surrogate"),
        pytest.param(10**5000, id="endless-int"),
        pytest.param(endless(), id="circle"),
    ],
)
def test_raw_json_that_is_refused(told: object) -> None:
    """A body that JSON cannot hold is refused."""
    with pytest.raises(InvalidArgumentError) as caught:
        build_raw("POST", "/rooms", json=told)
    (problem,) = caught.value.problems
    assert problem.startswith("json cannot be written: ")


def test_a_raw_query_that_is_no_mapping_is_refused() -> None:
    """Pairs are no query, not even good ones."""
    with pytest.raises(InvalidArgumentError) as caught:
        build_raw("GET", "/rooms", query=[("a", "b")])  # type: ignore[arg-type]  # wrong on purpose
    assert caught.value.problems == ("query must be a mapping, not [('a', 'b')]",)


def test_raw_problems_are_told_at_once() -> None:
    """Everything that is wrong with a raw call is told together."""
    with pytest.raises(InvalidArgumentError) as caught:
        build_raw("get", "rooms", query={"a": 1.5})  # type: ignore[dict-item]  # wrong on purpose
    assert caught.value.problems == (
        "method must be one of GET, HEAD, PUT, PATCH, DELETE, POST, not 'get'",
        "path must be plain and absolute, below the base URL, not 'rooms'",
        "query 'a' must be a str, an int or a bool, not 1.5",
    )


@pytest.mark.parametrize("room_id", ["0ccc7b54", "ROOM", "a-room", "a.b", "Weekly~", "weekly", "v2"])
@pytest.mark.parametrize("version", ["", "/v2"])
def test_no_id_of_a_path_is_shown(room_id: str, version: str) -> None:
    """Logs and spans have the template of the path."""
    call = build_raw("GET", f"{version}/rooms/{room_id}/sessions")
    assert call.template == f"{version}/rooms/{{id}}/sessions"
    assert call.operation == f"GET {version}/rooms/{{id}}/sessions"


def test_words_of_other_apis_are_shown() -> None:
    """Behind a collection of another API a word is taken for a part of the path."""
    assert build_raw("GET", "/ai/models/m-1/actions").template == "/ai/models/{id}/actions"
