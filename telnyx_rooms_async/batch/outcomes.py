"""Outcomes of batch calls: `Done` or `Failed`, one for each item."""

from typing import ClassVar, Generic, Literal, NoReturn, TypeAlias, TypeVar, final

from attrs import frozen

Item_co = TypeVar("Item_co", covariant=True)
Value_co = TypeVar("Value_co", covariant=True)


@final
@frozen(kw_only=True)
class Done(Generic[Item_co, Value_co]):
    """Outcome of a call that returned a value."""

    index: int
    """Position among the items, counted from 0."""
    item: Item_co
    value: Value_co
    elapsed: float
    """Duration of the call in seconds."""

    ok: ClassVar[Literal[True]] = True

    def unwrap(self) -> Value_co:
        """Return the value."""
        return self.value


@final
@frozen(kw_only=True)
class Failed(Generic[Item_co]):
    """Outcome of a call that raised an exception."""

    index: int
    """Position among the items, counted from 0."""
    item: Item_co
    error: Exception
    elapsed: float
    """Duration of the call in seconds."""

    ok: ClassVar[Literal[False]] = False

    def unwrap(self) -> NoReturn:
        """Raise the error."""
        raise self.error


Outcome: TypeAlias = Done[Item_co, Value_co] | Failed[Item_co]
"""A union, so that a type checker reports code that ignores the error."""


class CancelledWithinError(RuntimeError):
    """A call, or the source of the items, was cancelled, but the batch was not."""
