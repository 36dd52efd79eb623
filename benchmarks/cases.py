"""What is measured: one row a case."""

from functools import partial
from typing import Final

from attrs import evolve, frozen

from benchmarks import tasks
from benchmarks.tasks import Task

_CALLERS: Final = ("bare", "ours", "sdk-aiohttp", "sdk-httpx")
_ALL: Final = ("bare", "bare-cattrs", *_CALLERS[1:])
_LISTS: Final = ("bare", "ours", "ours-8", "sdk-aiohttp", "sdk-httpx")
# The import of the SDK takes seconds: one process of it is enough to see that it works.
_NOT_IN_SMALL: Final = frozenset({"sdk", "sdk-httpx", "sdk-20"})


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


_once: Final = partial(Case, rounds_max=3)


def _number(count: int) -> str:
    return f"{count:,}".replace(",", " ")


_BURSTS: Final = (
    _once(
        name=f"burst-{calls}-{latency}ms" if latency else f"burst-{calls}",
        title=f"{_number(calls)} calls at once" + (f", {latency} ms a request" if latency else ""),
        unit="call",
        task=tasks.burst,
        concurrency=calls,
        latency_ms=latency,
        fresh=True,
        contenders=contenders,
    )
    for calls, latency, contenders in (
        (1_000, 0, _CALLERS),
        # httpx looks through all waiting calls for each of them: 10 000 would take minutes a round.
        (10_000, 50, ("bare", "ours", "sdk-aiohttp")),
    )
)
_FIRST_CALLS: Final = (
    _once(
        name="first-call-tls" if tls else "first-call",
        title=f"Make a client, and its first call{' over TLS' if tls else ''}",
        unit="call",
        task=tasks.first_call,
        tls=tls,
        contenders=_CALLERS,
    )
    for tls in (False, True)
)
_TENANTS: Final = (
    _once(
        name="clients-1000",
        title="Make 1 000 clients",
        unit="client",
        task=tasks.make_clients,
        concurrency=1_000,
        fresh=True,
        contenders=_CALLERS,
    ),
    _once(
        name="clients-1000-calls",
        title="First calls of 1 000 clients over TLS",
        unit="client",
        task=tasks.call_from_clients,
        concurrency=1_000,
        tls=True,
        fresh=True,
        contenders=_CALLERS,
    ),
)
_ITERATIONS: Final = (
    _once(
        name=f"iterate-{rooms}",
        title=f"Iterate {_number(rooms)} rooms: time and memory",
        unit="room",
        task=tasks.iterate,
        rooms=rooms,
        fresh=True,
        contenders=("bare", "ours", "sdk-aiohttp"),
    )
    for rooms in (1_000, 100_000)
)
_BATCHES: Final = (
    _once(
        name=f"batch-{items}",
        title=f"{_number(items)} items, 64 at once, no network: time and memory",
        unit="item",
        task=tasks.call_all,
        rooms=items,
        concurrency=64,
        fresh=True,
        contenders=("bare", "ours"),
    )
    for items in (10_000, 1_000_000)
)
CASES: Final = {
    case.name: case
    for case in (
        Case(name="retrieve-1", title="Retrieve a room, 1 in flight", unit="call", task=tasks.retrieve),
        Case(
            name="retrieve-32",
            title="Retrieve a room, 32 in flight",
            unit="call",
            task=tasks.retrieve,
            concurrency=32,
        ),
        Case(
            name="create", title="Create a room, 32 in flight", unit="call", task=tasks.create, concurrency=32
        ),
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
            name="decode",
            title="Decode a page of 250 rooms with sessions, no network",
            unit="page",
            task=tasks.decode,
            contenders=("bare", "bare-cattrs", "ours", "sdk"),
        ),
        Case(
            name="webhook",
            title="Verify and read a webhook, no network",
            unit="webhook",
            task=tasks.unwrap,
            contenders=("bare", "ours", "sdk"),
        ),
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
            contenders=(*_LISTS, "sdk-20"),
        ),
        Case(
            name="import",
            title="Import, and make a client",
            unit="import",
            task=tasks.start,
            reference="parts",
            contenders=("parts", "bare", "ours", "sdk"),
        ),
        *_FIRST_CALLS,
        *_TENANTS,
        *_BURSTS,
        *_ITERATIONS,
        _once(
            name="create-10000-20ms",
            title="Create 10 000 rooms, 64 at once, 20 ms a request",
            unit="room",
            task=tasks.create_all,
            rooms=10_000,
            latency_ms=20,
            concurrency=64,
            contenders=("bare", "ours", "sdk-aiohttp"),
        ),
        *_BATCHES,
    )
}
# The others differ only in their size.
SMOKE: Final = tuple(name for name in CASES if "0000" not in name)
