"""A clock for clients and emulators that only the test moves."""

from datetime import UTC, datetime
from typing import Final

from attrs import define, field

from telnyx_rooms_async import Clock

EPOCH: Final = datetime(2021, 4, 25, 12, tzinfo=UTC).timestamp()
"""The time at which tests start."""


@define
class FakeClock:
    """Stands still except for sleeps, which end at once, and `advance`; random numbers are all the same.

    `clock` is what a client takes; the object itself, called, is what an emulator takes.
    """

    seconds: float = EPOCH
    random: float = 0.5
    sleeps: list[float] = field(factory=list[float])

    @property
    def clock(self) -> Clock:
        return Clock(monotonic=self.time, now=self.time, sleep=self.sleep, random=lambda: self.random)

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def __call__(self) -> datetime:
        return self.now

    def time(self) -> float:
        return self.seconds

    def advance(self, *, seconds: float) -> None:
        self.seconds += seconds

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.seconds += seconds
