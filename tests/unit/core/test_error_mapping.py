"""Error bodies and statuses: which details are read, and which exception class they select."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_rooms_async import APIStatusError, errors
from telnyx_rooms_async.core.error_mapping import error_details, status_class
from telnyx_rooms_async.models import ErrorDetail
from telnyx_rooms_async.serialization import encode_json

SAMPLES = Path(__file__).parents[1] / "samples" / "errors"
PAGES = "https://developers.telnyx.com/docs/overview/errors"

# Files that are not named here have no details.
DETAILS: dict[str, tuple[ErrorDetail, ...]] = {
    # A: a list of entries
    "a_field.json": (
        ErrorDetail(
            code="10033",
            title="Value out of range",
            detail="max_participants is 51",
            pointer="/max_participants",
            meta={"url": f"{PAGES}/10033"},
        ),
    ),
    "a_parameter.json": (
        ErrorDetail(
            code="10031",
            title="Invalid request filter",
            detail="page size is 251",
            parameter="page[size]",
            meta={"url": f"{PAGES}/10031"},
        ),
    ),
    "a_two_entries.json": (
        ErrorDetail(code="10033", title="Value out of range", pointer="/max_participants"),
        ErrorDetail(code="10003", title="Invalid URL", pointer="/webhook_event_url"),
    ),
    "a_throttled.json": (
        ErrorDetail(
            code="10011",
            title="Too many requests",
            detail="You have exceeded the maximum number of allowed requests.",
            meta={"url": f"{PAGES}/10011"},
        ),
    ),
    "a_nulls.json": (ErrorDetail(code="10005", title="Resource not found"),),
    "a_integer_code.json": (ErrorDetail(code="10005", title="Resource not found"),),
    "a_title_only.json": (ErrorDetail(title="Unprocessable Entity"),),
    "a_detail_object.json": (ErrorDetail(code="422", title="Unprocessable Entity"),),
    "a_meta_free.json": (
        ErrorDetail(
            code="10036",
            title="Resource is being processed",
            meta={"url": f"{PAGES}/10036", "retry": {"in": [1, 2.5, None]}},
        ),
    ),
    "a_garbage.json": (ErrorDetail(title="text"), ErrorDetail(title="Good", pointer="7")),
    "a_with_data.json": (ErrorDetail(code="10007", title="Unexpected error"),),
    "a_name_taken.json": (
        ErrorDetail(
            code="10012", title="Duplicate resource", detail="has already been taken", pointer="/unique_name"
        ),
    ),
    # B: one bare entry
    "b_not_found.json": (
        ErrorDetail(
            code="10005",
            title="Resource not found",
            detail="The requested resource or URL could not be found.",
            meta={"url": f"{PAGES}/10005"},
        ),
    ),
    "b_forbidden.json": (
        ErrorDetail(
            code="10010",
            title="Authorization failed",
            detail="Not for this key.",
            pointer="/",
            meta={"url": f"{PAGES}/10010"},
        ),
    ),
    "b_nulls.json": (ErrorDetail(title="Resource not found"),),
    "b_framework.json": (ErrorDetail(code="404", title="Not Found"),),
    # C: messages by key
    "c_name_taken.json": (
        ErrorDetail(code="unique_name_not_unique_for_user_id", detail="The name is in use."),
    ),
    "c_several.json": (
        ErrorDetail(code="unique_name", detail="is too short"),
        ErrorDetail(code="unique_name", detail="has a space"),
        ErrorDetail(code="max_participants", detail="is 51"),
    ),
    "c_bare_text.json": (ErrorDetail(code="unique_name", detail="is too short"),),
    "c_garbage.json": (
        ErrorDetail(code="a"),
        ErrorDetail(code="c", detail="1"),
        ErrorDetail(code="c"),
        ErrorDetail(code="c"),
        ErrorDetail(code="c", detail="text"),
        ErrorDetail(code="d"),
    ),
    # D: a message
    "d_message.json": (ErrorDetail(title="Error"),),
    # F: a message under data
    "f_data_message.json": (ErrorDetail(title="Room is gone"),),
    # other JSON
    "x_byte_order_mark.json": (ErrorDetail(title="Error"),),
}


@pytest.mark.parametrize("path", sorted(SAMPLES.iterdir()), ids=lambda path: path.name)
def test_details_of_a_recorded_body(path: Path) -> None:
    assert error_details(path.read_bytes()) == DETAILS.get(path.name, ())


@pytest.mark.parametrize(
    ("body", "details"),
    [
        (b'{"errors":[{"code":"1","description":"why"}]}', (ErrorDetail(code="1", detail="why"),)),
        (b'{"errors":"why"}', (ErrorDetail(title="why"),)),
        (b'{"errors":["why"]}', (ErrorDetail(title="why"),)),
        (b"[" * 200_000, ()),
        (b'{"errors":' * 200_000, ()),
        (b'{"errors":' + b"[" * 200_000 + b"]" * 200_000 + b"}", ()),
        (b'{"errors":[{"code":' + b"9" * 5000 + b"}]}", ()),
        (b'{"errors":[{"title":"\\ud800"}]}', ()),
        (b'{"errors":[{"title":"\xff"}]}', ()),
    ],
    ids=[
        *("description", "text", "list of text", "open lists", "open objects", "deep lists"),
        *("5000 digits", "lone surrogate", "not UTF-8"),
    ],
)
def test_details_of_an_unusual_body(body: bytes, details: tuple[ErrorDetail, ...]) -> None:
    assert error_details(body) == details


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

    meta = {"url": "https://example.com", "nine": nested(9), "ten": nested(10), "many": nested(500)}
    assert error_details(encode_json({"errors": [{"code": "1", "meta": meta}]})) == (
        ErrorDetail(code="1", meta={"url": "https://example.com", "nine": nested(9)}),
    )
    assert error_details(encode_json({"errors": [{"code": "1", "meta": {"ten": nested(10)}}]})) == (
        ErrorDetail(code="1"),
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


@pytest.mark.parametrize(
    ("details", "cl"),
    [
        (DETAILS["a_name_taken.json"], errors.NameTakenError),
        (DETAILS["c_name_taken.json"], errors.NameTakenError),
        ([ErrorDetail(code="unique_name_not_unique_for_user_id")], errors.NameTakenError),
        ([ErrorDetail(code="unique_name", detail="has already been taken")], errors.NameTakenError),
        ([ErrorDetail(title="Name Already Taken", pointer="/unique_name")], errors.NameTakenError),
        ([ErrorDetail(detail="DUPLICATE", pointer="/data/unique_name")], errors.NameTakenError),
        ([ErrorDetail(title="Other", pointer="/max_participants"), TAKEN], errors.NameTakenError),
        ([ErrorDetail(code="10027", detail="No private_ip for room")], errors.SessionEndedError),
        ([], errors.UnprocessableEntityError),
        ([ErrorDetail()], errors.UnprocessableEntityError),
        ([ErrorDetail(title="Too long", pointer="/unique_name")], errors.UnprocessableEntityError),
        ([ErrorDetail(detail="already taken", pointer="/webhook_url")], errors.UnprocessableEntityError),
        ([ErrorDetail(detail="session already ended")], errors.UnprocessableEntityError),
        (
            [ErrorDetail(title="Too long", pointer="/unique_name"), ErrorDetail(title="Duplicate")],
            errors.UnprocessableEntityError,
        ),
    ],
)
def test_class_of_a_422_depends_on_its_details(details: list[ErrorDetail], cl: type[APIStatusError]) -> None:
    assert status_class(422, tuple(details)) is cl
    assert status_class(409, tuple(details)) is errors.ConflictError
