"""What may go wrong with a request, as a value. No HTTP."""

import re
from collections.abc import Mapping, Sequence
from math import inf
from typing import Final, Literal, TypeAlias, cast, get_args

from attrs import field, frozen

from telnyx_rooms_async.core.codec import encode
from telnyx_rooms_async.emulator.bounds import flag, is_seconds, is_whole, must_be

Cut: TypeAlias = Literal["before", "after", "headers", "body"]
Body: TypeAlias = bytes | str | Mapping[str, object] | Sequence[object]

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TEXT: Final = re.compile(r"[\t\x20-\x7e\x80-\ud7ff\ue000-\U0010ffff]*")
_CUTS: Final = get_args(Cut)
_LONGEST: Final = 10**9
"""Seconds that a client can be asked to wait."""


def _in_bytes(body: Body | None) -> bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    if isinstance(body, bytearray):
        return bytes(body)
    try:
        return body.encode() if isinstance(body, str) else encode(body)
    except (TypeError, ValueError):
        raise ValueError("body must be bytes, text, or an object or array of JSON") from None


def _in_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    told = cast("object", headers)  # it may come from a file
    if isinstance(told, Mapping) and all(map(_is_header, cast("Mapping[object, object]", told).items())):
        return dict(headers)
    raise ValueError(f"headers must be names and texts that HTTP can carry, not {headers!r}")


def _is_header(item: tuple[object, object]) -> bool:
    name, text = item
    return (
        isinstance(name, str)
        and isinstance(text, str)
        and bool(_NAME.fullmatch(name) and _TEXT.fullmatch(text))
    )


_status: Final = must_be(
    "a whole number from 200 to 599", lambda value: value is None or is_whole(value, 200, 599)
)
_cut: Final = must_be(f"one of {', '.join(_CUTS)}", lambda value: value is None or value in _CUTS)
_whole_seconds: Final = must_be(
    f"a whole number of seconds from 0 to {_LONGEST}",
    lambda value: value is None or is_whole(value, 0, _LONGEST),
)
_seconds: Final = must_be("a number of seconds, 0 or more", lambda value: is_seconds(value, inf))


@frozen(kw_only=True)
class Fault:
    """What goes wrong with a request. ``Fault()`` is nothing: it lets requests pass, for what comes after it.

    Raises:
        ValueError: a field cannot be so, or contradicts another; the field is named.
    """

    status: int | None = field(default=None, validator=_status)
    """Answer with this, from 200 to 599, and carry nothing out unless `after` says so."""
    body: bytes | None = field(default=None, converter=_in_bytes)
    """Answer with this: bytes, text, or an object or array to be written as JSON. Without `status` it takes
    the place of the body of a success; without `body` a status from 400 has the documented one."""
    headers: Mapping[str, str] = field(factory=dict[str, str], converter=_in_headers)
    """Add these to the answer, in the place of its own of the same name."""
    retry_after: int | None = field(default=None, validator=_whole_seconds)
    """Seconds: adds the header ``Retry-After``."""
    cut: Cut | None = field(default=None, validator=_cut)
    """Close the connection: ``before`` the operation is carried out; ``after`` it, without an answer; amid
    the ``headers`` of the answer, or amid its ``body`` (amid the headers too, if it has none)."""
    reset: bool = field(default=False, validator=flag)
    """Cut with a reset (RST) instead of an orderly end (FIN)."""
    delay: float = field(default=0.0, validator=_seconds)
    """Seconds to wait, ``math.inf`` for ever: before the operation, unless `after` says otherwise. That the
    client has gone meanwhile does not keep the operation from being carried out."""
    after: bool = field(default=False, validator=flag)
    """Carry the operation out first; then wait for `delay`, and tell `status`."""

    def __attrs_post_init__(self) -> None:
        if self.reset and self.cut is None:
            raise ValueError("reset is a way to cut: say where, with cut")
        if self.after and self.cut == "before":
            raise ValueError('after contradicts cut="before", by which nothing is carried out')
        told: dict[str, object] = {"status": self.status, "body": self.body, "headers": self.headers or None}
        told["retry_after"] = self.retry_after
        for name, value in told.items():
            if self.cut in ("before", "after") and value is not None:
                raise ValueError(f'{name} contradicts cut="{self.cut}", by which there is no answer')

    @property
    def carries_out(self) -> bool:
        """Whether the operation is carried out, sooner or later."""
        return self.after or (self.status is None and self.cut != "before")

    @property
    def extra_headers(self) -> Mapping[str, str]:
        """What is added to the headers of the answer."""
        hint = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return {**hint, **self.headers}
