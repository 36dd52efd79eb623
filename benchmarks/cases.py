"""What is measured: one row a case."""

from typing import Final

from attrs import evolve, frozen

from benchmarks import tasks
from benchmarks.tasks import Task

_CALLERS: Final = ("bare", "ours", "sdk-aiohttp", "sdk-httpx")
_ALL: Final = ("bare", "bare-cattrs", *_CALLERS[1:])
_LISTS: Final = ("bare", "ours", "ours-8", "sdk-aiohttp", "sdk-httpx")
# The import of the SDK takes seconds: one process of it is enough to see that it works.
_NOT_IN_SMALL: Final = frozenset({"sdk", "sdk-httpx"})


@frozen(kw_only=True)
class Case:
    """One task for every contender that is capable of it."""

    name: str
    title: str
    unit: str
    task: Task
    contenders: tuple[str, ...] = _ALL
    reference: str = "bare"
    """The contender that the ratios are to."""
    fresh: bool = False
    """Whether each round has a process of its own: memory is never given back."""
    rounds_max: int | None = None
    seconds: float = 0.25
    """How long a round lasts that is made of many batches."""
    rooms: int = 1_000
    latency_ms: int = 0
    concurrency: int = 1
    tls: bool = False

    @property
    def small(self) -> "Case":
        """The same case in a few moments, enough to see that it works."""
        return evolve(
            self,
            seconds=0.03,
            rooms=min(self.rooms, 1_000),
            latency_ms=min(self.latency_ms, 2),
            concurrency=min(self.concurrency, 100),
            fresh=False,
            contenders=tuple(name for name in self.contenders if name not in _NOT_IN_SMALL),
        )


_FEW: Final = 3  # rounds of a case that takes seconds

_CALLS: Final = (
    Case(name="retrieve-1", title="Retrieve a room, 1 in flight", unit="call", task=tasks.retrieve),
    Case(
        name="retrieve-32",
        title="Retrieve a room, 32 in flight",
        unit="call",
        task=tasks.retrieve,
        concurrency=32,
    ),
    Case(name="create", title="Create a room, 32 in flight", unit="call", task=tasks.create, concurrency=32),
    Case(
        name="retrieve-32-tls",
        title="Retrieve a room over TLS, 32 in flight",
        unit="call",
        task=tasks.retrieve,
        concurrency=32,
        tls=True,
    ),
    Case(name="page", title="A page of 250 rooms with sessions", unit="page", task=tasks.fetch_page),
    Case(
        name="webhook",
        title="Verify and read a webhook, no network",
        unit="webhook",
        task=tasks.unwrap,
        contenders=("bare", "ours", "sdk"),
    ),
    # httpx looks through all waiting calls for each of them: 10 000 would take minutes a round.
    Case(
        name="burst-10000-50ms",
        title="10 000 calls at once, 50 ms a request",
        unit="call",
        task=tasks.burst,
        concurrency=10_000,
        latency_ms=50,
        fresh=True,
        rounds_max=_FEW,
        contenders=("bare", "ours", "sdk-aiohttp"),
    ),
)
_LIST_CASES: Final = (
    Case(
        name="list",
        title="List 10 000 rooms",
        unit="room",
        task=tasks.iterate,
        rooms=10_000,
        contenders=_LISTS,
    ),
    Case(
        name="list-50ms",
        title="List 10 000 rooms, 50 ms a request, 1 ms of work a page",
        unit="room",
        task=tasks.iterate_with_work,
        rooms=10_000,
        latency_ms=50,
        rounds_max=2,
        contenders=_LISTS,
    ),
)
_CLIENTS: Final = (
    Case(
        name="import",
        title="Import, make a client, and load its operations on rooms",
        unit="import",
        task=tasks.start,
        reference="parts",
        contenders=("parts", "bare", "ours", "sdk"),
    ),
    *(
        Case(
            name="first-call-tls" if tls else "first-call",
            title=f"Make a client, and its first call{' over TLS' if tls else ''}",
            unit="call",
            task=tasks.first_call,
            tls=tls,
            rounds_max=_FEW,
            contenders=_CALLERS,
        )
        for tls in (False, True)
    ),
    Case(
        name="clients-1000",
        title="Make 1 000 clients",
        unit="client",
        task=tasks.make_clients,
        concurrency=1_000,
        fresh=True,
        rounds_max=_FEW,
        contenders=_CALLERS,
    ),
    Case(
        name="clients-1000-calls",
        title="First calls of 1 000 clients over TLS",
        unit="client",
        task=tasks.call_from_clients,
        concurrency=1_000,
        tls=True,
        fresh=True,
        rounds_max=_FEW,
        contenders=_CALLERS,
    ),
)
_BATCHES: Final = (
    Case(
        name="create-10000-20ms",
        title="Create 10 000 rooms, 64 at once, 20 ms a request",
        unit="room",
        task=tasks.create_all,
        rooms=10_000,
        latency_ms=20,
        concurrency=64,
        rounds_max=_FEW,
        contenders=("bare", "ours", "sdk-aiohttp"),
    ),
    *(
        Case(
            name=f"batch-{items}",
            title=f"{items} items, 64 at once, no network: time and memory",
            unit="item",
            task=tasks.call_all,
            rooms=items,
            concurrency=64,
            fresh=True,
            rounds_max=_FEW,
            contenders=("bare", "ours"),
        )
        for items in (10_000, 1_000_000)
    ),
)
CASES: Final = {case.name: case for case in (*_CALLS, *_LIST_CASES, *_CLIENTS, *_BATCHES)}
SMOKE: Final = tuple(name for name in CASES if name != "batch-1000000")  # made small, it is batch-10000
