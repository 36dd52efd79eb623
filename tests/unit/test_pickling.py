"""Values of the public API survive pickling. Errors: see test_errors; settings: see test_settings."""

import pickle
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin

import attrs
import pytest

import telnyx_rooms_async
from telnyx_rooms_async import UNSET, Clock, RoomsClient
from telnyx_rooms_async.core.http_messages import FailureKind

EXAMPLES: dict[object, object] = {
    str: "a",
    int: 1,
    float: 0.5,
    bool: True,
    bytes: b"a",
    object: [1, {"a": None}],
    date: date(2021, 4, 25),
    datetime: datetime(2021, 4, 25, tzinfo=UTC),
    Path: Path("a"),
    FailureKind: FailureKind.LOST,
}


def example(hint: Any) -> Any:
    """Make a value of a type with all its fields set."""
    if isinstance(hint, TypeVar) or hint in EXAMPLES:
        return EXAMPLES.get(hint, "anything")
    arguments = get_args(hint)
    if get_origin(hint) is Literal:
        return arguments[0]
    if get_origin(hint) is UnionType:
        return example(next(argument for argument in arguments if argument is not NoneType))
    if get_origin(hint) is tuple:
        return tuple(example(argument) for argument in arguments if argument is not Ellipsis)
    if get_origin(hint) is Mapping:
        return {"a": example(arguments[1])}
    return hint(**{field.name: example(field.type) for field in attrs.fields(hint) if field.init})


CLASSES: list[type] = [
    cl
    for name in telnyx_rooms_async.__all__
    if isinstance(cl := getattr(telnyx_rooms_async, name), type)
    and attrs.has(cl)
    and not issubclass(cl, Exception | Clock)
]


@pytest.mark.parametrize("cl", CLASSES, ids=lambda cl: cl.__name__)
def test_value_equals_what_is_unpickled(cl: type) -> None:
    value = example(cl)
    assert pickle.loads(pickle.dumps(value)) == value


def test_unset_keeps_its_identity() -> None:
    assert pickle.loads(pickle.dumps(UNSET)) is UNSET


@pytest.mark.parametrize(
    "value",
    [RoomsClient("KEY"), RoomsClient("KEY").with_options(timeout=1), RoomsClient("KEY").rooms.list()],
    ids=["client", "view", "listing"],
)
def test_client_is_not_pickled_because_it_holds_the_key(value: object) -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(value)
