"""The cattrs converter between JSON and the classes of this package.

`converter` structures every response, webhook event, fault file and table row, and unstructures every
request body and filter. It never coerces: a string is not an integer, and null is not a string.

msgspec accelerates it: models are structured by `msgspec.convert` inside a cattrs hook, and `loads` decodes
the body of a response in one step. What msgspec refuses, or would leave in another time zone, is structured
by cattrs itself, which names the path of each wrong value. Where both succeed, their results are equal.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Final, Generic, TypeAlias, TypeVar, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

import attrs
import cattrs
import msgspec
from cattrs.cols import (
    is_mapping,
    mapping_structure_factory,  # pyright: ignore[reportUnknownVariableType] - cattrs leaves two arguments untyped
)
from cattrs.errors import IterableValidationNote
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

__all__ = [
    "DecodeError",
    "Envelope",
    "JsonConverter",
    "converter",
    "encode_json",
    "make_converter",
    "parse_json",
]

T = TypeVar("T")
_StructureHook: TypeAlias = Callable[[Any, Any], Any]
_Getter: TypeAlias = Callable[[Any], Any]

_MAX_ERRORS_PER_LIST: Final = 50
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class DecodeError(ValueError):
    """JSON is malformed or does not fit a class; ``args`` has ``"$.path: problem"`` for each wrong value.

    Example:
        >>> try:
        ...     Room.from_dict({"id": 1})
        ... except DecodeError as error:
        ...     print(error)
        $.id: expected string, got integer
    """


class WrongTypeError(TypeError):
    """A value has the wrong JSON type. The message does not show the value, which may be a secret."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Envelope(Generic[T]):
    """The JSON object around a single result: ``{"data": …}``."""

    data: T
    """The result."""


def parse_json(body: bytes) -> Any:  # noqa: ANN401 - JSON can be any value
    """Parse JSON into dicts, lists, strings, numbers, booleans and None.

    Raises:
        DecodeError: the body is not JSON, or is nested too deeply.
    """
    try:
        return msgspec.json.decode(body.removeprefix(_BYTE_ORDER_MARK))
    except RecursionError:
        raise DecodeError("$: nested too deeply") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DecodeError(f"$: {error}" if body else "$: the body is empty") from None


def encode_json(data: object) -> bytes:
    """Write dicts, lists, strings, numbers, booleans and None as JSON."""
    return msgspec.json.encode(data)


class JsonConverter(cattrs.Converter):
    """A `cattrs.Converter` that also reads and writes JSON.

    Example:
        >>> from telnyx_rooms_async import Room
        >>> room = converter.structure({"id": "0ccc7b54"}, Room)
        >>> converter.loads(converter.dumps(room), Room) == room
        True
    """

    use_msgspec: bool = False
    """Whether msgspec decodes the bodies of valid responses in one step."""

    def loads(self, body: bytes, cl: type[T]) -> T:
        """Structure JSON as `cl`.

        Raises:
            DecodeError: with the path of every value that does not fit.
        """
        return self.loader(cl)(body)

    def loader(self, cl: type[T]) -> Callable[[bytes], T]:
        """Return the function that `loads` JSON as `cl`, for many calls."""
        key: Any = cl
        decoder = _decoder(key) if self.use_msgspec else None
        if decoder is None:
            return lambda body: self.structure_json(parse_json(body), cl)
        decode, columns = decoder

        def load(body: bytes) -> T:
            try:
                result: Any = decode(body)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                pass  # cattrs may accept it, or names the path of each wrong value
            else:
                if columns is None or columns.all_in_utc(result.data):
                    structured: T = result
                    return structured
            return self.structure_json(parse_json(body), cl)

        return load

    def structure_json(self, data: object, cl: type[T]) -> T:
        """Structure parsed JSON as `cl`.

        Raises:
            DecodeError: with the path of every value that does not fit.
        """
        try:
            return self.structure(data, cl)
        except (cattrs.BaseValidationError, WrongTypeError) as error:
            problems = cattrs.transform_error(error, format_exception=_describe)
            # cattrs writes "problem @ path", where names in a path may be any text.
            parts = [problem.partition(" @ ") for problem in problems]
            raise DecodeError(*(f"{path}: {what}" for what, _, path in parts)) from None

    def dumps(self, obj: object) -> bytes:
        """Write an object as JSON, its fields in the order of its class."""
        return encode_json(self.unstructure(obj))


# --- structuring ------------------------------------------------------------------------------------------

_JSON_NAMES: Final[Mapping[type, str]] = {
    dict: "object",
    list: "array",
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    NoneType: "null",
}


def _expect(value: T, *types: type) -> T:
    if type(value) not in types:
        got = _JSON_NAMES.get(type(value), type(value).__name__)
        raise WrongTypeError(f"expected {_JSON_NAMES[types[0]]}, got {got}")
    return value


def _strict(json_type: type, then: _StructureHook = lambda value, _: value) -> _StructureHook:
    """Return a hook that accepts one JSON type only."""
    return lambda value, cl: then(_expect(value, json_type), cl)


def _structure_datetime(value: object, _: type) -> datetime:
    try:
        instant = msgspec.convert(_expect(value, str), datetime)
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (msgspec.ValidationError, OverflowError, UnicodeEncodeError):
        raise WrongTypeError("expected an RFC 3339 instant, got another string") from None


def _lenient(default: object, own: cattrs.Converter) -> _StructureHook:
    """Return a hook that takes the default for a value of the wrong type."""

    def structure(value: object, cl: Any) -> Any:  # noqa: ANN401 - of any type
        try:
            return own.structure(value, cl)
        except (cattrs.BaseValidationError, WrongTypeError):
            return default

    return structure


def _is_tuple(cl: Any) -> bool:  # noqa: ANN401 - any annotation
    return get_origin(cl) is tuple


def _is_plain_model(cl: Any) -> bool:  # noqa: ANN401 - any annotation
    """Return whether a class is an attrs class without type parameters: msgspec is slow with these."""
    return attrs.has(cl) and get_origin(cl) is None and not getattr(cl, "__parameters__", ())


def _items_hook(item: Any, own: cattrs.Converter) -> _StructureHook:  # noqa: ANN401 - any annotation
    """Return the hook for the items of an array. It stops after a number of errors: millions are possible."""

    def structure(values: list[Any], _: Any) -> tuple[Any, ...]:  # noqa: ANN401 - of any type
        hook = own.get_structure_hook(item)
        items: list[Any] = []
        errors: list[Exception] = []
        for index, value in enumerate(values):
            try:
                items.append(hook(value, item))
            except (cattrs.BaseValidationError, WrongTypeError) as error:
                error.add_note(IterableValidationNote(f"@ index {index}", index, item))
                errors.append(error)
                if len(errors) == _MAX_ERRORS_PER_LIST:
                    break
        if errors:
            raise cattrs.IterableValidationError("items", errors, tuple)  # pyright: ignore[reportCallIssue] - it does take the class
        return tuple(items)

    return structure


def _describe(error: BaseException, _: type | None) -> str:
    if isinstance(error, cattrs.ForbiddenExtraKeysError):
        return f"unknown field: {', '.join(sorted(error.extra_fields))}"
    return "missing" if isinstance(error, KeyError) else str(error)


# --- the fast path ----------------------------------------------------------------------------------------


def _fast(cl: Any, detailed: _StructureHook) -> _StructureHook:  # noqa: ANN401 - a model, or a tuple of models
    """Return a hook that uses msgspec, and `detailed` for what msgspec refuses or leaves in another zone."""
    columns = _columns(cl)

    def structure(value: Any, target: Any) -> Any:  # noqa: ANN401 - of any type
        try:
            result = msgspec.convert(value, cl)
        except (msgspec.ValidationError, RecursionError, UnicodeEncodeError):  # of a lone surrogate
            return detailed(value, target)
        return result if columns is None or columns.all_in_utc(result) else detailed(value, target)

    return structure


class _Columns:
    """Where the instants of a model are, to check all models of a page field by field.

    msgspec keeps the time zone of an instant, and leaves an instant without one naive.
    """

    def __init__(
        self,
        instants: tuple[_Getter, ...],
        nested: tuple[tuple[_Getter, "_Columns"], ...],
        *,
        is_tuple: bool,
    ) -> None:
        self.instants = instants
        self.nested = nested
        self.is_tuple = is_tuple

    def all_in_utc(self, result: Any) -> bool:  # noqa: ANN401 - a model, or a tuple of models
        if self.is_tuple:
            return self._are_in_utc(result)
        for column in self.instants:
            instant = column(result)
            if instant is not None and instant.tzinfo is not UTC:
                return False
        for column, columns in self.nested:
            child = column(result)
            if child and not columns.all_in_utc(child):
                return False
        return True

    def _are_in_utc(self, models: Sequence[Any]) -> bool:
        for column in self.instants:
            for instant in map(column, models):
                if instant is not None and instant.tzinfo is not UTC:
                    return False
        for column, columns in self.nested:
            children = [value for value in map(column, models) if value]
            if children and columns.is_tuple:
                children = [child for value in children for child in value]
            if children and not columns._are_in_utc(children):  # noqa: SLF001 - of the same class
                return False
        return True


@cache
def _decoder(cl: Any) -> tuple[Callable[[bytes], Any], _Columns | None] | None:  # noqa: ANN401 - any class
    """Return how msgspec decodes a class with a type parameter, as a page, and the columns of its ``data``.

    None for any other class.
    """
    origin: Any = get_origin(cl)
    if not attrs.has(origin) or "data" not in attrs.fields_dict(origin):
        return None
    data: Any = attrs.fields_dict(origin)["data"].type
    item = get_args(cl)[0]
    return msgspec.json.Decoder(cl).decode, _columns(data[item] if _is_tuple(data) else item)


@cache
def _columns(cl: Any) -> _Columns | None:  # noqa: ANN401 - any annotation
    """Return where instants are in a model or a tuple of models; None if there are none."""
    is_tuple = _is_tuple(cl)
    model = get_args(cl)[0] if is_tuple else cl
    if not attrs.has(model):
        return None
    options = [
        (attrgetter(name), option)
        for name, hint in get_type_hints(model).items()
        for option in (get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,))
    ]
    instants = tuple(getter for getter, option in options if option is datetime)
    nested = tuple((getter, columns) for getter, option in options if (columns := _columns(option)))
    return _Columns(instants, nested, is_tuple=is_tuple) if instants or nested else None


# --- unstructuring ----------------------------------------------------------------------------------------


def _unstructure_datetime(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _unstructure_model(cl: Any, own: cattrs.Converter) -> Callable[[Any], dict[str, Any]]:  # noqa: ANN401 - of any class
    """Return the hook of an attrs class.

    The metadata of a field can rename it (``wire``) and leave it out while it has its default
    (``omit_default``), as request bodies and filters need.
    """
    overrides = {
        field.name: override(
            rename=field.metadata.get("wire"),
            omit_if_default=field.metadata.get("omit_default", False),
        )
        for field in attrs.fields(get_origin(cl) or cl)
    }
    return make_dict_unstructure_fn(cl, own, **cast("dict[str, Any]", overrides))


def make_converter(*, use_msgspec: bool = True, **options: Any) -> JsonConverter:  # noqa: ANN401 - of cattrs
    """Return a new converter, for hooks of your own.

    Args:
        use_msgspec: False structures by cattrs alone: the same results, several times slower.
        options: further arguments of `cattrs.Converter`. Those of structuring need ``use_msgspec=False``.
    """
    own = JsonConverter(unstruct_collection_overrides={tuple: list}, **options)
    own.use_msgspec = use_msgspec

    def model_hook(cl: Any) -> _StructureHook:  # noqa: ANN401 - any attrs class
        lenient = {
            field.name: override(struct_hook=_lenient(field.default, own))
            for field in attrs.fields(get_origin(cl) or cl)
            if field.metadata.get("lenient")
        }
        detailed = _strict(dict, make_dict_structure_fn(cl, own, **cast("dict[str, Any]", lenient)))
        return _fast(cl, detailed) if use_msgspec and _is_plain_model(cl) else detailed

    def tuple_hook(cl: Any) -> _StructureHook:  # noqa: ANN401 - any homogeneous tuple
        item = get_args(cl)[0]
        detailed = _strict(list, _items_hook(item, own))
        return _fast(cl, detailed) if use_msgspec and _is_plain_model(item) else detailed

    for scalar in (str, int, bool):
        own.register_structure_hook(scalar, _strict(scalar))
    own.register_structure_hook(float, lambda value, _: float(_expect(value, float, int)))
    own.register_structure_hook(datetime, _structure_datetime)
    own.register_structure_hook_func(lambda cl: cl is object, lambda value, _: value)
    own.register_structure_hook_factory(attrs.has, model_hook)
    own.register_structure_hook_factory(_is_tuple, tuple_hook)
    own.register_structure_hook_factory(
        is_mapping, lambda cl, conv: _strict(dict, mapping_structure_factory(cl, conv))
    )
    # By the class of each item: cattrs 24 leaves the items of a generic class as they are.
    own.register_unstructure_hook_func(_is_tuple, lambda items: [own.unstructure(item) for item in items])
    own.register_unstructure_hook(datetime, _unstructure_datetime)
    own.register_unstructure_hook_func(lambda cl: cl is date, date.isoformat)
    own.register_unstructure_hook(UUID, str)
    own.register_unstructure_hook(str, str.__str__)  # of a subclass, such as a secret: its exact text
    own.register_unstructure_hook_factory(attrs.has, _unstructure_model)
    return own


converter: Final = make_converter()
"""The converter of this package."""
