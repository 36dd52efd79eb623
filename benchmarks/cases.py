"""What is measured: a row a case."""

from typing import Final

from attrs import evolve, frozen

from benchmarks import tasks
from benchmarks.tasks import Task

_ALL: Final = ("bare", "bare-cattrs", "bare-msgspec", "ours", "sdk-aiohttp", "sdk-httpx")
_LISTS: Final = ("bare", "ours", "ours-8", "sdk-aiohttp", "sdk-httpx")


# To import the SDK takes seconds: one process of it is enough to see that it works.
_NOT_IN_SMALL: Final = frozenset({"bare-msgspec", "sdk", "sdk-httpx", "sdk-20"})


@frozen(kw_only=True)
class Case:
    """One thing to do, for every contender that can."""

    name: str
    title: str
    unit: str
    task: Task
    entrants: tuple[str, ...] = _ALL
    reference: str = "bare"
    """The entrant that the ratios are to."""
    loops: tuple[str, ...] = ("asyncio", "uvloop")
    fresh: bool = False
    """Whether each round has a process of its own: memory is never given back."""
    rounds_max: int | None = None
    seconds: float = 0.25
    """How long a round goes on, where it is made of many batches."""
    rooms: int = 1_000
    latency_ms: int = 0
    at_once: int = 1

    @property
    def small(self) -> "Case":
        """The same, in a few moments: enough to see that it works."""
        return evolve(
            self,
            seconds=0.03,
            rooms=min(self.rooms, 1_000),
            latency_ms=min(self.latency_ms, 2),
            at_once=min(self.at_once, 200),
            loops=self.loops[:1],
            fresh=False,
            entrants=tuple(name for name in self.entrants if name not in _NOT_IN_SMALL),
        )


_PLAIN: Final = ("asyncio",)
_CROWD: Final = 1_000


def _burst(calls: int, *, latency_ms: int = 0) -> Case:
    size = f"{calls:,} calls at once".replace(",", " ")
    return Case(
        name=f"burst-{calls}-{latency_ms}ms" if latency_ms else f"burst-{calls}",
        title=f"{size}, {latency_ms} ms a request" if latency_ms else size,
        unit="call",
        task=tasks.burst,
        at_once=calls,
        latency_ms=latency_ms,
        fresh=True,
        rounds_max=3,
        loops=_PLAIN,
        # To httpx, which looks through all that wait for each of them, 10 000 would be minutes a round.
        entrants=("bare", "ours", "sdk-aiohttp", *(("sdk-httpx",) if calls == _CROWD else ())),
    )


def _iteration(rooms: int) -> Case:
    return Case(
        name=f"iterate-{rooms}",
        title=f"Iterate {rooms:,} rooms: time and memory".replace(",", " "),
        unit="room",
        task=tasks.scan,
        rooms=rooms,
        fresh=True,
        rounds_max=3,
        loops=_PLAIN,
        entrants=("bare", "bare-ids", "ours", "sdk-aiohttp"),
    )


def _creation(rooms: int, latency_ms: int) -> Case:
    return Case(
        name=f"create-{rooms}-{latency_ms}ms",
        title=f"Create {rooms:,}".replace(",", " ") + f" rooms, 64 at once, {latency_ms} ms a request",
        unit="room",
        task=tasks.create_all,
        rooms=rooms,
        latency_ms=latency_ms,
        at_once=64,
        rounds_max=3,
        loops=_PLAIN,
        entrants=("bare", "ours", "sdk-aiohttp"),
    )


def _calls(items: int) -> Case:
    return Case(
        name=f"batch-{items}",
        title=f"{items:,}".replace(",", " ") + " items, 64 at once, no network: time and memory",
        unit="item",
        task=tasks.call_all,
        rooms=items,
        at_once=64,
        fresh=True,
        rounds_max=3,
        loops=_PLAIN,
        entrants=("bare", "ours"),
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
            at_once=32,
        ),
        Case(name="create", title="Create a room, 32 in flight", unit="call", task=tasks.create, at_once=32),
        Case(name="page", title="A page of 250 rooms with sessions", unit="page", task=tasks.turn_page),
        Case(
            name="decode",
            title="Decode a page of 250 rooms with sessions, no network",
            unit="page",
            task=tasks.decode,
            loops=_PLAIN,
            entrants=("bare", "bare-cattrs", "bare-msgspec", "ours", "sdk"),
        ),
        Case(
            name="webhook",
            title="Verify and read a webhook, no network",
            unit="webhook",
            task=tasks.unwrap,
            loops=_PLAIN,
            entrants=("bare", "ours", "sdk"),
        ),
        Case(
            name="list",
            title="List 10 000 rooms",
            unit="room",
            task=tasks.scan,
            rooms=10_000,
            entrants=_LISTS,
        ),
        Case(
            name="list-50ms",
            title="List 10 000 rooms, 50 ms a request, 1 ms of work a page",
            unit="room",
            task=tasks.iterate,
            rooms=10_000,
            latency_ms=50,
            rounds_max=2,
            loops=_PLAIN,
            entrants=(*_LISTS, "sdk-20"),
        ),
        Case(
            name="import",
            title="Import, and make a client",
            unit="import",
            task=tasks.start,
            loops=_PLAIN,
            reference="parts",
            entrants=("parts", "bare", "ours", "sdk"),
        ),
        _burst(_CROWD),
        _burst(10_000),
        _burst(10_000, latency_ms=50),
        _iteration(1_000),
        _iteration(10_000),
        _iteration(100_000),
        _creation(10_000, 20),
        _calls(10_000),
        _calls(1_000_000),
    )
}

# The others differ in their size only.
SMOKE: Final = tuple(name for name in CASES if "0000" not in name)
