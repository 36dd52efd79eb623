"""The careful lane: parse first, then structure. It forgives, and names the path of every misfit."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from types import NoneType
from typing import Any, Final, TypeAlias, TypeVar, cast, get_args

import cattrs
import msgspec
from attrs import fields, has
from cattrs.cols import (
    is_mapping,
    mapping_structure_factory,  # pyright: ignore[reportUnknownVariableType] - cattrs leaves two arguments untyped
)
from cattrs.errors import IterableValidationNote
from cattrs.gen import make_dict_structure_fn

from telnyx_rooms_async.core.codec.plain import DecodeError, is_tuple, parse
from telnyx_rooms_async.models import PageMeta

T = TypeVar("T")
_Hook: TypeAlias = Callable[[Any, Any], Any]

_MISFITS_LIMIT: Final = 50
"""Told of one list."""


def structure(body: bytes, whole: Any) -> Any:  # noqa: ANN401 - any envelope
    """Read a body as an envelope.

    Raises:
        DecodeError: with the path of everything that does not fit.
    """
    try:
        return _converter().structure(parse(body), whole)
    except (cattrs.BaseValidationError, _WrongKindError) as error:
        misfits = cattrs.transform_error(error, format_exception=_explain)
        raise DecodeError(*map(_path_first, misfits)) from None


@cache
def _converter() -> cattrs.Converter:
    """Make the converter that refuses to coerce: cattrs by itself turns null into "None" and 7.9 into 7."""
    converter = cattrs.Converter()
    for kind in (str, int, bool):
        converter.register_structure_hook(kind, _only(kind))
    converter.register_structure_hook(float, lambda value, _: float(_expect(value, float, int)))
    converter.register_structure_hook(datetime, _instant)
    converter.register_structure_hook(PageMeta, _page_meta)
    converter.register_structure_hook_func(lambda kind: kind is object, lambda value, _: value)

    def model(kind: Any) -> _Hook:  # noqa: ANN401 - any attrs class
        return _only(dict, make_dict_structure_fn(kind, converter))

    def many(kind: Any) -> _Hook:  # noqa: ANN401 - any homogeneous tuple
        return _only(list, _many_structured(get_args(kind)[0], converter))

    def named(kind: Any) -> _Hook:  # noqa: ANN401 - any mapping
        return _only(dict, mapping_structure_factory(kind, converter))

    converter.register_structure_hook_factory(lambda kind: has(kind) and kind is not PageMeta, model)
    converter.register_structure_hook_factory(is_tuple, many)
    converter.register_structure_hook_factory(is_mapping, named)
    return converter


class _WrongKindError(TypeError):
    """A value of the wrong JSON type, told without the value: it may be a secret."""


_JSON_NAMES: Final[Mapping[type, str]] = {
    dict: "object",
    list: "array",
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    NoneType: "null",
}


def _expect(value: T, *kinds: type) -> T:
    if type(value) not in kinds:
        raise _WrongKindError(f"expected {_JSON_NAMES[kinds[0]]}, got {_JSON_NAMES[type(value)]}")
    return value


def _only(kind: type, then: _Hook = lambda value, _: value) -> _Hook:
    """Make a hook that takes one JSON type only and hands it on."""
    return lambda value, target: then(_expect(value, kind), target)


def _many_structured(kind: Any, converter: cattrs.Converter) -> _Hook:  # noqa: ANN401 - any annotation
    """Make the hook for a list of items. It gives up after a number of misfits, as there may be millions."""

    def structured(items: list[Any], _: Any) -> tuple[Any, ...]:  # noqa: ANN401
        hook = converter.get_structure_hook(kind)
        done: list[Any] = []
        misfits: list[Exception] = []
        for index, item in enumerate(items):
            try:
                done.append(hook(item, kind))
            except (cattrs.BaseValidationError, _WrongKindError) as error:
                error.add_note(IterableValidationNote(f"@ index {index}", index, kind))
                misfits.append(error)
                if len(misfits) == _MISFITS_LIMIT:
                    break
        if misfits:
            raise cattrs.IterableValidationError("items", misfits, tuple)  # pyright: ignore[reportCallIssue] - it does take the class
        return tuple(done)

    return structured


def _instant(value: object, _: type) -> datetime:
    try:
        moment = msgspec.convert(_expect(value, str), datetime)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (msgspec.ValidationError, OverflowError):
        raise _WrongKindError("expected an RFC 3339 instant, got another string") from None


def _page_meta(value: object, _: type) -> PageMeta:
    """Read what is sane of a hint: odd page numbers are no reason to refuse the page."""
    told = cast("Mapping[str, object]", value if isinstance(value, dict) else {})
    names = (field.name for field in fields(PageMeta))
    return PageMeta(**{name: number for name in names if type(number := told.get(name)) is int})


def _explain(error: BaseException, _: type | None) -> str:
    return "missing" if isinstance(error, KeyError) else str(error)


def _path_first(misfit: str) -> str:
    """Turn cattrs' ``what @ path`` into ``path: what``. The names in a path are the server's: any text."""
    what, _, path = misfit.partition(" @ ")
    return f"{path}: {what}"
