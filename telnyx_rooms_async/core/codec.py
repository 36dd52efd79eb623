"""Former names of `serialization`, until every module uses that."""

from types import NoneType
from typing import Any, TypeVar, cast, get_origin

from attrs import has

from telnyx_rooms_async.models import Page
from telnyx_rooms_async.serialization import DecodeError, Envelope, converter, encode_json
from telnyx_rooms_async.serialization import parse_json as parse

__all__ = ["DecodeError", "decode", "encode", "parse"]
T = TypeVar("T")


def decode(body: bytes, answer: type[T]) -> T:
    """Structure a response body."""
    if answer is NoneType:
        return cast("T", None)
    if get_origin(answer) is Page:
        return converter.loads(body, answer)
    envelope: Any = Envelope
    return converter.loads(body, cast("type[Envelope[T]]", envelope[answer])).data


def encode(value: object) -> bytes:
    """Write a value as JSON."""
    return converter.dumps(value) if has(type(value)) else encode_json(value)
