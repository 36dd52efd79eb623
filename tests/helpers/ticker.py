"""A clock that only sleeping moves, and dice that always fall the same."""

from attrs import define, field

from telnyx_rooms_async import Clock


@define
class Ticker:
    """Time that stands still but for the sleeps, and dice that always fall the same."""

    seconds: float = 1000.0
    roll: float = 0.5
    sleeps: list[float] = field(factory=list[float])

    @property
    def clock(self) -> Clock:
        """What a client is given."""
        return Clock(monotonic=self.now, now=self.now, sleep=self.sleep, dice=lambda: self.roll)

    def now(self) -> float:
        """Tell the time."""
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.sleeps.append(seconds)
        self.seconds += seconds
