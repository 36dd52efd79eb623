"""Requests and responses: encoding, headers, and a repr without secrets."""

import pickle

import pytest

from telnyx_rooms_async import APIResponseValidationError
from telnyx_rooms_async.core.http_messages import Request, Response


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ((), "/rooms/a%20b"),
        ((("page[number]", "2"), ("a", "1"), ("a", "")), "/rooms/a%20b?page%5Bnumber%5D=2&a=1&a="),
        ((("name", "a b&c=d+e/f?g#h%i"),), "/rooms/a%20b?name=a%20b%26c%3Dd%2Be%2Ff%3Fg%23h%25i"),
        ((("name", "Zoë 会议"),), "/rooms/a%20b?name=Zo%C3%AB%20%E4%BC%9A%E8%AE%AE"),
    ],
    ids=["no query", "order", "reserved characters", "beyond ASCII"],
)
def test_target_has_the_path_as_it_is_and_the_query_encoded(
    query: tuple[tuple[str, str], ...], target: str
) -> None:
    assert Request(method="GET", path="/rooms/a%20b", query=query).target == target


def test_repr_shows_neither_bodies_nor_headers_nor_paths() -> None:
    body = b'{"token":"canary"}'
    request = Request(method="POST", path="/rooms/canary", body=body, secrets=("canary",))
    response = Response(status=201, raw_headers=((b"set-cookie", b"canary"),), body=body)
    assert "canary" not in f"{request!r} {response!r}"
    assert "18 bytes" in repr(request)
    assert "201" in repr(response)
    assert "None" in repr(Request(method="GET", path="/rooms"))


def test_headers_are_found_in_any_case() -> None:
    raw = ((b"X-Request-Id", b"first"), (b"x-request-id", b"second"), (b"X-Name", "Zoë".encode("latin-1")))
    response = Response(status=200, raw_headers=raw)
    names = ("X-REQUEST-ID", "x-name", "x-absent", "x")
    assert [response.headers.get(name) for name in names] == ["first", "Zoë", None, None]
    assert response.headers == {"x-request-id": "first", "x-name": "Zoë"}
    assert list(response.headers) == ["x-request-id", "x-name"]
    assert pickle.loads(pickle.dumps(response.headers)) == response.headers
    assert "first" not in repr(response.headers)


@pytest.mark.parametrize(
    ("body", "value"),
    [(b'{"data": [1, null]}', {"data": [1, None]}), (b'"text"', "text"), (b"\xef\xbb\xbf1.5", 1.5)],
)
def test_json_is_the_parsed_body(body: bytes, value: object) -> None:
    assert Response(status=200, body=body).json() == value


@pytest.mark.parametrize(
    ("body", "problem"),
    [(b"", "the body is empty"), (b"<html>", "malformed"), (b"[" * 200_000, "nested too deeply")],
)
def test_body_that_is_not_json_is_an_error_with_the_response(body: bytes, problem: str) -> None:
    response = Response(status=200, raw_headers=((b"X-Request-Id", b"req-1"),), body=body)
    with pytest.raises(APIResponseValidationError, match=problem) as caught:
        response.json()
    assert (caught.value.status_code, caught.value.request_id) == (200, "req-1")
