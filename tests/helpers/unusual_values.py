"""Strings and collections whose other methods raise or return unusual values."""

from collections.abc import Iterator
from enum import Enum
from typing import NoReturn


class SelfReturningStr(str):
    """A str subclass whose conversions return itself, or other text."""

    __slots__ = ()

    def __str__(self) -> str:
        return self

    def __format__(self, spec: str) -> str:
        return "../../account"

    def __eq__(self, other: object) -> bool:
        return False

    def __ne__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return False


class RaisingStr(str):
    """A str subclass that raises in every method."""

    __slots__ = ()

    def _fail(self, *_: object) -> NoReturn:
        raise RuntimeError("a method of the argument was called")

    __str__ = __format__ = __repr__ = __eq__ = __ne__ = __len__ = __bool__ = __iter__ = __getitem__ = _fail
    __contains__ = strip = lower = isspace = _fail

    def __hash__(self) -> int:
        return super().__hash__()


def enum_member(text: str) -> str:
    """Return a member of a ``class Names(str, Enum)``, which prints as ``Names.MEMBER``."""
    member: str = Enum("Names", {"MEMBER": text}, type=str).MEMBER  # type: ignore[attr-defined]  # made by the functional API
    return member


UNUSUAL_STRINGS = (SelfReturningStr, RaisingStr, enum_member)
"""Functions that make an unusual str from a plain one."""


class ElementwiseArray:
    """Items whose truth value is an error and whose comparison is done item by item, as with numpy."""

    def __init__(self, items: list[object]) -> None:
        self._items = items

    def __iter__(self) -> Iterator[object]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, item: object) -> bool:
        return item in self._items

    def __bool__(self) -> bool:
        raise ValueError("the truth value of an array is ambiguous")

    def __eq__(self, other: object) -> "ElementwiseArray":  # type: ignore[override]  # as numpy's
        return ElementwiseArray([item == other for item in self._items])

    __hash__ = None  # type: ignore[assignment]  # as numpy's


class BrokenIterable:
    """An iterable that raises when it is iterated."""

    def __iter__(self) -> Iterator[object]:
        raise RuntimeError("iteration failed")
