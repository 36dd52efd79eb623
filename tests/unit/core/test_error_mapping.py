"""Error bodies and statuses: which details are read, and which exception class they select."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_rooms_async import APIStatusError, errors
from telnyx_rooms_async.core.error_mapping import error_details, status_class
from telnyx_rooms_async.models import ErrorDetail
from telnyx_rooms_async.serialization import encode_json

META = {"url": "https://developers.telnyx.com/docs/overview/errors/10033", "retry": {"in": [1, 2.5, None]}}
FULL = {
    "code": "10033",
    "title": "Value out of range",
    "detail": "max_participants is 51",
    "source": {"pointer": "/max_participants", "parameter": "page[size]"},
    "meta": META,
}
FULL_DETAIL = ErrorDetail(
    code="10033",
    title="Value out of range",
    detail="max_participants is 51",
    pointer="/max_participants",
    parameter="page[size]",
    meta=META,
)
NULLS = {"code": None, "title": "Not found", "detail": None, "source": None, "meta": None}
NOT_FOUND = ErrorDetail(title="Not found")
ODD = {"code": {"a": 1}, "title": ["x"], "detail": True, "source": "here", "meta": [1]}

# The letters of the shapes are those of the module.
BODIES: dict[str, tuple[object, tuple[ErrorDetail, ...]]] = {
    "A": ({"errors": [FULL, NULLS]}, (FULL_DETAIL, NOT_FOUND)),
    "A with data": ({"data": None, "errors": [NULLS]}, (NOT_FOUND,)),
    "A, integer code": ({"errors": [{"code": 10005}]}, (ErrorDetail(code="10005"),)),
    "A, description": (
        {"errors": [{"code": "1", "description": "why"}]},
        (ErrorDetail(code="1", detail="why"),),
    ),
    "A, text": ({"errors": ["why"]}, (ErrorDetail(title="why"),)),
    "A, odd entries": ({"errors": [None, 3, [], [NULLS], {}, ODD, NULLS]}, (NOT_FOUND,)),
    "A, no list": ({"errors": "why"}, (ErrorDetail(title="why"),)),
    "A, empty": ({"errors": []}, ()),
    "A, null": ({"errors": None}, ()),
    "B": (FULL, (FULL_DETAIL,)),
    "B, nulls": (NULLS, (NOT_FOUND,)),
    "C": (
        {"errors": {"unique_name": ["is too short", "has a space"], "max_participants": "is 51"}},
        (
            ErrorDetail(code="unique_name", detail="is too short"),
            ErrorDetail(code="unique_name", detail="has a space"),
            ErrorDetail(code="max_participants", detail="is 51"),
        ),
    ),
    "C, odd messages": (
        {"errors": {"a": None, "b": [], "c": [1, {"x": 1}], "d": {"e": "f"}}},
        (
            *(ErrorDetail(code="a"), ErrorDetail(code="c", detail="1")),
            *(ErrorDetail(code="c"), ErrorDetail(code="d")),
        ),
    ),
    "C, empty": ({"errors": {}}, ()),
    "D": ({"message": "Error", "success": False}, (ErrorDetail(title="Error"),)),
    "D, odd message": ({"message": {"text": "Error"}, "success": False}, ()),
    "E": (b"", ()),
    "F": ({"data": {"message": "Room is gone"}}, (ErrorDetail(title="Room is gone"),)),
    "F, null": ({"data": None}, ()),
    "a room": ({"data": {"id": "0ccc7b54", "unique_name": "Weekly"}}, ()),
    "G": (b"<!doctype html><title>502 Bad Gateway</title>", ()),
    "G, cut off": (b'{"errors": [{"code": "10005", "title": "Resource not', ()),
    "G, not UTF-8": (b'{"errors": [{"title": "Zo\xeb"}]}', ()),
    "G, NaN": (b'{"errors": [{"code": NaN, "title": "Error"}]}', ()),
    "byte order mark": (b'\xef\xbb\xbf{"message": "Error"}', (ErrorDetail(title="Error"),)),
    "list": ([NULLS], ()),
    "number": (500, ()),
    "open lists": (b"[" * 200_000, ()),
    "open objects": (b'{"errors":' * 200_000, ()),
    "deep lists": (b'{"errors":' + b"[" * 200_000 + b"]" * 200_000 + b"}", ()),
    "5000 digits": (b'{"errors":[{"code":' + b"9" * 5000 + b"}]}", ()),
    "lone surrogate": (b'{"errors":[{"title":"\\ud800"}]}', ()),
}


@pytest.mark.parametrize(("body", "details"), BODIES.values(), ids=BODIES)
def test_details_of_a_body_are_read_whatever_its_shape(
    body: object, details: tuple[ErrorDetail, ...]
) -> None:
    assert error_details(body if isinstance(body, bytes) else encode_json(body)) == details


def test_long_text_is_cut_to_a_thousand_characters() -> None:
    entry = {"code": "1" * 1001, "title": "x" * 1000, "detail": "y" * 100_000}
    assert error_details(encode_json({"errors": [entry]})) == (
        ErrorDetail(code="1" * 1000, title="x" * 1000, detail="y" * 1000),
    )


@pytest.mark.parametrize(
    "listed",
    [[{"title": "x"}] * 51, {"key": ["x"] * 51}, {f"key{number}": "x" for number in range(51)}],
    ids=["entries", "messages of a key", "keys"],
)
def test_only_the_first_fifty_details_are_kept(listed: object) -> None:
    assert len(error_details(encode_json({"errors": listed}))) == 50


def test_meta_is_dropped_where_it_is_ten_levels_deep() -> None:
    def nested(levels: int) -> object:
        value: object = 1
        for level in range(levels):
            value = [value] if level % 2 else {"a": value}
        return value

    meta = {"nine": nested(9), "ten": nested(10), "many": nested(500)}
    entries = [{"code": "1", "meta": meta}, {"code": "2", "meta": {"ten": nested(10)}}]
    assert error_details(encode_json({"errors": entries})) == (
        ErrorDetail(code="1", meta={"nine": nested(9)}),
        ErrorDetail(code="2"),
    )


KEYS = st.sampled_from(["errors", "code", "title", "detail", "source", "meta", "pointer", "message", "data"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5) | KEYS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=10,
)


@given(st.binary() | st.builds(lambda key, value: encode_json({key: value}), KEYS, JSON))
def test_details_of_any_body_are_text_or_none(body: bytes) -> None:
    for entry in error_details(body):
        for text in (entry.code, entry.title, entry.detail, entry.pointer, entry.parameter):
            assert text is None or isinstance(text, str)
        assert entry.meta is None or isinstance(entry.meta, dict)


# --- exception classes --------------------------------------------------------------------------------------

TAKEN = ErrorDetail(code="10012", detail="has already been taken", pointer="/unique_name")
TOO_LONG = ErrorDetail(title="Too long", pointer="/unique_name")


@pytest.mark.parametrize(
    ("details", "cl"),
    [
        ([TAKEN], errors.NameTakenError),
        ([ErrorDetail(code="unique_name_not_unique_for_user_id", detail="in use")], errors.NameTakenError),
        ([ErrorDetail(title="Name Already Taken", pointer="/unique_name")], errors.NameTakenError),
        ([ErrorDetail(detail="DUPLICATE", pointer="/data/unique_name")], errors.NameTakenError),
        ([ErrorDetail(title="Other", pointer="/max_participants"), TAKEN], errors.NameTakenError),
        ([ErrorDetail(code="10027", detail="No private_ip for room")], errors.SessionEndedError),
        ([], errors.UnprocessableEntityError),
        ([ErrorDetail(), TOO_LONG, ErrorDetail(title="Duplicate")], errors.UnprocessableEntityError),
        ([ErrorDetail(detail="already taken", pointer="/webhook_url")], errors.UnprocessableEntityError),
        ([ErrorDetail(detail="session already ended")], errors.UnprocessableEntityError),
    ],
)
def test_class_of_a_422_depends_on_its_details(details: list[ErrorDetail], cl: type[APIStatusError]) -> None:
    assert status_class(422, tuple(details)) is cl
    assert status_class(409, tuple(details)) is errors.ConflictError


def test_secrets_of_the_request_are_in_no_part_of_the_details() -> None:
    nested: object = "SECRET"
    for _ in range(30):
        nested = [nested]
    meta = {"SECRET": [{"a": "a SECRET"}], "number": 7, "nested": nested}
    body = encode_json({"errors": [{"detail": "SECRET, <SECRET>", "meta": meta}]})
    (detail,) = error_details(body, ("SECRET", ""))
    assert detail == ErrorDetail(detail="***, <***>", meta={"***": [{"a": "a ***"}], "number": 7})
