"""What a case is made of: a hasty loop, a faulty server, a client; and the invariants after it."""

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator, Generator, Iterator

import pytest

from tests.helpers.fast_forward import FastForwardLoop
from tests.helpers.fault_case import FaultCase
from tests.helpers.fault_server import FaultServer, run_fault_server

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
async def time() -> AsyncIterator[FastForwardLoop]:
    """A loop that waits for nothing but bytes."""
    it = FastForwardLoop()
    with it.patch(asyncio.get_running_loop()):
        yield it


@pytest.fixture
async def server(time: FastForwardLoop, request: pytest.FixtureRequest) -> AsyncIterator[FaultServer]:
    """A faulty Telnyx; as "refusing" it does not listen before it is healed."""
    async with run_fault_server(time, listens=getattr(request, "param", "") != "refusing") as it:
        yield it


@pytest.fixture
async def case(
    server: FaultServer,
    time: FastForwardLoop,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> AsyncIterator[FaultCase]:
    """A case, whose invariants are checked when it is over."""
    gc.freeze()
    it = FaultCase.of(server, time)
    root, notes = logging.getLogger(), Notes(it.records)
    level = root.level
    root.addHandler(notes)
    root.setLevel(logging.DEBUG)
    asyncio.get_running_loop().set_exception_handler(lambda _, told: it.loop_errors.append(told))
    monkeypatch.setattr(sys, "unraisablehook", lambda told: it.loop_errors.append(repr(told.exc_value)))
    try:
        yield it
        if request.node.stash[PASSED]:
            await it.check_invariants()
    finally:
        await it.close()
        root.removeHandler(notes)
        root.setLevel(level)
