"""pytest plugin with fixtures to test code that uses this library. pytest loads it once it is installed.

- ``telnyx_emulator``: an `Emulator` for one test. ``TELNYX_API_KEY``, ``TELNYX_BASE_URL`` and, with the extra
  ``webhooks``, ``TELNYX_PUBLIC_KEY`` point to it, so that ``RoomsClient()`` in the tested code uses it.
- ``rooms_client``: a `RoomsClient` of that emulator. It retries without a pause unless the response has one.
- ``telnyx_faults``: `Faults`, a shorthand to inject faults. The test fails if a fault was injected for more
  requests than arrived.
- ``telnyx_emulator_server``: a `ThreadedEmulator` for one test, for test clients that block their event loop.
  The variables point to it.

The fixtures need pytest-asyncio 0.24 or newer, in either mode and with loops of any scope, or anyio on
asyncio, where pytest-asyncio, if it is installed, must be in strict mode. A fixture named ``telnyx_emulator``
in the tests replaces this one for the other two as well. Until a fixture is requested, nothing else of the
library is used, and nothing is required.

Example:
    async def test_delete_survives_a_busy_server(rooms_client, telnyx_faults):
        room = await rooms_client.rooms.create("Weekly")
        telnyx_faults.respond(503, "DeleteRoom")
        await rooms_client.rooms.delete(room.id)
"""

import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Final, cast

import pytest

if TYPE_CHECKING:  # pytest imports this module in every environment that has the library
    from telnyx_rooms_async import RoomsClient
    from telnyx_rooms_async.emulator import Emulator, Faults, ThreadedEmulator

_SCOPES: Final = ("function", "class", "module", "package", "session")
_EMULATOR: Final = "_telnyx_emulator_of_"
_CLIENT: Final = "_rooms_client_of_"
"""Prefixes of the names of the asynchronous fixtures; the rest is ``anyio`` or the scope of the loop."""


def pytest_configure(config: pytest.Config) -> None:
    """Register the asynchronous fixtures, one for each plugin and loop scope that can run them.

    This hook runs in every test run, also in those that do not use this library. It must not fail with any
    version of pytest-asyncio; what is missing is reported when a fixture is requested.
    """
    decorators: dict[str, Callable[..., object]] = {"anyio": pytest.fixture}
    if fixture := _asyncio_fixture(config):
        decorators |= {scope: partial(fixture, loop_scope=scope) for scope in _SCOPES}
    module = ModuleType(f"{__name__}.fixtures")  # pytest collects fixtures from modules and classes
    for runner, decorate in decorators.items():
        emulator, client = _fixture_functions()
        setattr(module, f"{_EMULATOR}{runner}", decorate(emulator))
        setattr(module, f"{_CLIENT}{runner}", decorate(client))
    config.pluginmanager.register(module, module.__name__)


def _asyncio_fixture(config: pytest.Config) -> Callable[..., object] | None:
    """Return the decorator of pytest-asyncio, if it is loaded and new enough to know loop scopes."""
    plugins = config.pluginmanager
    plugin: object = plugins.get_plugin("asyncio") or plugins.get_plugin("pytest_asyncio.plugin")
    fixture: object = getattr(plugin, "fixture", None)
    if callable(fixture) and "loop_scope" in inspect.signature(fixture).parameters:
        return fixture
    return None


@pytest.fixture
def telnyx_emulator(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> "Emulator":
    """Emulator of Telnyx for one test, to which the environment variables of clients point."""
    emulator = cast("Emulator", request.getfixturevalue(f"{_EMULATOR}{_runner(request)}"))
    _point_variables(monkeypatch, emulator)
    return emulator


@pytest.fixture
def telnyx_emulator_server(monkeypatch: pytest.MonkeyPatch) -> "Iterator[ThreadedEmulator]":
    """Emulator in a thread of its own, for blocking test clients; the environment variables point to it."""
    from telnyx_rooms_async.emulator import ThreadedEmulator  # noqa: PLC0415 - imported on request only

    with ThreadedEmulator() as emulator:
        _point_variables(monkeypatch, emulator)
        yield emulator


@pytest.fixture
def rooms_client(request: pytest.FixtureRequest) -> "RoomsClient":
    """Client of the emulator that retries without a pause."""
    return cast("RoomsClient", request.getfixturevalue(f"{_CLIENT}{_runner(request)}"))


@pytest.fixture
def telnyx_faults(telnyx_emulator: "Emulator") -> "Iterator[Faults]":
    """Shorthand to inject faults, all of which must be used up at the end of the test."""
    from telnyx_rooms_async.emulator import Faults  # noqa: PLC0415 - imported on request only

    faults = Faults(telnyx_emulator)
    yield faults
    if faults.unused:
        pytest.fail(f"too few requests arrived for these faults: {', '.join(map(repr, faults.unused))}")


def _point_variables(monkeypatch: pytest.MonkeyPatch, emulator: "Emulator | ThreadedEmulator") -> None:
    monkeypatch.setenv("TELNYX_API_KEY", emulator.api_key)
    monkeypatch.setenv("TELNYX_BASE_URL", emulator.url)
    with suppress(RuntimeError):  # the extra "webhooks" is not installed
        monkeypatch.setenv("TELNYX_PUBLIC_KEY", emulator.public_key)


def _fixture_functions() -> tuple[Callable[..., object], Callable[..., object]]:
    """Return new functions for each pair of fixtures: pytest-asyncio sets attributes of them."""

    async def emulator() -> "AsyncIterator[Emulator]":
        from telnyx_rooms_async.emulator import Emulator  # noqa: PLC0415 - imported on request only

        async with Emulator() as running:
            yield running

    async def client(telnyx_emulator: "Emulator") -> "AsyncIterator[RoomsClient]":
        from telnyx_rooms_async import Clock, RoomsClient  # noqa: PLC0415 - imported on request only

        clock = Clock(random=lambda: 0.0)
        async with RoomsClient(telnyx_emulator.api_key, base_url=telnyx_emulator.url, clock=clock) as opened:
            yield opened

    return emulator, client


def _runner(request: pytest.FixtureRequest) -> str:
    """Return ``anyio``, or the scope of the pytest-asyncio loop in which the test runs."""
    if "anyio_backend" in request.fixturenames:
        backend = request.getfixturevalue("anyio_backend_name")
        if backend != "asyncio":
            pytest.fail(f"{request.fixturename} needs anyio's backend asyncio, not {backend}")
        return "anyio"
    if _asyncio_fixture(request.config) is None:
        requirement = "pytest-asyncio 0.24 or newer, or a test marked with pytest.mark.anyio"
        pytest.fail(f"{request.fixturename} needs {requirement}")
    marker = request.node.get_closest_marker("asyncio")
    # "scope" is the deprecated name of the argument.
    if marker and (scope := marker.kwargs.get("loop_scope") or marker.kwargs.get("scope")):
        return str(scope)
    try:
        return str(request.config.getini("asyncio_default_test_loop_scope"))
    except ValueError:  # pytest-asyncio before 0.26 has no such option
        return "function"
