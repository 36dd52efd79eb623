"""What crosses the wire is plain: it prints without bodies, and encodes itself."""

import attrs
import pytest

from telnyx_rooms_async.core.http_messages import (
    Attempt,
    Call,
    Failure,
    Reason,
    Request,
    Response,
    RetrySafety,
)
from telnyx_rooms_async.models import Room

CANARY = b'{"token":"canary"}'


@pytest.mark.parametrize(
    ("query", "target"),
    [
        pytest.param((), "/rooms", id="no-query"),
        pytest.param((("page[number]", "1"),), "/rooms?page%5Bnumber%5D=1", id="brackets"),
        pytest.param(
            (("filter[date_created_at][gte]", "2021-04-25"),),
            "/rooms?filter%5Bdate_created_at%5D%5Bgte%5D=2021-04-25",
            id="date-filter",
        ),
        pytest.param(
            (("page[number]", "2"), ("page[size]", "250"), ("include_sessions", "true")),
            "/rooms?page%5Bnumber%5D=2&page%5Bsize%5D=250&include_sessions=true",
            id="in-the-order-given",
        ),
        pytest.param(
            (("filter[unique_name]", "a b&c=d+e/f?g#h%i"),),
            "/rooms?filter%5Bunique_name%5D=a%20b%26c%3Dd%2Be%2Ff%3Fg%23h%25i",
            id="reserved-characters",
        ),
        pytest.param(
            (("filter[unique_name]", "Zoë 会议"),),
            "/rooms?filter%5Bunique_name%5D=Zo%C3%AB%20%E4%BC%9A%E8%AE%AE",
            id="beyond-ascii",
        ),
        pytest.param((("a", "1"), ("a", "2")), "/rooms?a=1&a=2", id="a-name-twice"),
        pytest.param((("a", ""),), "/rooms?a=", id="empty-value"),
    ],
)
def test_target(query: tuple[tuple[str, str], ...], target: str) -> None:
    """The target is the path as it is and the query, percent-encoded."""
    assert Request(method="GET", path="/rooms", query=query).target == target


def test_target_leaves_the_path_alone() -> None:
    """A path is percent-encoded already, and is not encoded twice."""
    assert Request(method="GET", path="/rooms/a%20b").target == "/rooms/a%20b"


def test_a_request_prints_the_size_of_its_body() -> None:
    """The repr of a request has neither the path, which may hold a token, nor the body's bytes."""
    request = Request(method="POST", path="/rooms", query=(("a", "1"),), body=CANARY)
    assert repr(request) == "Request(method='POST', query=(('a', '1'),), body=<18 bytes>)"
    assert repr(Request(method="GET", path="/rooms")) == ("Request(method='GET', query=(), body=None)")


def test_a_response_prints_neither_headers_nor_body() -> None:
    """The repr of a response has its status and the body's size."""
    response = Response(status=201, raw_headers=((b"set-cookie", b"canary"),), body=CANARY)
    assert repr(response) == "Response(status=201, body=<18 bytes>)"
    assert repr(Response(status=204)) == "Response(status=204, body=<0 bytes>)"


def test_a_call_prints_no_body() -> None:
    """The repr of a call hides the body of the request in it."""
    call = Call(
        operation="CreateRoom",
        template="/rooms",
        request=Request(method="POST", path="/rooms", body=CANARY),
        answer=Room,
        repeat=RetrySafety.IF_NOT_SENT,
    )
    assert "canary" not in repr(call)
    assert "body=<18 bytes>" in repr(call)


HEADED = Response(
    status=200,
    raw_headers=(
        (b"X-Request-Id", b"first"),
        (b"x-request-id", b"second"),
        (b"Content-Type", b"application/json"),
        (b"X-Name", "Zoë".encode("latin-1")),
    ),
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("content-type", "application/json", id="lower"),
        pytest.param("Content-Type", "application/json", id="as-sent"),
        pytest.param("CONTENT-TYPE", "application/json", id="upper"),
        pytest.param("x-request-id", "first", id="repeated-gives-the-first"),
        pytest.param("x-name", "Zoë", id="latin-1"),
        pytest.param("x-absent", None, id="absent"),
        pytest.param("content", None, id="part-of-a-name"),
    ],
)
def test_header(name: str, value: str | None) -> None:
    """A header is found whatever its case."""
    assert HEADED.header(name) == value


def test_headers() -> None:
    """The mapping has lower-case names, and the last of a repeated header."""
    assert HEADED.headers == {
        "x-request-id": "second",
        "content-type": "application/json",
        "x-name": "Zoë",
    }
    assert Response(status=200).headers == {}


def test_values_are_compared_by_what_they_hold() -> None:
    """Two equal requests are equal, bodies included."""
    one, other = (Request(method="POST", path="/rooms", body=CANARY) for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)
    assert one != attrs.evolve(one, body=b"{}")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(Request(method="GET", path="/rooms"), id="request"),
        pytest.param(Response(status=200), id="response"),
        pytest.param(Failure(reason=Reason.LOST, sent=True), id="failure"),
        pytest.param(
            Attempt(
                number=1,
                operation="ViewRoom",
                method="GET",
                template="/rooms/{room_id}",
                sent=True,
                elapsed=0.1,
            ),
            id="attempt",
        ),
    ],
)
def test_values_are_frozen(value: attrs.AttrsInstance) -> None:
    """No field of a message can be changed, and none can be added."""
    for field in attrs.fields(type(value)):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(value, field.name, None)
    assert not hasattr(value, "__dict__")


def test_reasons_print_as_words() -> None:
    """A reason reads as a word in a message, and there are seven of them."""
    assert {reason.name: str(reason) for reason in Reason} == {
        "CONNECT": "connect",
        "TLS": "tls",
        "LOST": "lost",
        "TIMEOUT": "timeout",
        "MALFORMED": "malformed",
        "UNREADABLE": "unreadable",
        "TOO_LARGE": "too large",
    }
