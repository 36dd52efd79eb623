"""Error bodies: one recorded file for each way to fail, and what is read from it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_rooms_async.core.codec import encode
from telnyx_rooms_async.core.error_mapping import error_details
from telnyx_rooms_async.models import ErrorDetail

SAMPLES = Path(__file__).parents[2] / "unit" / "samples" / "errors"
PAGES = "https://developers.telnyx.com/docs/overview/errors"

READ: dict[str, tuple[ErrorDetail, ...]] = {
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
    "a_empty_list.json": (),
    "a_null_list.json": (),
    # Of eight things in the list only the last two are entries, and of the first of them nothing is text.
    "a_garbage.json": (ErrorDetail(title="text"), ErrorDetail(title="Good", pointer="7")),
    "a_with_data.json": (ErrorDetail(code="10007", title="Unexpected error"),),
    "a_name_taken.json": (
        ErrorDetail(
            code="10012",
            title="Duplicate resource",
            detail="has already been taken",
            pointer="/unique_name",
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
    # C: an object of lists
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
    "c_empty_object.json": (),
    # D: a message
    "d_message.json": (ErrorDetail(title="Error"),),
    "d_success_only.json": (),
    "d_message_object.json": (),
    # E: a body with nothing in it
    "e_empty.txt": (),
    "e_blank.txt": (),
    # F: a message under data
    "f_data_message.json": (ErrorDetail(title="Room is gone"),),
    "f_data_null.json": (),
    "f_a_room.json": (),
    # G: no JSON
    "g_gateway.html": (),
    "g_text.txt": (),
    "g_cut_off.txt": (),
    "g_latin_1.txt": (),
    "g_not_a_number.txt": (),
    # JSON of no shape that is known
    "x_list.json": (),
    "x_null.json": (),
    "x_number.json": (),
    "x_text.json": (),
    "x_deep.json": (),
    "x_byte_order_mark.json": (ErrorDetail(title="Error"),),
}


@pytest.mark.parametrize("name", READ)
def test_each_shape(name: str) -> None:
    """A recorded error body comes to exactly these entries."""
    assert error_details((SAMPLES / name).read_bytes()) == READ[name]


def test_no_recorded_body_is_left_out() -> None:
    """The table names every file there is."""
    assert {path.name for path in SAMPLES.iterdir()} == set(READ)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" * 200_000, id="open"),
        pytest.param(b'{"errors":' * 200_000, id="open-objects"),
        pytest.param(b'{"errors":' + b"[" * 200_000 + b"]" * 200_000 + b"}", id="closed"),
        pytest.param(b'{"errors":[{"code":' + b"9" * 5000 + b"}]}", id="endless-integer"),
        pytest.param(b'{"errors":[{"title":"\\ud800"}]}', id="lone-surrogate"),
        pytest.param(b'{"errors":[{"title":"\xff"}]}', id="not-utf-8"),
    ],
)
def test_hostile_bodies_have_no_entries(body: bytes) -> None:
    """A body that is made to break its reader is as good as none."""
    assert error_details(body) == ()


def test_long_texts_are_cut() -> None:
    """A text is kept up to a thousand characters."""
    entry = {"code": "1" * 1001, "title": "x" * 1000, "detail": "y" * 100_000}
    assert error_details(encode({"errors": [entry]})) == (
        ErrorDetail(code="1" * 1000, title="x" * 1000, detail="y" * 1000),
    )


@pytest.mark.parametrize(
    "errors",
    [
        pytest.param([{"title": "x"}] * 51, id="list"),
        pytest.param({"key": ["x"] * 51}, id="object-of-lists"),
        pytest.param({f"key{number}": "x" for number in range(51)}, id="many-keys"),
    ],
)
def test_endless_lists_are_cut(errors: object) -> None:
    """Of the entries, the first fifty are kept."""
    assert len(error_details(encode({"errors": errors}))) == 50


def nested(levels: int) -> object:
    """Return a number in as many lists and objects."""
    value: object = 1
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


def test_what_is_nested_too_deep_is_left_out() -> None:
    """Of ``meta`` what has ten levels or more is left out, and the rest is kept."""
    meta = {"url": "https://example.com", "nine": nested(9), "ten": nested(10), "many": nested(500)}
    assert error_details(encode({"errors": [{"code": "1", "meta": meta}]})) == (
        ErrorDetail(code="1", meta={"url": "https://example.com", "nine": nested(9)}),
    )
    assert error_details(encode({"errors": [{"code": "1", "meta": {"ten": nested(10)}}]})) == (
        ErrorDetail(code="1"),
    )


@given(st.binary())
def test_no_bytes_break_it(body: bytes) -> None:
    """Whatever the bytes are, entries come out or none."""
    assert isinstance(error_details(body), tuple)


WORDS = st.sampled_from(
    ["errors", "code", "title", "detail", "source", "meta", "pointer", "message", "data", "a"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=25,
)


@given(JSON | st.fixed_dictionaries({"errors": JSON}) | st.fixed_dictionaries({"data": JSON}))
def test_no_json_breaks_it(told: object) -> None:
    """Whatever the JSON is, its entries are text or nothing."""
    for entry in error_details(encode(told)):
        for said in (entry.code, entry.title, entry.detail, entry.pointer, entry.parameter):
            assert said is None or isinstance(said, str)
        assert entry.meta is None or isinstance(entry.meta, dict)


def test_a_text_or_a_description_counts_too() -> None:
    """A general error may call its text a description, or be no more than a text."""
    assert error_details(b'{"errors":[{"code":"1","description":"why"}]}') == (
        ErrorDetail(code="1", detail="why"),
    )
    assert (
        error_details(b'{"errors":"why"}')
        == error_details(b'{"errors":["why"]}')
        == (ErrorDetail(title="why"),)
    )
