"""Bytes to values and back: the only room that knows msgspec and cattrs.

The fast lane decodes typed, straight from bytes. What it refuses goes down the careful lane, which
parses first and then structures: that one forgives what Telnyx has been seen to vary (a byte-order mark,
odd page numbers, zones other than UTC) and names the path of every misfit. Where both succeed they agree.
The fast lane passes unknown fields over unread; the careful lane has to parse them.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from operator import attrgetter
from types import NoneType
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast, get_args, get_origin, get_type_hints

import cattrs
import msgspec
from attrs import AttrsInstance, asdict, fields, frozen, has
from cattrs.cols import (
    is_mapping,
    mapping_structure_factory,  # pyright: ignore[reportUnknownVariableType] - cattrs leaves two arguments untyped
)
from cattrs.errors import IterableValidationNote
from cattrs.gen import make_dict_structure_fn

from telnyx_rooms_async.core.models import Page, PageMeta

T = TypeVar("T")
_Getter: TypeAlias = Callable[[Any], Any]
_Hook: TypeAlias = Callable[[Any, Any], Any]

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_MISFITS_LIMIT: Final = 50
"""Told of one list."""
_NOT_JSON: Final = (msgspec.MsgspecError, UnicodeDecodeError)


class MisfitError(Exception):
    """A body is not what it should be; ``args`` says what is wrong and where, a string each."""


def decode(body: bytes, answer: type[T]) -> T:
    """Read the body of a success: a `Page`, one thing under ``data``, or nothing for ``NoneType``.

    Raises:
        MisfitError: with the path of everything that does not fit.
    """
    if answer is NoneType:
        return cast("T", None)
    envelope = _envelope(cast("Hashable", answer))
    try:
        whole = envelope.fast(body)
    except (*_NOT_JSON, RecursionError):
        whole = _careful(body, envelope.whole)
    else:
        # msgspec leaves each zone as it came, and an instant without one naive.
        if not _all_in_utc(envelope.kind, envelope.items(whole)):
            whole = _careful(body, envelope.whole)
    told: T = envelope.answer(whole)
    return told


def encode(value: object) -> bytes:
    """Write plain data or a model as JSON, a model's fields in the order of its class."""
    return msgspec.json.encode(asdict(cast("AttrsInstance", value)) if has(type(value)) else value)


def parse(body: bytes) -> Any:  # noqa: ANN401 - JSON may be anything
    """Read JSON as plain data.

    Raises:
        MisfitError: when it is not JSON, or nested too deep.
    """
    try:
        return msgspec.json.decode(body.removeprefix(_BYTE_ORDER_MARK))
    except RecursionError:
        raise MisfitError("$: nested too deep") from None
    except _NOT_JSON as error:
        raise MisfitError(f"$: {error}" if body else "$: the body is empty") from None


# --- what stands around an answer -------------------------------------------------------------------------


@frozen(kw_only=True)
class _One(Generic[T]):
    """The envelope of a single thing."""

    data: T


@frozen(kw_only=True)
class _Envelope:
    """How a whole body is decoded, and how to reach what is in it."""

    whole: Any
    kind: Any
    fast: Callable[[bytes], Any]
    answer: _Getter
    items: _Getter


@cache
def _envelope(answer: Any) -> _Envelope:  # noqa: ANN401 - a generic alias is of no common type
    def page(whole: Any) -> Any:  # noqa: ANN401
        return whole

    paged = get_origin(answer) is Page
    whole = answer if paged else _One[answer]
    return _Envelope(
        whole=whole,
        kind=get_args(answer)[0] if paged else answer,
        fast=msgspec.json.Decoder(whole).decode,
        answer=page if paged else attrgetter("data"),
        items=attrgetter("data") if paged else lambda one: (one.data,),
    )


# --- the fast lane's one check ----------------------------------------------------------------------------


def _all_in_utc(kind: Any, items: Sequence[Any]) -> bool:  # noqa: ANN401 - any model
    """Tell whether all instants in `items` are in UTC: column by column, cheaper than object by object."""
    instants, nested = _columns(kind)
    for column in instants:
        for moment in map(column, items):
            if moment is not None and moment.tzinfo is not UTC:
                return False
    for column, inner in nested:
        below = [each for many in map(column, items) if many for each in many]
        if below and not _all_in_utc(inner, below):
            return False
    return True


@cache
def _columns(kind: Any) -> tuple[list[_Getter], list[tuple[_Getter, Any]]]:  # noqa: ANN401
    """Return how to reach the instants of a model, and the tuples of models in it with their kinds."""
    hints = get_type_hints(kind).items()
    options = [(name, option) for name, hint in hints for option in get_args(hint) or (hint,)]
    return (
        [attrgetter(name) for name, option in options if option is datetime],
        [(attrgetter(name), get_args(option)[0]) for name, option in options if _is_tuple(option)],
    )


# --- the careful lane -------------------------------------------------------------------------------------


def _careful(body: bytes, whole: Any) -> Any:  # noqa: ANN401 - any envelope
    try:
        return _converter().structure(parse(body), whole)
    except (cattrs.BaseValidationError, _WrongKindError) as error:
        misfits = cattrs.transform_error(error, format_exception=_explain)
        raise MisfitError(*map(_path_first, misfits)) from None


@cache
def _converter() -> cattrs.Converter:
    """Make the converter that refuses to coerce: cattrs by itself turns null into "None" and 7.9 into 7."""
    converter = cattrs.Converter()
    for kind in (str, int, bool):
        converter.register_structure_hook(kind, _only(kind))
    converter.register_structure_hook(float, lambda value, _: float(_expect(value, float, int)))
    converter.register_structure_hook(datetime, _instant)
    converter.register_structure_hook(PageMeta, _page_meta)

    def model(kind: Any) -> _Hook:  # noqa: ANN401 - any attrs class
        return _only(dict, make_dict_structure_fn(kind, converter))

    def many(kind: Any) -> _Hook:  # noqa: ANN401 - any homogeneous tuple
        return _only(list, _many_structured(get_args(kind)[0], converter))

    def named(kind: Any) -> _Hook:  # noqa: ANN401 - any mapping
        return _only(dict, mapping_structure_factory(kind, converter))

    converter.register_structure_hook_factory(lambda kind: has(kind) and kind is not PageMeta, model)
    converter.register_structure_hook_factory(_is_tuple, many)
    converter.register_structure_hook_factory(is_mapping, named)
    return converter


def _is_tuple(kind: Any) -> bool:  # noqa: ANN401 - any annotation
    return get_origin(kind) is tuple


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
    """Turn cattrs' ``what @ path`` into ``path: what``."""
    what, _, path = misfit.rpartition(" @ ")
    return f"{path}: {what}"
