"""A fast-forward event loop, a fault server and a client; the invariants are checked after each test."""

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator, Generator, Iterator

import pytest

from tests.helpers.clocks import FakeClock
from tests.helpers.fault_case import FaultCase
from tests.helpers.fault_server import FaultServer
from tests.helpers.raw_server import running

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


@pytest.fixture
async def clock() -> AsyncIterator[FakeClock]:
    """The time of the event loop, which waits only for bytes."""
    fake_clock = FakeClock()
    with fake_clock.fast_forward():
        yield fake_clock


@pytest.fixture
async def server(clock: FakeClock, request: pytest.FixtureRequest) -> AsyncIterator[FaultServer]:
    """A fault server; with the parameter "refused at first" it does not listen until it recovers."""
    listens = getattr(request, "param", "") != "refused at first"
    async with running(FaultServer(clock=clock), listens=listens) as fault_server:
        yield fault_server


@pytest.fixture
async def case(
    server: FaultServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    request: pytest.FixtureRequest,
) -> AsyncIterator[FaultCase]:
    """A client of the fault server, and the record of its calls."""
    gc.freeze()
    caplog.set_level(logging.DEBUG)
    case = FaultCase(server)
    asyncio.get_running_loop().set_exception_handler(lambda _, context: case.loop_errors.append(context))
    monkeypatch.setattr(sys, "unraisablehook", lambda args: case.loop_errors.append(repr(args.exc_value)))
    try:
        yield case
        if request.node.stash[PASSED]:
            await case.check_invariants(caplog.get_records("call"))
    finally:
        await case.close()
