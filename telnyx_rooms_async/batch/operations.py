"""The same call for many items, and a journal of it where one is asked for."""

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from attrs import frozen

from telnyx_rooms_async import batch
from telnyx_rooms_async.batch.journal import Journal
from telnyx_rooms_async.core.validators import exact_integer, short_repr
from telnyx_rooms_async.errors import InvalidArgumentError
from telnyx_rooms_async.http.api_session import ApiSession

if TYPE_CHECKING:
    from telnyx_rooms_async.batch.journal import Header

Item = TypeVar("Item")
Value = TypeVar("Value")


@frozen(kw_only=True, eq=False, repr=False)
class BulkOperation(Generic[Item, Value]):
    """What is done to each of many items."""

    name: str
    """The kind of job, as it stands in a journal: ``"create_many"``."""
    act: Callable[[Item, float | None], Awaitable[Value]]
    """Does it. The number is given when it may have been done already: no earlier than that moment, in
    seconds since the epoch, as `now` returned them."""
    api: ApiSession

    def now(self) -> float:
        """Return the server's time as far as it is known, in seconds since the epoch."""
        return self.api.server_now()

    def run(
        self,
        items: Iterable[Item] | AsyncIterable[Item],
        *,
        limit: int,
        ordered: bool = False,
        max_failures: int | None = None,
        journal: Journal | None = None,
    ) -> AsyncGenerator[batch.Outcome[Item, Value], None]:
        """Do it to all, at most `limit` at once.

        Raises:
            InvalidArgumentError: an option or the items cannot be so.
        """
        source = open_items(items)
        limit = checked_count("limit", limit)
        max_failures = None if max_failures is None else checked_count("max_failures", max_failures)
        try:
            if journal is None:
                return batch.stream(
                    self._once, source, limit=limit, ordered=ordered, max_failures=max_failures
                )
            from telnyx_rooms_async.batch.journal import Journaled  # noqa: PLC0415 - few jobs have a journal

            job = Journaled(journal, self.act, source)
            entries = job.entries()
            outcomes = batch.stream(
                job.once, entries, limit=limit, ordered=ordered, max_failures=max_failures
            )
            return job.run(outcomes, self._header)
        except ValueError as error:
            raise InvalidArgumentError((str(error),)) from None

    def _header(self) -> "Header":
        from telnyx_rooms_async.batch.journal import ACCOUNT_MESSAGE, Header  # noqa: PLC0415 - see above

        transport = self.api.transport
        return Header(
            job=self.name,
            started=self.now(),
            base_url=transport.base_url,
            account=transport.keyed_digest(ACCOUNT_MESSAGE),
        )

    async def _once(self, item: Item) -> Value:
        return await self.act(item, None)


def open_items(items: Iterable[Item] | AsyncIterable[Item]) -> Iterable[Item] | AsyncIterable[Item]:
    """Return an iterator of the items: an array without a dimension is an iterable only by its class.

    What the iterator raises later is its owner's business, and ends the job.

    Raises:
        InvalidArgumentError: the items are no iterable, or a text, which is one item at most.
    """
    given = cast("object", items)
    if not isinstance(given, str | bytes) and isinstance(given, Iterable | AsyncIterable):
        try:
            return aiter(items) if isinstance(items, AsyncIterable) else iter(items)
        except Exception as error:
            raise InvalidArgumentError((f"the items cannot be iterated: {short_repr(items)}",)) from error
    raise InvalidArgumentError((f"the items must be an iterable of them, not {short_repr(items)}",))


def checked_count(name: str, value: object) -> int:
    """Return a whole number of any class, 1 or more.

    Raises:
        InvalidArgumentError: it is none.
    """
    number = exact_integer(value)
    if type(number) is int and number >= 1:
        return number
    raise InvalidArgumentError((f"{name} must be a whole number, 1 or more, not {short_repr(value)}",))


def exact_count(value: object) -> Any:  # noqa: ANN401 - the field has the type
    """Return a number of any class of integers as an exact int; other values unchanged."""
    return exact_integer(value)
