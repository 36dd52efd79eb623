"""API calls for many items, with an optional journal."""

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable
from typing import Any, Final, Generic, TypeVar, cast

from attrs import frozen

from telnyx_rooms_async.batch.journal import JobIdentity, Journal
from telnyx_rooms_async.batch.outcomes import Outcome
from telnyx_rooms_async.batch.resumable_run import ResumableRun
from telnyx_rooms_async.batch.stream import stream
from telnyx_rooms_async.core.validators import exact_integer, short_repr
from telnyx_rooms_async.errors import InvalidArgumentError
from telnyx_rooms_async.http.api_session import ApiSession

Item = TypeVar("Item")
Value = TypeVar("Value")

_ACCOUNT_MESSAGE: Final = b"telnyx-rooms-async journal"
"""Its digest, keyed with the API key, identifies the account in a journal without revealing the key."""


@frozen(kw_only=True, eq=False, repr=False)
class BulkOperation(Generic[Item, Value]):
    """Operation that can be applied to many items."""

    name: str
    """Name in a journal, such as ``"create_many"``."""
    apply: Callable[[Item, float | None], Awaitable[Value]]
    """Processes one item. The number is `None`, unless the item may have been processed already: then it is
    the server time, in seconds since the epoch, before which that certainly did not happen."""
    api: ApiSession

    def now(self) -> float:
        """Return the server time, as far as it is known, in seconds since the epoch."""
        return self.api.server_now()

    def run(
        self,
        items: Iterable[Item] | AsyncIterable[Item],
        *,
        limit: int,
        ordered: bool = False,
        max_failures: int | None = None,
        journal: Journal | None = None,
    ) -> AsyncGenerator[Outcome[Item, Value], None]:
        """Apply the operation to all items, at most `limit` at a time.

        Raises:
            InvalidArgumentError: the items are not iterable, or a number is not a whole number of at least 1.
        """
        source = open_items(items)
        limit = checked_count("limit", limit)
        max_failures = None if max_failures is None else checked_count("max_failures", max_failures)
        if journal is None:
            return stream(self._process, source, limit=limit, ordered=ordered, max_failures=max_failures)
        run = ResumableRun(journal=journal, job=self._identity, now=self.now, apply=self.apply, items=source)
        return run.outcomes(limit=limit, ordered=ordered, max_failures=max_failures)

    def _identity(self) -> JobIdentity:
        transport = self.api.transport
        return JobIdentity(self.name, transport.base_url, transport.keyed_digest(_ACCOUNT_MESSAGE))

    async def _process(self, item: Item) -> Value:
        return await self.apply(item, None)


def open_items(items: Iterable[Item] | AsyncIterable[Item]) -> Iterable[Item] | AsyncIterable[Item]:
    """Return an iterator of the items. Exceptions that it raises later end the job.

    Raises:
        InvalidArgumentError: the items are not iterable, or are a text.
    """
    value = cast("object", items)
    if not isinstance(value, str | bytes) and isinstance(value, Iterable | AsyncIterable):
        try:
            return aiter(items) if isinstance(items, AsyncIterable) else iter(items)
        except (
            Exception
        ) as error:  # such as a numpy array without a dimension, which is iterable by its class
            raise InvalidArgumentError((f"the items cannot be iterated: {short_repr(items)}",)) from error
    raise InvalidArgumentError((f"the items must be an iterable of items, got {short_repr(items)}",))


def checked_count(name: str, value: object) -> int:
    """Return an integer of any class as an `int`.

    Raises:
        InvalidArgumentError: it is not an integer, or less than 1.
    """
    number = exact_integer(value)
    if type(number) is int and number >= 1:
        return number
    raise InvalidArgumentError((f"{name} must be a whole number of at least 1, got {short_repr(value)}",))


def exact_count(value: object) -> Any:  # noqa: ANN401 - the field has the type
    """Return an integer of any class as an `int`, and other values unchanged."""
    return exact_integer(value)
