"""Requests and responses: encoding, headers, and a repr without secrets."""

import pytest

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
    assert [response.header(name) for name in names] == ["first", "Zoë", None, None]
    assert response.headers == {"x-request-id": "second", "x-name": "Zoë"}
