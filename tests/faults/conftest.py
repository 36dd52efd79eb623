"""What a case is made of: a hasty loop, a faulty server, a client; and the invariants after it."""

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator, Generator, Iterator

import pytest

from tests.helpers.case import Case
from tests.helpers.faulty import Faulty, faulty
from tests.helpers.haste import Haste
from tests.helpers.invariants import check_invariants, close

PASSED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember whether a test itself has passed: what a failed one leaves is of no interest."""
    report = yield
    if call.when == "call":
        item.stash[PASSED] = report.passed
    return report


@pytest.fixture(scope="session", autouse=True)
def _quick_collections() -> Iterator[None]:
    """Spare the collector what was there before the cases: each of them collects."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


class Notes(logging.Handler):
    """Keeps every record."""

    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__(logging.DEBUG)
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one more."""
        self._records.append(record)


@pytest.fixture
async def time() -> AsyncIterator[Haste]:
    """A loop that waits for nothing but bytes."""
    it = Haste()
    with it.runs(asyncio.get_running_loop()):
        yield it


@pytest.fixture
async def server(time: Haste, request: pytest.FixtureRequest) -> AsyncIterator[Faulty]:
    """A faulty Telnyx; as "refusing" it does not listen before it is healed."""
    async with faulty(time, listens=getattr(request, "param", "") != "refusing") as it:
        yield it


@pytest.fixture
async def case(
    server: Faulty, time: Haste, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> AsyncIterator[Case]:
    """A case, whose invariants are checked when it is over."""
    gc.freeze()
    it = Case.of(server, time)
    root, notes = logging.getLogger(), Notes(it.records)
    level = root.level
    root.addHandler(notes)
    root.setLevel(logging.DEBUG)
    asyncio.get_running_loop().set_exception_handler(lambda _, told: it.troubles.append(told))
    monkeypatch.setattr(sys, "unraisablehook", lambda told: it.troubles.append(repr(told.exc_value)))
    try:
        yield it
        if request.node.stash[PASSED]:
            await check_invariants(it)
    finally:
        await close(it)
        root.removeHandler(notes)
        root.setLevel(level)
