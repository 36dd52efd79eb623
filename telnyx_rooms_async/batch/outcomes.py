"""Outcomes of batch calls: `Done` or `Failed`, one for each item."""

from typing import ClassVar, Generic, Literal, NoReturn, TypeAlias, TypeVar, final

from attrs import frozen

Item_co = TypeVar("Item_co", covariant=True)
Value_co = TypeVar("Value_co", covariant=True)


@final
@frozen(kw_only=True)
class Done(Generic[Item_co, Value_co]):
    """Outcome of a call that returned a value.

    Example:
        >>> async for outcome in batch.stream(client.rooms.retrieve, [room_id]):
        ...     print(outcome.index, outcome.value.unique_name)
        0 Weekly
    """

    index: int
    """Position among the items, counted from 0."""
    item: Item_co
    """The item."""
    value: Value_co
    """What the call returned."""
    elapsed: float
    """Duration of the call in seconds."""

    ok: ClassVar[Literal[True]] = True
    """True: the call returned."""
    error: ClassVar[None] = None
    """None: nothing was raised."""

    def unwrap(self) -> Value_co:
        """Return the value."""
        return self.value


@final
@frozen(kw_only=True)
class Failed(Generic[Item_co]):
    """Outcome of a call that raised an exception.

    Example:
        >>> async for outcome in batch.stream(client.rooms.retrieve, ["unknown"]):
        ...     print(outcome.index, outcome.item, type(outcome.error).__name__)
        0 unknown NotFoundError
    """

    index: int
    """Position among the items, counted from 0."""
    item: Item_co
    """The item."""
    error: Exception
    """What the call raised."""
    elapsed: float
    """Duration of the call in seconds."""

    ok: ClassVar[Literal[False]] = False
    """False: the call raised."""

    def unwrap(self) -> NoReturn:
        """Raise the error."""
        raise self.error


Outcome: TypeAlias = Done[Item_co, Value_co] | Failed[Item_co]
"""A union, so that a type checker reports code that ignores the error."""


class CancelledWithinError(RuntimeError):
    """A call, or the source of the items, was cancelled, but the batch was not.

    Example:
        >>> async def cancelled(number):
        ...     raise asyncio.CancelledError
        >>> async for outcome in batch.stream(cancelled, [1]):
        ...     print(type(outcome.error).__name__)
        CancelledWithinError
    """
