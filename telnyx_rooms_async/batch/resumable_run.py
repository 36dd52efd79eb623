"""One run of a batch job with a journal: which items are left, and what is recorded of each."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing
from hashlib import blake2b
from typing import Final, Generic, TypeVar, cast

from attrs import define, field, frozen

from telnyx_rooms_async.batch.journal import ItemRecord, ItemState, JobIdentity, Journal, JournalFile
from telnyx_rooms_async.batch.outcomes import Failed, Outcome, relabel
from telnyx_rooms_async.batch.stream import iterate, stream
from telnyx_rooms_async.core.validators import exact_flag, exact_integer, exact_url, short_repr
from telnyx_rooms_async.errors import (
    APIStatusError,
    InvalidArgumentError,
    JournalError,
    NameTakenError,
    TelnyxRoomsError,
)
from telnyx_rooms_async.models import Room, RoomSession

Item = TypeVar("Item")
Value = TypeVar("Value")
Item_co = TypeVar("Item_co", covariant=True)

_CHUNK: Final = 200
"""Number of recorded items that are read at once. The event loop runs other tasks in between."""
_DIGEST_SIZE: Final = 8
_RETRYABLE_STATUSES: Final = frozenset({408, 429})


@frozen
class _PendingItem(Generic[Item_co]):
    """Item that is not done, and its position in the input."""

    index: int
    item: Item_co
    digest: str
    may_be_done: bool


@define(kw_only=True, eq=False)
class ResumableRun(Generic[Item, Value]):
    """One run of a job with its journal."""

    journal: Journal
    job: Callable[[], JobIdentity]
    now: Callable[[], float]
    """Returns the server time in seconds since the epoch."""
    apply: Callable[[Item, float | None], Awaitable[Value]]
    """See `BulkOperation.apply`."""
    items: Iterable[Item] | AsyncIterable[Item]
    _file: JournalFile = field(init=False)
    _writes: dict[int, asyncio.Future[None]] = field(init=False, factory=dict[int, asyncio.Future[None]])
    """Records of outcomes that are not yielded yet, by index."""

    async def outcomes(
        self, *, limit: int, ordered: bool, max_failures: int | None
    ) -> AsyncGenerator[Outcome[Item, Value], None]:
        """Yield the outcomes of the items that are not done, each when its record is on the disk.

        Raises:
            JournalError: the journal cannot be used, or is of other input.
        """
        async with self.journal.open_for(self.job(), self.now()) as self._file:
            outcomes = stream(
                self._process, self._pending_items(), limit=limit, ordered=ordered, max_failures=max_failures
            )
            async with aclosing(outcomes):
                async for outcome in outcomes:
                    if isinstance(outcome, Failed) and isinstance(outcome.error, JournalError):
                        raise outcome.error
                    index = outcome.item.index
                    if (written := self._writes.pop(index, None)) is not None:
                        await written
                    yield relabel(outcome, index, outcome.item.item)

    async def _pending_items(self) -> AsyncGenerator[_PendingItem[Item], None]:
        recorded_count, states = self._file.item_count, dict[int, tuple[str, ItemState]]()
        index = 0
        async with aclosing(iterate(self.items)) as items:
            async for item in items:
                if index % _CHUNK == 0 and index < recorded_count:
                    states = await self._file.states(index, _CHUNK)
                digest = digest_of(item)
                recorded_digest, state = states.pop(index, (digest, None))
                if recorded_digest != digest:
                    problem = f"item {index} differs from the recorded one: the journal is of other input"
                    raise JournalError(self.journal.path, problem)
                if state == "done":
                    self.journal.skipped += 1
                else:
                    yield _PendingItem(index, item, digest, may_be_done=state == "open")
                index += 1
        if index < recorded_count:
            problem = f"it has {recorded_count} items, the input has {index}: the journal is of other input"
            raise JournalError(self.journal.path, problem)

    async def _process(self, pending: _PendingItem[Item]) -> Value:
        """Process one item when its start is on the disk, and start to write its outcome."""
        index, digest = pending.index, pending.digest
        await self._file.write(ItemRecord(index, digest, "open"))
        try:
            value = await self.apply(pending.item, self._file.started_at if pending.may_be_done else None)
        except TelnyxRoomsError as error:
            # After a lookup that found only the room of another caller, no room was created.
            may_be_done = not isinstance(error, NameTakenError) and (
                pending.may_be_done or not is_certain_failure(error)
            )
            status, code = (error.status, error.code) if isinstance(error, APIStatusError) else (None, None)
            state: ItemState = "open" if may_be_done else "failed"
            self._writes[index] = self._file.write(
                ItemRecord(index, digest, state, error=type(error).__name__, status=status, code=code)
            )
            raise
        self._writes[index] = self._file.write(ItemRecord(index, digest, "done", getattr(value, "id", None)))
        return value


def is_certain_failure(error: Exception) -> bool:
    """Return whether an item that met this error was certainly not processed."""
    if isinstance(error, APIStatusError):
        return 400 <= error.status < 500 and error.status not in _RETRYABLE_STATUSES  # noqa: PLR2004 - 4xx
    return isinstance(error, InvalidArgumentError)


def _to_json(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, object]", value))
    if isinstance(value, Room | RoomSession):
        return value.id
    exact = exact_integer(exact_flag(exact_url(value)))  # of numpy or yarl
    return str(value) if exact is value else exact


_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_to_json)


def digest_of(item: object) -> str:
    """Return a short digest of an item, which is the same in every process."""
    try:
        text = _ENCODER.encode(item)
    except Exception:  # noqa: BLE001 - nothing that could be sent: a user's object can raise anything
        text = f"{type(item).__name__} {_repr(item)}"
    return blake2b(text.encode(errors="surrogatepass"), digest_size=_DIGEST_SIZE).hexdigest()


def _repr(item: object) -> str:
    try:
        return str.__str__(repr(item))
    except Exception:  # noqa: BLE001 - a __repr__ can raise anything
        return short_repr(item)
