"""A job with a journal: what is done is passed over, what was in flight is settled."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable
from contextlib import aclosing
from typing import Final, Generic, TypeVar

from attrs import define, field, frozen

from telnyx_rooms_async.batch import Failed, Outcome
from telnyx_rooms_async.batch.outcomes import renamed
from telnyx_rooms_async.batch.sources import close_source, source_of
from telnyx_rooms_async.core.errors import TelnyxRoomsError
from telnyx_rooms_async.core.job_errors import JournalError
from telnyx_rooms_async.core.journal import (
    Header,
    State,
    begun_line,
    digest_of,
    done_line,
    failed_line,
    is_certain,
)
from telnyx_rooms_async.core.statuses import NameTakenError
from telnyx_rooms_async.journal import Journal
from telnyx_rooms_async.journaling import JournalFile

Item = TypeVar("Item")
Value = TypeVar("Value")
Item_co = TypeVar("Item_co", covariant=True)

_BREATH: Final = 500
"""After so many items that are passed over, others have a turn."""


@frozen
class Entry(Generic[Item_co]):
    """An item that is not done, and its place among all."""

    index: int
    item: Item_co
    digest: str
    may_be_done: bool


@define(eq=False)
class Journaled(Generic[Item, Value]):
    """One run of a job with its journal."""

    _journal: Journal
    _act: Callable[[Item, float | None], Awaitable[Value]]
    _items: Iterable[Item] | AsyncIterable[Item]
    _file: JournalFile = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._file = JournalFile(self._journal.path)

    async def run(
        self, outcomes: AsyncGenerator[Outcome[Entry[Item], Value], None], header: Callable[[], Header]
    ) -> AsyncGenerator[Outcome[Item, Value], None]:
        """Yield the outcomes under the names of their items. The journal is open from first to last.

        Args:
            outcomes: under the names of their entries.
            header: returns that of a new journal, once the job begins.

        Raises:
            JournalError: the journal cannot be used.
        """
        try:
            self._journal.skipped = 0
            await self._file.open(header(), key_rotated=self._journal.key_rotated)
            async with aclosing(outcomes):
                async for each in outcomes:
                    yield _checked(each)
        finally:
            self._file.close()

    async def entries(self) -> AsyncGenerator[Entry[Item], None]:
        """Yield the items that are not done.

        Raises:
            JournalError: the journal is of other input.
        """
        ledger, count = self._file.ledger, 0
        source = source_of(self._items)
        try:
            async for item in source:
                index, digest = count, digest_of(item)
                count += 1
                try:
                    state = ledger.state_of(index, digest)
                except ValueError as error:
                    raise JournalError(self._journal.path, str(error)) from None
                if state is not State.DONE:
                    yield Entry(index, item, digest, state is State.OPEN)
                    continue
                self._journal.skipped += 1
                if self._journal.skipped % _BREATH == 0:
                    await asyncio.sleep(0)
        finally:
            await close_source(source)
        if count < len(ledger):
            problem = f"it knows {len(ledger)} items, and the input has {count}: it is of other input"
            raise JournalError(self._journal.path, problem)

    async def once(self, entry: Entry[Item]) -> Value:
        """Do it to one item, between two lines of the journal."""
        index, digest, file = entry.index, entry.digest, self._file
        await file.record(begun_line(index, digest))
        try:
            value = await self._act(entry.item, file.started if entry.may_be_done else None)
        except TelnyxRoomsError as error:
            # Who looked for a room and found another's has certainly made none.
            may_be = not isinstance(error, NameTakenError) and (entry.may_be_done or not is_certain(error))
            await file.record(failed_line(index, digest, error, may_be_done=may_be))
            raise
        room_id = getattr(value, "id", None)
        await file.record(done_line(index, digest, room_id))
        return value


def _checked(outcome: Outcome[Entry[Item], Value]) -> Outcome[Item, Value]:
    """Give an outcome the item and the place that its user knows.

    Raises:
        JournalError: it could not be written down.
    """
    if isinstance(outcome, Failed) and isinstance(outcome.error, JournalError):
        raise outcome.error
    return renamed(outcome, outcome.item.index, outcome.item.item)
