"""The server's time, estimated from the Date headers of its responses."""

from datetime import UTC, datetime
from email.utils import formatdate
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telnyx_rooms_async.http.clock import ServerClock

NOON = b"Sun, 25 Apr 2021 12:00:00 GMT"
NOON_SECONDS = datetime(2021, 4, 25, 12, tzinfo=UTC).timestamp()


def clock_after(*dates: bytes | None) -> ServerClock:
    """Return a clock after one response per date, one every ten seconds from 100 on; None is no header."""
    clock = ServerClock()
    for number, date in enumerate(dates):
        sent = 100.0 + 10 * number
        clock.newest = ((b"Server", b"a"), *([] if date is None else [(b"Date", date)])), sent, sent + 2
        clock.read()
    return clock


@pytest.mark.parametrize("dates", [(), (None,), (b"", b"soon", b"\xff", b"Wed, 32 Oct 2015 07:28:00 GMT")])
def test_local_clock_counts_until_a_date_was_seen(dates: tuple[bytes | None, ...]) -> None:
    clock = clock_after(*dates)
    assert clock.now(130.0, 5000.0) == 5000.0
    assert clock.span(120.0, 130.0, 5000.0) == (4985.0, 5005.0)


@pytest.mark.parametrize("local", [0.0, 1e6, 1e12])
def test_date_counts_whatever_the_local_clock_says(local: float) -> None:
    clock = ServerClock()
    clock.newest = ((b"DATE", NOON),), 100.0, 102.0
    assert clock.now(112.0, local) == NOON_SECONDS + 10
    assert clock.span(106.0, 112.0, local) == (NOON_SECONDS + 4 - 7, NOON_SECONDS + 12 + 7)


def test_newest_readable_date_counts() -> None:
    clock = clock_after(b"Sun, 25 Apr 2021 11:00:00 GMT", NOON, None, b"soon")
    assert clock.now(112.0, 0.0) == NOON_SECONDS


@settings(deadline=None, max_examples=300, derandomize=True)
@given(
    skew=st.floats(-1e9, 1e9),
    steps=st.tuples(*[st.floats(0, 60)] * 6),
    is_date_older=st.booleans(),
    drift=st.floats(-5, 5),
)
def test_room_created_during_the_call_is_within_the_span(
    skew: float, steps: tuple[float, ...], drift: float, *, is_date_older: bool
) -> None:
    times = list(accumulate(steps))
    if is_date_older:
        sent, written, received, began, created, now = times
    else:
        began, created, sent, written, received, now = times
    date = formatdate(NOON_SECONDS + skew + written, usegmt=True).encode()
    clock = ServerClock()
    clock.newest = ((b"date", date),), sent, received
    earliest, latest = clock.span(began, now, 0.0)
    assert earliest <= NOON_SECONDS + skew + created + drift <= latest
