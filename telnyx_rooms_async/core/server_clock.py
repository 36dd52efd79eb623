"""The server's clock, as the ``Date`` headers of its responses show it. The local times are arguments."""

from typing import Final

from attrs import define, field

from telnyx_rooms_async.core.retry import http_date

LOCAL_SKEW: Final = 5.0
"""Seconds by which two clocks may differ that were never compared."""
_TOLERANCE: Final = LOCAL_SKEW + 2.0
"""``Date`` has whole seconds, and the machine that writes it may not be the one that dates the rooms."""


@define(eq=False, repr=False)
class ServerClock:
    """Converts between this machine's time and the server's.

    Every response is stored, which costs one assignment. Its ``Date`` is parsed when a time is asked for, and
    ignored when it is unreadable.
    """

    newest: tuple[tuple[tuple[bytes, bytes], ...], float, float] | None = None
    """Headers of the newest response, and the monotonic times at which its request began and ended."""
    _date: tuple[float, float, float] | None = field(default=None, init=False)
    """The newest readable ``Date`` in seconds since the epoch, and the same two times."""

    def read(self) -> tuple[float, float, float] | None:
        """Parse the ``Date`` of the newest response, and return the newest one that could be parsed."""
        if self.newest is not None:
            headers, sent, received = self.newest
            self.newest = None
            text = next((value for name, value in headers if name.lower() == b"date"), None)
            date = None if text is None else http_date(text.decode("latin-1"))
            if date is not None:
                self._date = date, sent, received
        return self._date

    def now(self, monotonic: float, local: float) -> float:
        """Return the server's time, in seconds since the epoch; the local time if no ``Date`` was seen."""
        if (read := self.read()) is None:
            return local
        date, _, received = read
        return date + monotonic - received

    def span(self, began: float, monotonic: float, local: float) -> tuple[float, float]:
        """Return the earliest and the latest date that the server may give a room made since `began`.

        Args:
            began: a monotonic time.
            monotonic: the present.
            local: the present by the local clock, in seconds since the epoch; used if no ``Date`` was seen.

        Returns:
            Two times in seconds since the epoch.
        """
        if (read := self.read()) is None:
            return local - (monotonic - began) - LOCAL_SKEW, local + LOCAL_SKEW
        # The header was written at some moment between the beginning and the end of its request.
        date, sent, received = read
        return date + began - received - _TOLERANCE, date + monotonic - sent + _TOLERANCE
