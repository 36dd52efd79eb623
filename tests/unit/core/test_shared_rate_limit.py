"""Several clients on one account: each keeps to its share, and none knows of the others. Simulated time."""

import math
from collections import defaultdict
from heapq import heappop, heappush
from itertools import count

import pytest
from attrs import Factory, define, field, frozen
from hypothesis import example, given, settings
from hypothesis import strategies as st

from telnyx_rooms_async.core.http_messages import RateLimit
from telnyx_rooms_async.core.rate_limit import SharedRateLimitWindow


@frozen(kw_only=True)
class Account:
    """A server that counts exactly, the clients that share it, and how long their requests are on the way."""

    clients: int = 3
    limit: int = 100
    period: float = 1.0
    ends: float = 1.0
    """When the window ends that goes on at the beginning."""
    waits: bool = True
    """Whether a new window waits for its first request."""
    rounds_up: bool = True
    """Whether the seconds of a window that are left are told as a whole number."""
    calls: int = 50
    """So many has each client to make."""
    at_once: int = 1000
    """So many of them wait at the same time."""
    begins: list[float]
    there: list[float]
    back: list[float]


@define
class Fleet:
    """Plays all clients of an account to their end: no loop, no task."""

    account: Account
    ends: float = Factory(lambda self: self.account.ends, takes_self=True)
    counts: list[int] = field(factory=lambda: [0])
    """Requests in each window."""
    at: list[float] = field(factory=list[float])
    """When each request was counted."""
    paces: list[SharedRateLimitWindow] = field(init=False)
    left: list[int] = field(init=False)
    waiting: list[int] = field(init=False)
    looks: dict[int, float] = field(factory=lambda: defaultdict[int, float](float))
    """When each looks again whether it may go."""
    _events: list[tuple[float, int, str, int, float, RateLimit]] = field(factory=list)
    _numbers: "count[int]" = field(factory=count)

    def __attrs_post_init__(self) -> None:
        account = self.account
        share = 1 / account.clients
        self.paces = [SharedRateLimitWindow(capacity=100, share=share) for _ in range(account.clients)]
        self.left = [account.calls] * account.clients
        self.waiting = [0] * account.clients

    def play(self) -> None:
        """Play to the end."""
        account, nothing = self.account, RateLimit()
        for client in range(account.clients):
            self._plan(_turn(account.begins, client), "come", client, 0.0, nothing)
        while self._events:
            now, number, what, client, sent_at, told = heappop(self._events)
            if what == "come":
                self.waiting[client] = min(self.left[client], account.at_once)
                self.left[client] -= self.waiting[client]
            elif what == "arrive":
                self._plan(now + _turn(account.back, number), "return", client, sent_at, self._count(now))
            elif what == "return":
                self.paces[client].release()
                self.paces[client].update(told, sent_at, now)
                if self.left[client]:
                    self.left[client] -= 1
                    self.waiting[client] += 1
            self._let_through(client, now)

    def _let_through(self, client: int, now: float) -> None:
        pace = self.paces[client]
        while self.waiting[client] and pace.delay(now) == 0:
            self.waiting[client] -= 1
            pace.acquire(now, waiting=self.waiting[client])
            way = _turn(self.account.there, client + self.waiting[client])
            self._plan(now + way, "arrive", client, now, RateLimit())
        delay = pace.delay(now)
        if self.waiting[client] and delay is not None and not now < self.looks[client] <= now + delay:
            self.looks[client] = now + delay
            self._plan(now + delay, "look", client, 0.0, RateLimit())

    def _count(self, now: float) -> RateLimit:
        account = self.account
        while now >= self.ends:
            self.ends = now + account.period if account.waits else self.ends + account.period
            self.counts.append(0)
        self.counts[-1] += 1
        self.at.append(now)
        reset = self.ends - now
        return RateLimit(
            limit=account.limit,
            remaining=max(0, account.limit - self.counts[-1]),
            reset=float(math.ceil(reset)) if account.rounds_up else reset,
        )

    def _plan(self, at: float, what: str, client: int, sent_at: float, told: RateLimit) -> None:
        heappush(self._events, (at, next(self._numbers), what, client, sent_at, told))


def _turn(values: list[float], number: int) -> float:
    return values[number % len(values)]


def played(account: Account) -> Fleet:
    """Play an account to its end."""
    fleet = Fleet(account)
    fleet.play()
    return fleet


def times(most: float) -> st.SearchStrategy[list[float]]:
    """Make some parts of a window."""
    return st.lists(st.floats(0.001, most), min_size=1, max_size=8)


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    """Make an account whose limit leaves room for the first few of each client, who know nothing yet."""
    period = draw(st.sampled_from([1.0, 5.0, 30.0]))
    clients = draw(st.integers(2, 6))
    begins, there, back = ([part * period for part in draw(times(most))] for most in (2.0, 1.5, 1.5))
    return Account(
        clients=clients,
        limit=draw(st.integers(5 * clients, 60)),
        period=period,
        ends=draw(st.floats(0.001, 1)) * period,
        waits=draw(st.booleans()),
        rounds_up=draw(st.booleans()),
        calls=draw(st.integers(1, 60)),
        at_once=draw(st.integers(1, 100)),
        begins=begins,
        there=there,
        back=back,
    )


STAGGERED = Account(begins=[0.0, 0.3, 0.6], there=[0.01, 0.002], back=[0.001, 0.01], calls=200, at_once=30)
"""Each client believes in windows of its own: whole seconds do not tell when the server's begin."""


@settings(deadline=None, max_examples=200, derandomize=True)
@given(accounts())
@example(STAGGERED)
def test_no_window_is_overrun(account: Account) -> None:
    """No window counts more than its limit, wherever it begins and however long the ways are."""
    fleet = played(account)
    assert max(fleet.counts) <= account.limit
    assert sum(fleet.counts) == account.clients * account.calls


@settings(deadline=None, max_examples=100, derandomize=True)
@given(accounts())
def test_all_get_through_in_good_time(account: Account) -> None:
    """Each client makes its share of requests in a window, the next one, and a way there and back."""
    fleet = played(account)
    waves = math.ceil(account.calls / min(account.limit // account.clients, account.at_once)) + 3
    way = max(account.there) + max(account.back)
    assert fleet.at[-1] <= max(account.begins) + waves * (2 * math.ceil(account.period) + way)


@pytest.mark.parametrize("clients", [2, 3, 4, 8])
@pytest.mark.parametrize("waits", [True, False], ids=["windows that wait", "windows by the clock"])
def test_the_rate_is_used(clients: int, waits: bool) -> None:  # noqa: FBT001 - a case
    """With 20 ms there and back, they use nine tenths of 100 a second, and none is refused."""
    begins = [0.13 * client for client in range(clients)]
    fleet = played(
        Account(
            clients=clients,
            waits=waits,
            begins=begins,
            there=[0.01],
            back=[0.01],
            calls=2000 // clients,
            at_once=32,
        )
    )
    assert sum(2 <= at < 10 for at in fleet.at) >= 90 * 8
    assert max(fleet.counts) <= 100


def test_a_window_that_others_used_up_is_waited_out() -> None:
    """A client that has most of its share left waits all the same when the server has none."""
    pace = SharedRateLimitWindow(capacity=10, share=0.5)
    pace.acquire(0.0)
    pace.release()
    pace.update(RateLimit(limit=100, remaining=0, reset=5.0), 0.0, 0.0)
    assert pace.delay(1.0) == 4.0


SHARES = [(0.25, 100, 25), (0.29, 100, 29), (1 / 3, 100, 33), (0.01, 20, 1), (0.999, 1000, 999)]


@pytest.mark.parametrize(("share", "limit", "places"), SHARES)
def test_a_share_is_a_number_of_whole_requests(share: float, limit: int, places: int) -> None:
    """It is rounded down, and 1 at least; a place is free when its window is over."""
    pace = SharedRateLimitWindow(capacity=1000, share=share)
    passed = 0
    for _ in range(2000):
        if pace.delay(0.0) != 0:
            break
        pace.acquire(0.0)
        pace.release()
        pace.update(RateLimit(limit=limit, remaining=limit - 1, reset=5.0), 0.0, 0.0)
        passed += 1
    assert passed == places
    assert pace.delay(0.0) == 5.0
    assert pace.delay(5.0) == 0


def test_who_vanished_keeps_its_place() -> None:
    """A request that was cancelled on its way may have been counted."""
    pace = SharedRateLimitWindow(capacity=10, share=0.1)
    pace.discard(0.0)
    assert pace.delay(0.0) == 0
    pace.update(RateLimit(limit=20, remaining=19, reset=5.0), 0.0, 0.0)
    assert pace.delay(4.0) == 0
    pace.acquire(4.0)
    pace.release()
    pace.discard(4.0)
    assert pace.delay(4.0) == 1.0
    assert pace.delay(5.0) == 0
