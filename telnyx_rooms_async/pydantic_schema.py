"""Schemas of the models for pydantic, which asks the models for them."""

import ast
import inspect
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from types import NoneType, UnionType
from typing import Any, Final, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import attrs
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

# As in the converter, no type is converted into another one.
_STRICT: Final[Mapping[object, CoreSchema]] = {
    str: core_schema.str_schema(strict=True),
    int: core_schema.int_schema(strict=True),
    float: core_schema.float_schema(strict=True),
    bool: core_schema.bool_schema(strict=True),
}


def core_schema_of(source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - a class or an alias
    """Return the schema of a model, or of a page of a model."""
    cls: type[Any] = get_origin(source) or source
    arguments = get_args(source)
    parameters = dict(zip(cls.__parameters__, arguments, strict=True)) if arguments else {}
    hints = get_type_hints(cls)
    fields = {
        field.name: core_schema.typed_dict_field(
            _field_schema(hints[field.name], parameters, handler), required=field.default is attrs.NOTHING
        )
        for field in attrs.fields(cls)
    }

    def validate(value: object, fields_of: core_schema.ValidatorFunctionWrapHandler) -> object:
        return value if isinstance(value, cls) else cls(**fields_of(value))

    def serialize(model: object) -> dict[str, Any]:
        return {name: getattr(model, name) for name in fields}

    shape = core_schema.typed_dict_schema(fields)
    # From this, pydantic makes the names Room and Page_Room_.
    ref = f"{cls.__module__}.{cls.__qualname__}:{id(cls)}"
    if arguments:
        ref += f"[{','.join(argument.__qualname__ for argument in arguments)}]"
    return core_schema.no_info_wrap_validator_function(
        validate,
        shape,
        ref=ref,
        serialization=core_schema.plain_serializer_function_ser_schema(serialize, return_schema=shape),
    )


def _field_schema(hint: Any, parameters: Mapping[Any, Any], handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - any annotation
    if isinstance(hint, TypeVar):
        hint = parameters.get(hint, Any)
    if hint in _STRICT:
        return _STRICT[hint]
    if hint is datetime:
        return core_schema.no_info_after_validator_function(_in_utc, core_schema.datetime_schema())
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        (option,) = (item for item in arguments if item is not NoneType)
        return core_schema.nullable_schema(_field_schema(option, parameters, handler))
    if origin is tuple:
        item = _field_schema(arguments[0], parameters, handler)
        return core_schema.tuple_schema([item], variadic_item_index=0)
    return handler.generate_schema(hint)


def _in_utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)


def json_schema_of(cls: type[Any], schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
    """Return the JSON schema of a model, with its docstring and those of its fields."""
    json_schema = handler(schema)
    resolved = handler.resolve_ref_schema(json_schema)
    resolved["title"] = cls.__name__
    resolved["description"] = inspect.getdoc(cls)
    for name, description in _descriptions(cls).items():
        resolved["properties"][name]["description"] = description
    return json_schema


def _descriptions(cls: type[Any]) -> dict[str, str]:
    """Return the docstrings of the fields, which only the source contains."""
    descriptions: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if not attrs.has(base):
            continue
        try:
            body = cast("ast.ClassDef", ast.parse(inspect.getsource(base)).body[0]).body
        except OSError:  # an application without source files
            continue
        for statement, docstring in pairwise(body):
            match statement, docstring:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    descriptions[name] = inspect.cleandoc(text)
                case _:
                    pass
    return descriptions
