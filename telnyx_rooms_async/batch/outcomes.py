"""What comes of an item: a value or an error."""

from typing import ClassVar, Generic, Literal, NoReturn, TypeAlias, TypeVar

from attrs import frozen

Item_co = TypeVar("Item_co", covariant=True)
Value_co = TypeVar("Value_co", covariant=True)
Item = TypeVar("Item")
Value = TypeVar("Value")


@frozen(kw_only=True)
class Done(Generic[Item_co, Value_co]):
    """What came of an item that went well."""

    index: int
    """Its place among the items, counted from 0."""
    item: Item_co
    value: Value_co
    elapsed: float
    """Seconds that the call took."""

    ok: ClassVar[Literal[True]] = True

    def unwrap(self) -> Value_co:
        """Return the value."""
        return self.value


@frozen(kw_only=True)
class Failed(Generic[Item_co]):
    """What came of an item that did not."""

    index: int
    """Its place among the items, counted from 0."""
    item: Item_co
    error: Exception
    elapsed: float
    """Seconds that the call took."""

    ok: ClassVar[Literal[False]] = False

    def unwrap(self) -> NoReturn:
        """Raise the error."""
        raise self.error


Outcome: TypeAlias = Done[Item_co, Value_co] | Failed[Item_co]
"""A union, so that a type checker finds who forgets the error."""


def renamed(outcome: Outcome[object, Value], index: int, item: Item) -> Outcome[Item, Value]:
    """Give an outcome another place and item: those that its user knows."""
    if isinstance(outcome, Done):
        return Done(index=index, item=item, value=outcome.value, elapsed=outcome.elapsed)
    return Failed(index=index, item=item, error=outcome.error, elapsed=outcome.elapsed)


def stopped(errors: list[Exception], after: int | None) -> ExceptionGroup:
    """Make what is raised when so many failures ended a job."""
    failures = "1 failure" if after == 1 else f"{after} failures"
    return ExceptionGroup(f"stopped after {failures}", errors)


class CancelledWithinError(RuntimeError):
    """A call, or the source of the items, ended itself: it was cancelled, and not by who runs the batch."""
