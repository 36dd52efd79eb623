"""JSON as plain data."""

from typing import Any, Final, get_origin

import msgspec

NOT_JSON: Final = (msgspec.MsgspecError, UnicodeDecodeError)
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class DecodeError(Exception):
    """A body is not what it should be; ``args`` says what is wrong and where, a string each."""


def parse(body: bytes) -> Any:  # noqa: ANN401 - JSON may be anything
    """Read JSON as plain data.

    Raises:
        DecodeError: when it is not JSON, or nested too deep.
    """
    try:
        return msgspec.json.decode(body.removeprefix(_BYTE_ORDER_MARK))
    except RecursionError:
        raise DecodeError("$: nested too deep") from None
    except NOT_JSON as error:
        raise DecodeError(f"$: {error}" if body else "$: the body is empty") from None


def is_tuple(kind: Any) -> bool:  # noqa: ANN401 - any annotation
    """Tell whether an annotation is that of a tuple of things."""
    return get_origin(kind) is tuple
