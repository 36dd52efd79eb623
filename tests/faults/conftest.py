"""A fast-forward event loop, a fault server and a client; the invariants are checked after each test."""

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
    """Store whether a test passed: after a failure the invariants are not checked."""
    report = yield
    if call.when == "call":
        item.stash[PASSED] = report.passed
    return report


@pytest.fixture(scope="session", autouse=True)
def _frozen_garbage() -> Iterator[None]:
    """Exclude older objects from the garbage collection after each test."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


class RecordingHandler(logging.Handler):
    """Stores every record."""

    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__(logging.DEBUG)
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record)


@pytest.fixture
async def time() -> AsyncIterator[FastForwardLoop]:
    """The event loop of the test, which waits only for bytes."""
    fast_forward = FastForwardLoop()
    with fast_forward.patch(asyncio.get_running_loop()):
        yield fast_forward


@pytest.fixture
async def server(time: FastForwardLoop, request: pytest.FixtureRequest) -> AsyncIterator[FaultServer]:
    """A fault server; with the parameter "refused at first" it does not listen until it recovers."""
    async with run_fault_server(time, listens=getattr(request, "param", "") != "refused at first") as server:
        yield server


@pytest.fixture
async def case(
    server: FaultServer,
    time: FastForwardLoop,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> AsyncIterator[FaultCase]:
    """A client of the fault server, and the record of its calls."""
    gc.freeze()
    case = FaultCase.of(server, time)
    root, handler = logging.getLogger(), RecordingHandler(case.records)
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    asyncio.get_running_loop().set_exception_handler(lambda _, context: case.loop_errors.append(context))
    monkeypatch.setattr(sys, "unraisablehook", lambda args: case.loop_errors.append(repr(args.exc_value)))
    try:
        yield case
        if request.node.stash[PASSED]:
            await case.check_invariants()
    finally:
        await case.close()
        root.removeHandler(handler)
        root.setLevel(level)
