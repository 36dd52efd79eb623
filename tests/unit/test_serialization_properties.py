"""Properties of the converter, for every model, webhook event and request model.

Values survive unstructuring and structuring, and msgspec's fast path equals cattrs' detailed path.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from types import ModuleType, NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

import attrs
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from telnyx_rooms_async import models
from telnyx_rooms_async.core import protocol, requests
from telnyx_rooms_async.core.validators import UNSET, DateFilter, DurationFilter
from telnyx_rooms_async.models import Page, Room
from telnyx_rooms_async.serialization import DecodeError, JsonConverter, converter, make_converter
from telnyx_rooms_async.webhooks.events import EVENT_CLASSES, UnknownEvent

by_cattrs: Final = make_converter(use_msgspec=False)


def classes_of(module: ModuleType) -> list[Any]:
    """Return the public attrs classes of a module that have no type parameters."""
    classes = [cl for name, cl in vars(module).items() if isinstance(cl, type) and not name.startswith("_")]
    return [
        cl
        for cl in classes
        if attrs.has(cl) and cl.__module__ == module.__name__ and not getattr(cl, "__parameters__", ())
    ]


MODELS: Final = classes_of(models)
EVENTS: Final = [*EVENT_CLASSES.values(), UnknownEvent]
PAGES: Final[list[Any]] = [Page[models.Room], Page[models.RoomRecording]]
every_class = pytest.mark.parametrize(
    "cl", [*MODELS, *EVENTS, *PAGES], ids=lambda cl: str(cl).rpartition(".")[2].strip("'>]")
)

# --- strategies -------------------------------------------------------------------------------------------

TEXTS = st.text(max_size=8)
INTEGERS = st.integers(-3, 60) | st.integers()
JSON = st.recursive(
    st.none() | st.booleans() | INTEGERS | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
TIMES = st.builds(
    lambda time, separator, zone: time.isoformat(separator) + zone,
    st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 30)),  # noqa: DTZ001 - the zone is appended
    st.sampled_from("TTt "),
    st.sampled_from(["Z", "Z", "Z", "z", "+00:00", "-00:00", "+02:00", "-05:30", "+23:59", "-23:59", ""]),
)
WRONG: Final[st.SearchStrategy[Any]] = st.sampled_from(
    [None, True, 0, 1.5, -0.0, "", "50", "true", "2021-03-26", "0001-01-01T00:00:00+01:00", [], {}]
) | st.sampled_from([[{"id": "a"}], {"id": "a"}])


@cache
def values(hint: Any) -> st.SearchStrategy[Any]:
    """Generate values of a type."""
    simple = {
        str: TEXTS,
        int: INTEGERS,
        float: st.floats(allow_nan=False, allow_infinity=False),
        bool: st.booleans(),
        datetime: st.datetimes(timezones=st.just(UTC)),
        object: JSON,
        NoneType: st.none(),
    }
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in simple:
        return simple[hint]
    if origin in (Union, UnionType):
        return st.one_of(*map(values, arguments))
    if origin is tuple:
        return st.lists(values(arguments[0]), max_size=2).map(tuple)
    if origin is Mapping:
        return st.dictionaries(TEXTS, values(arguments[1]), max_size=2)
    return st.deferred(lambda: st.builds(hint, **{name: values(field) for name, field in fields_of(hint)}))


@cache
def documents(hint: Any, wrong: st.SearchStrategy[Any] | None) -> st.SearchStrategy[Any]:
    """Generate JSON for a type; with `wrong`, now and then a value of another type, or a field is missing."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        document = st.one_of(*(documents(argument, wrong) for argument in arguments))
    elif origin is tuple:
        document = st.lists(documents(arguments[0], wrong), max_size=2)
    elif origin is Mapping:
        document = st.dictionaries(TEXTS, documents(arguments[1], wrong), max_size=2)
    elif attrs.has(origin or hint):
        model: Any = origin or hint
        required = {field.name for field in attrs.fields(model) if field.default is attrs.NOTHING}
        fields = {name: documents(field, wrong) for name, field in fields_of(hint)}
        must = {name: fields.pop(name) for name in required} if wrong is None else {}
        document = st.fixed_dictionaries(must, optional={**fields, "unknown": JSON})
    else:
        document = TIMES if hint is datetime else values(hint)
    if wrong is None:
        return document
    return st.sampled_from([document] * 19 + [wrong]).flatmap(lambda strategy: strategy)


def fields_of(cl: Any) -> Iterator[tuple[str, Any]]:
    """Yield the names and types of the fields of a class."""
    for name, hint in get_type_hints(get_origin(cl) or cl).items():
        yield name, hint[get_args(cl)] if getattr(hint, "__parameters__", ()) else hint


# --- properties -------------------------------------------------------------------------------------------


def outcome(used: JsonConverter, body: bytes, cl: Any) -> tuple[Any, tuple[str, ...]]:
    """Return the value of a document, or the problems of it."""
    try:
        return used.loads(body, cl), ()
    except DecodeError as error:
        return None, error.args


def datetimes_in(value: Any) -> Iterator[datetime]:
    if isinstance(value, datetime):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from datetimes_in(item)
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            yield from datetimes_in(getattr(value, field.name))


def check_paths(document: object, cl: Any) -> Any:
    """Check that both paths return the same value or the same problems."""
    body = json.dumps(document).encode()
    value, problems = outcome(converter, body, cl)
    assert (value is None) == bool(problems)
    # 1, True and 1.0 are equal, and so are times of different zones: their reprs are not.
    assert repr(outcome(by_cattrs, body, cl)) == repr((value, problems))
    assert all(time.tzinfo is UTC for time in datetimes_in(value))
    return value


@every_class
@settings(deadline=None, max_examples=15)
@given(st.data())
def test_value_survives_unstructuring_and_structuring(cl: Any, data: st.DataObject) -> None:
    value = data.draw(values(cl))
    for used in (converter, by_cattrs):
        assert used.structure(used.unstructure(value), cl) == value
        assert used.loads(used.dumps(value), cl) == value


@pytest.mark.parametrize("cl", [*MODELS, *EVENTS], ids=lambda cl: cl.__name__)
@settings(deadline=None, max_examples=15)
@given(st.data())
def test_value_survives_its_own_json_and_that_of_pydantic(cl: Any, data: st.DataObject) -> None:
    value = data.draw(values(cl))
    assert cl.from_dict(json.loads(value.to_json())) == value
    assert json.loads(json.dumps(value.to_dict())) == value.to_dict()
    adapter = TypeAdapter(cl)
    assert adapter.validate_python(adapter.dump_python(value)) == value
    assert adapter.validate_json(adapter.dump_json(value)) == value


@pytest.mark.parametrize("cl", PAGES, ids=str)
@settings(deadline=None, max_examples=15)
@given(st.data())
def test_page_survives_the_json_of_pydantic(cl: Any, data: st.DataObject) -> None:
    page, adapter = data.draw(values(cl)), TypeAdapter(cl)
    assert adapter.validate_python(adapter.dump_python(page)) == page
    assert adapter.validate_json(adapter.dump_json(page)) == page


@every_class
@settings(deadline=None, max_examples=15)
@given(st.data())
def test_both_paths_return_the_same_value_for_valid_json(cl: Any, data: st.DataObject) -> None:
    assert check_paths(data.draw(documents(cl, None)), cl) is not None


@every_class
@settings(deadline=None, max_examples=30)
@given(st.data())
def test_both_paths_return_the_same_problems_for_any_json(cl: Any, data: st.DataObject) -> None:
    event("valid" if check_paths(data.draw(documents(cl, WRONG)), cl) else "invalid")


BODY: Final = converter.dumps(
    Room(
        id="a",
        unique_name="Zoë",
        created_at=datetime(2021, 4, 25, tzinfo=UTC),
        sessions=(models.RoomSession(id="b", participants=(models.RoomParticipant(id="c"),)),),
    )
)


@settings(deadline=None)
@given(
    st.binary()
    | st.builds(
        lambda at, junk: BODY[:at] + junk + BODY[at + len(junk) :],
        st.integers(0, 400),
        st.binary(max_size=3),
    )
)
def test_any_bytes_are_a_value_or_problems(body: bytes) -> None:
    value, problems = outcome(converter, body, Room)
    assert isinstance(value, Room) or problems
    assert (value, problems) == outcome(by_cattrs, body, Room)


# --- request models -----------------------------------------------------------------------------------------

REQUESTS: Final = classes_of(requests)
DAYS = st.dates(datetime(1900, 1, 1).date())  # noqa: DTZ001 - a date
NAMES = st.text("abc", min_size=1, max_size=3)
FIELDS: Final[dict[str, st.SearchStrategy[Any]]] = {
    **dict.fromkeys(
        ("created_at", "updated_at", "ended_at", "joined_at", "left_at", "started_at"),
        DAYS | DAYS.map(str) | st.builds(DateFilter, eq=DAYS) | st.builds(DateFilter, gte=DAYS),
    ),
    **dict.fromkeys(
        ("enable_recording", "include_sessions", "include_participants", "active"), st.booleans()
    ),
    **dict.fromkeys(("webhook_event_url", "webhook_event_failover_url"), NAMES.map("https://{}".format)),
    **dict.fromkeys(("max_participants", "webhook_timeout_secs", "page_number"), st.integers(2, 30)),
    **dict.fromkeys(("token_ttl_secs", "refresh_token_ttl_secs", "page_size"), st.integers(60, 250)),
    "participants": st.just("all")
    | st.lists(NAMES, min_size=1, max_size=2)
    | st.sets(st.uuids(), min_size=1, max_size=2),
    "exclude": st.lists(NAMES | st.uuids(), max_size=2),
    "audio_sources": st.none() | st.just(["*"]) | st.lists(NAMES, min_size=1, max_size=2),
    "video_layout": st.dictionaries(
        NAMES, st.builds(models.VideoRegion, width=st.none() | st.just(640)), min_size=1, max_size=2
    ),
    "resolution": st.just("640x480"),
    "duration_secs": st.builds(DurationFilter, gte=st.integers(0, 60)),
}


def request_models(cl: Any) -> st.SearchStrategy[attrs.AttrsInstance]:
    """Generate valid request models, in every form that the arguments may have."""
    fields = {field.name: field for field in attrs.fields(cl)}
    strategies = {name: FIELDS.get(name, NAMES) for name in fields}
    optional = {
        name: st.just(UNSET) | strategy if fields[name].default is UNSET else strategy
        for name, strategy in strategies.items()
        if fields[name].default is not attrs.NOTHING
    }
    required = {name: strategy for name, strategy in strategies.items() if name not in optional}
    return st.fixed_dictionaries(required, optional=optional).map(lambda arguments: cl(**arguments))


@pytest.mark.parametrize("cl", REQUESTS, ids=lambda cl: cl.__name__)
@settings(deadline=None, max_examples=30)
@given(st.data())
def test_request_model_made_of_what_is_sent_sends_the_same(cl: Any, data: st.DataObject) -> None:
    model = data.draw(request_models(cl))
    assert list(protocol.problems(model)) == []
    sent = converter.unstructure(model)
    names = {field.metadata.get("wire", field.name): field.name for field in attrs.fields(cl)}
    assert sent.keys() <= names.keys()
    again = cl(**{names[name]: argument(names[name], value) for name, value in sent.items()})
    assert list(protocol.problems(again)) == []
    assert converter.unstructure(again) == sent


def argument(name: str, value: Any) -> Any:
    """Return the argument that a sent value was made of."""
    if name == "video_layout":
        return {region: models.VideoRegion(**fields) for region, fields in value.items()}
    if isinstance(value, dict):
        return (DurationFilter if name == "duration_secs" else DateFilter)(**value)
    return value
