"""Outcomes of batch calls: a value or an error per item."""

from typing import ClassVar, Generic, Literal, NoReturn, TypeAlias, TypeVar

from attrs import frozen

Item_co = TypeVar("Item_co", covariant=True)
Value_co = TypeVar("Value_co", covariant=True)
Item = TypeVar("Item")
Value = TypeVar("Value")


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


def relabel(outcome: Outcome[object, Value], index: int, item: Item) -> Outcome[Item, Value]:
    """Return an outcome with another index and item."""
    if isinstance(outcome, Done):
        return Done(index=index, item=item, value=outcome.value, elapsed=outcome.elapsed)
    return Failed(index=index, item=item, error=outcome.error, elapsed=outcome.elapsed)


def failure_limit_reached(errors: list[Exception], max_failures: int | None) -> ExceptionGroup:
    """Return the exception of a batch that was stopped by `max_failures` failures."""
    failures = "1 failure" if max_failures == 1 else f"{max_failures} failures"
    return ExceptionGroup(f"stopped after {failures}", errors)


class CancelledWithinError(RuntimeError):
    """A call, or the source of the items, was cancelled, but the batch was not."""
