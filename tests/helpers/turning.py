"""A clock for the emulator that a test turns by hand."""

from datetime import UTC, datetime, timedelta

from attrs import define


@define
class TurnedClock:
    """Stands still until it is turned."""

    now: datetime = datetime(2021, 4, 25, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Tell the time."""
        return self.now

    def turn(self, *, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)
