"""Bulk operations: API calls for many items, as a job to be iterated or awaited, with an optional journal."""

import asyncio
import json
import warnings
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Generator, Iterable, Mapping
from contextlib import aclosing
from functools import partial
from hashlib import blake2b
from inspect import isawaitable
from types import TracebackType
from typing import Any, Final, Generic, TypeAlias, TypedDict, TypeVar, cast

from attrs import define, frozen

from telnyx_rooms_async.batch.journal import ItemRecord, JobIdentity, Journal, JournalFile
from telnyx_rooms_async.batch.streams import Done, Failed, Outcome, iterate, relabel, stream
from telnyx_rooms_async.core.validators import (
    check_function,
    checked_count,
    checked_flag,
    checked_limit,
    exact_flag,
    exact_integer,
    exact_url,
    short_repr,
)
from telnyx_rooms_async.errors import (
    APIStatusError,
    InvalidArgumentError,
    JournalError,
    NameTakenError,
    TelnyxRoomsError,
)
from telnyx_rooms_async.http.api_session import ApiSession
from telnyx_rooms_async.models import Room, RoomSession

Item = TypeVar("Item")
Value = TypeVar("Value")

_ACCOUNT_MESSAGE: Final = b"telnyx-rooms-async journal"
"""Its digest, keyed with the API key, identifies the account in a journal without revealing the key."""
_CHUNK: Final = 200
"""Number of recorded items that are read at once. The event loop runs other tasks in between."""
_UNPROCESSED: Final = frozenset(range(400, 500)) - {408, 429}
"""Statuses of requests that were certainly not processed."""

BatchProgress: TypeAlias = Callable[[int, int], Awaitable[object] | object]
"""Called after each item with the numbers of items that are done and that failed. It may be async. An error
that it raises ends the job."""


@frozen(kw_only=True)
class BatchResult(Generic[Item, Value]):
    """The outcomes of a job that was awaited.

    Example:
        >>> result = await client.rooms.create_many([{"unique_name": "Retro"}, {"unique_name": "Weekly"}])
        >>> [failed.item for failed in result.failed]
        [{'unique_name': 'Weekly'}]
    """

    done: tuple[Done[Item, Value], ...]
    """Outcomes of the items that succeeded."""
    failed: tuple[Failed[Item], ...]
    """Outcomes of the items that failed."""
    skipped: int = 0
    """Items that an earlier run of the job had finished, according to its journal."""

    def raise_for_failures(self) -> None:
        """Raise the errors, if an item failed.

        Raises:
            ExceptionGroup: of the errors of all items that failed.
        """
        if self.failed:
            count = len(self.failed) + len(self.done)
            raise ExceptionGroup(
                f"{len(self.failed)} of {count} items failed", [failed.error for failed in self.failed]
            )


class BatchJob(AsyncGenerator[Outcome[Item, Value], None], Generic[Item, Value]):
    """A job that starts when it is iterated or awaited. A job that is neither warns when it is dropped.

    Iterating yields an outcome for each item, in constant memory. Awaiting returns all of them; like a
    coroutine, a job that was started before raises `RuntimeError` then.

    Example:
        >>> async for outcome in client.rooms.update_many([(room_id, {"max_participants": 25})]):
        ...     print(outcome.ok)
        True
        >>> result = await client.rooms.delete_many([room_id])
        >>> result.raise_for_failures()
    """

    def __init__(
        self,
        name: str,
        outcomes: AsyncGenerator[Outcome[Item, Value], None],
        journal: Journal | None = None,
    ) -> None:
        self._name = name
        self._outcomes = outcomes
        self._journal = journal
        self._is_started = False

    async def asend(self, value: None, /) -> Outcome[Item, Value]:
        """Return the next outcome, as ``anext(job)`` does."""
        self._is_started = True
        return await self._outcomes.asend(value)

    async def athrow(
        self,
        typ: Any,  # noqa: ANN401 - as `AsyncGenerator` has it
        val: BaseException | object = None,
        tb: TracebackType | None = None,
        /,
    ) -> Outcome[Item, Value]:
        """Raise an exception in the job, and end it."""
        self._is_started = True
        return await self._outcomes.athrow(typ, val, tb)

    async def aclose(self) -> None:
        """End the job: running calls are cancelled."""
        self._is_started = True
        await self._outcomes.aclose()

    def __await__(self) -> Generator[Any, None, BatchResult[Item, Value]]:
        return self._collect().__await__()

    async def _collect(self) -> BatchResult[Item, Value]:
        if self._is_started:
            raise RuntimeError(f"{self._name} was started before: await a job once, or iterate over it")
        outcomes = [outcome async for outcome in self]
        return BatchResult(
            done=tuple(outcome for outcome in outcomes if isinstance(outcome, Done)),
            failed=tuple(outcome for outcome in outcomes if isinstance(outcome, Failed)),
            skipped=0 if self._journal is None else self._journal.skipped,
        )

    def __del__(self) -> None:
        if not self._is_started:
            warnings.warn(
                f"{self._name} was never started: iterate over it with `async for`, or await it",
                RuntimeWarning,
                stacklevel=2,
                source=self,
            )


@frozen(kw_only=True, eq=False, repr=False)
class BulkOperation(Generic[Item, Value]):
    """Operation that can be applied to many items."""

    name: str
    """Name in a journal, such as ``"create_many"``."""
    apply: Callable[[Item, float | None], Awaitable[Value]]
    """Processes one item. The number is `None`, unless the item may have been processed already: then it is
    the server time, in seconds since the epoch, before which that certainly did not happen."""
    api: ApiSession

    def run(
        self,
        items: Iterable[Item] | AsyncIterable[Item],
        *,
        concurrency: int,
        ordered: bool = False,
        max_failures: int | None = None,
        journal: Journal | None = None,
        progress: BatchProgress | None = None,
    ) -> BatchJob[Item, Value]:
        """Apply the operation to all items, at most `concurrency` at a time."""
        source = open_items(items)
        options = _StreamOptions(
            concurrency=checked_count("concurrency", concurrency),
            ordered=checked_flag("ordered", ordered),
            max_failures=checked_limit("max_failures", max_failures),
        )
        if not isinstance(cast("object", journal), Journal | None):
            raise InvalidArgumentError((f"journal must be a Journal, not {short_repr(journal)}",))
        check_function("progress", progress)
        if journal is None:
            outcomes = stream(lambda item: self.apply(item, None), source, **options)
        else:
            outcomes = self._resume(journal, source, options)
        if progress is not None:
            outcomes = _report_progress(outcomes, progress)
        return BatchJob(self.name, outcomes, journal)

    async def _resume(
        self,
        journal: Journal,
        source: AsyncGenerator[Item, None],
        options: "_StreamOptions",
    ) -> AsyncGenerator[Outcome[Item, Value], None]:
        """Process the items that are not done, and yield each outcome when its record is on the disk."""
        account = self.api.credentials.keyed_digest(_ACCOUNT_MESSAGE)
        job = JobIdentity(self.name, self.api.transport.base_url, account)
        async with journal.open_for(job, self.api.server_now()) as file:
            pending = _pending_items(journal, file, source)
            outcomes = stream(partial(self._process, file), pending, **options)
            async with aclosing(outcomes):
                async for outcome in outcomes:
                    if outcome.item.written is not None:
                        await outcome.item.written
                    yield relabel(outcome, outcome.item.index, outcome.item.item)

    async def _process(self, file: JournalFile, pending: "_PendingItem[Item]") -> Value:
        """Process one item, and start to write its outcome."""
        index, digest = pending.index, pending.digest
        try:
            value = await self.apply(pending.item, file.started_at if pending.may_be_done else None)
        except TelnyxRoomsError as error:
            record = ItemRecord(index, digest, "open", error=type(error).__name__)
            if isinstance(error, APIStatusError):
                record = record._replace(status=error.status_code, code=error.code)
            is_certain = record.status in _UNPROCESSED or isinstance(error, InvalidArgumentError)
            # After NameTakenError, the look-up has found only the room of another caller.
            if isinstance(error, NameTakenError) or (is_certain and not pending.may_be_done):
                record = record._replace(state="failed")
            pending.written = file.write(record)
            raise
        pending.written = file.write(ItemRecord(index, digest, "done", getattr(value, "id", None)))
        return value


class _StreamOptions(TypedDict):
    concurrency: int
    ordered: bool
    max_failures: int | None


async def _report_progress(
    outcomes: AsyncGenerator[Outcome[Item, Value], None], progress: BatchProgress
) -> AsyncGenerator[Outcome[Item, Value], None]:
    """Call `progress` before each outcome is yielded. An error that it raises ends the job."""
    done = failed = 0
    async with aclosing(outcomes):
        async for outcome in outcomes:
            done += outcome.ok
            failed += not outcome.ok
            result = progress(done, failed)
            if isawaitable(result):
                await result
            yield outcome


@define(eq=False)
class _PendingItem(Generic[Item]):
    """Item that is not done."""

    index: int
    item: Item
    digest: str
    may_be_done: bool
    written: asyncio.Future[None] | None = None
    """Done when the outcome is on the disk."""


async def _pending_items(
    journal: Journal, file: JournalFile, source: AsyncGenerator[Item, None]
) -> AsyncGenerator[_PendingItem[Item], None]:
    recorded: dict[int, tuple[str, str]] = {}
    started_before = file.started
    index = 0
    async with aclosing(source) as items:
        async for item in items:
            if index % _CHUNK == 0 and index < file.item_count:
                recorded = await file.read(index, _CHUNK)
            digest = digest_of(item)
            unrecorded = "open" if index < started_before else None
            recorded_digest, state = recorded.pop(index, (digest, unrecorded))
            if recorded_digest != digest:
                problem = f"item {index} differs from the recorded one: the journal is of other input"
                raise JournalError(journal.path, problem)
            if state == "done":
                journal.skipped += 1
            else:
                await file.start(index)
                yield _PendingItem(index, item, digest, may_be_done=state == "open")
            index += 1
    if index < file.item_count:
        problem = f"it has {file.item_count} items, the input has {index}: the journal is of other input"
        raise JournalError(journal.path, problem)
    await file.end(index)


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
        text = f"{type(item).__name__} {short_repr(item)}"
    return blake2b(text.encode(errors="surrogatepass"), digest_size=8).hexdigest()


def open_items(items: Iterable[Item] | AsyncIterable[Item]) -> AsyncGenerator[Item, None]:
    """Return a generator of the items, or raise `InvalidArgumentError` if they are no iterable or a text."""
    value = cast("object", items)
    if isinstance(value, str | bytes) or not isinstance(value, Iterable | AsyncIterable):
        raise InvalidArgumentError((f"the items must be an iterable of items, not {short_repr(items)}",))
    try:
        return iterate(items)
    except Exception as error:  # such as of a numpy array without a dimension, which is iterable by its class
        raise InvalidArgumentError((f"the items cannot be iterated: {short_repr(items)}",)) from error
