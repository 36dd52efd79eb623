"""Requests without a method of the client: validation, encoding, and what is shown of their paths."""

from datetime import date
from typing import Any

import pytest

from telnyx_rooms_async.core.endpoints import RetrySafety
from telnyx_rooms_async.core.http_messages import Request
from telnyx_rooms_async.core.protocol import build_custom
from telnyx_rooms_async.errors import InvalidArgumentError


def test_query_and_body_are_encoded_in_order() -> None:
    query: dict[str, str | int | bool] = {
        "page[size]": 1,
        "a": "B c",
        "yes": True,
        "no": False,
        "max": 2**63 - 1,
        "min": 1 - 2**63,
    }
    request = build_custom("POST", "/rooms/a", query=query, json={}).request
    assert request == Request(
        method="POST",
        path="/rooms/a",
        query=(
            *(("page[size]", "1"), ("a", "B c"), ("yes", "true"), ("no", "false")),
            *(("max", "9223372036854775807"), ("min", "-9223372036854775807")),
        ),
        body=b"{}",
    )


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "POST"])
def test_only_post_is_not_idempotent(method: str) -> None:
    safety = RetrySafety.IF_NOT_SENT if method == "POST" else RetrySafety.IDEMPOTENT
    assert build_custom(method, "/rooms").endpoint.retry_safety is safety


@pytest.mark.parametrize(
    ("value", "body"),
    [
        (None, None),
        ([], b"[]"),
        (False, b"false"),
        (0, b"0"),
        ("Zoë", '"Zoë"'.encode()),
        ({"a": [1, None, {"b": 2.5}]}, b'{"a":[1,null,{"b":2.5}]}'),
    ],
    ids=["none", "list", "false", "zero", "text", "nested"],
)
def test_json_is_encoded_and_none_is_no_body(value: object, body: bytes | None) -> None:
    assert build_custom("POST", "/rooms", json=value).request.body == body


@pytest.mark.parametrize(
    "path", ["/a/b/c", "/rooms/...", "/rooms/.a", "/rooms/a..b", "/rooms/a:b@c,d;e=f!$&'()*+~-_"]
)
def test_plain_path_is_sent_as_it_is(path: str) -> None:
    assert build_custom("GET", path).request.target == path


class BrokenMapping(dict[str, str]):
    """A mapping that cannot be read."""

    def items(self) -> Any:
        raise RuntimeError


def list_in_itself() -> object:
    circle: list[object] = []
    circle.append(circle)
    return circle


BAD_PATHS = [
    *("", "/", "rooms", "//example.com/rooms", "https://example.com/rooms", "/rooms/", "/rooms//a"),
    *("/rooms/.", "/rooms/..", "/rooms/../keys", "/./rooms", "/..", "/rooms/%2e%2e", "/rooms/%"),
    *("/rooms?a=b", "/rooms#a", "/rooms/a b", "/rooms\r\nHost: a", "/rooms\n", "/rooms\0", "/rooms\\.."),
    *("/rooms/{room_id}", "/zoë", "/\ud800", b"/rooms", None, 7, ["/rooms"]),
]
BAD_METHODS = [
    *("get", "TRACE", "CONNECT", "OPTIONS", "", "GET ", "GET\r\nA: b", b"GET", None, 7, ["GET"]),
]
BAD_VALUES = [None, 1.5, b"a", ["a"], date(2021, 4, 25), "\ud800", 2**63, -(2**63), 10**5000]
BAD_NAMES = ["\ud800", b"a", None, 7]
BAD_BODIES = [object(), {"a": {1, object()}}, {None: 1}, "\ud800", 10**5000, float("nan"), list_in_itself()]
BAD: dict[str, dict[str, Any]] = {
    **{f"path {path!a}": {"path": path} for path in BAD_PATHS},
    **{f"method {method!a}": {"method": method} for method in BAD_METHODS},
    **{f"query value {n}": {"query": {"good": "a", "bad": value}} for n, value in enumerate(BAD_VALUES)},
    **{f"query name {n}": {"query": {name: "a"}} for n, name in enumerate(BAD_NAMES)},
    **{f"query {query}": {"query": query} for query in (["a"], "a=b", 7, [("a", "b")])},
    "query that raises": {"query": BrokenMapping(a="b")},
    **{f"json {n}": {"json": body} for n, body in enumerate(BAD_BODIES)},
}


@pytest.mark.parametrize("argument", BAD.values(), ids=[name.replace("\\", "/") for name in BAD])
def test_invalid_argument_is_refused_by_its_name(argument: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {"method": "GET", "path": "/rooms"} | argument
    with pytest.raises(InvalidArgumentError) as caught:
        build_custom(**arguments)
    (problem,) = caught.value.problems
    assert next(iter(argument)) in problem


def test_all_invalid_arguments_are_named_at_once() -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        build_custom("get", "rooms", query={"a": 1.5})  # type: ignore[dict-item]  # wrong on purpose
    names = [problem.partition(" ")[0] for problem in caught.value.problems]
    assert names == ["method", "path", "query"]


@pytest.mark.parametrize("room_id", ["0ccc7b54", "ROOM", "a-room", "a.b", "Weekly~", "weekly", "v2"])
@pytest.mark.parametrize("version", ["", "/v2"])
def test_ids_in_the_path_are_not_in_logs_and_spans(room_id: str, version: str) -> None:
    call = build_custom("GET", f"{version}/rooms/{room_id}/sessions")
    assert call.endpoint.path == f"{version}/rooms/{{id}}/sessions"
    assert call.endpoint.operation == f"GET {version}/rooms/{{id}}/sessions"


def test_words_in_the_path_of_another_api_are_in_logs_and_spans() -> None:
    assert build_custom("GET", "/ai/models/m-1/actions").endpoint.path == "/ai/models/{id}/actions"
