"""Fixtures for the tests of those who use this library. pytest finds them by itself once it is installed.

- ``telnyx_emulator``: an `Emulator` for one test. ``TELNYX_API_KEY``, ``TELNYX_BASE_URL`` and, with the extra
  ``webhooks``, ``TELNYX_PUBLIC_KEY`` lead to it meanwhile: a ``RoomsClient()`` that your code makes finds it.
- ``rooms_client``: a `RoomsClient` of that emulator. It does not pause before it tries again, unless the
  answer asks for it.
- ``telnyx_faults``: `Faults`, a short way to script what goes wrong. What was scripted for a number of
  requests that did not all come fails the test.

They serve tests of pytest-asyncio 0.24 and newer, in either mode and in whatever loop the test has, and those
of anyio on asyncio. A fixture of yours named ``telnyx_emulator`` takes the place of ours for the other two as
well. Until one of them is asked for, nothing but this module is imported, and nothing is required.
"""

import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from types import ModuleType
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, TypeGuard, cast

import pytest

if TYPE_CHECKING:  # pytest loads this module wherever it is installed: it costs next to nothing
    from telnyx_rooms_async import RoomsClient
    from telnyx_rooms_async.emulator import Emulator, Faults

_Scope: TypeAlias = Literal["function", "class", "module", "package", "session"]
_SCOPES: Final[tuple[_Scope, ...]] = ("function", "class", "module", "package", "session")
_EMULATOR: Final = "_telnyx_emulator_of_"
_CLIENT: Final = "_rooms_client_of_"


def pytest_configure(config: pytest.Config) -> None:
    """Add the asynchronous halves of the fixtures, for the plugin that will run them.

    This runs in every test run, also in one that has no part in this library: it must not fail, whatever the
    version of pytest-asyncio is. What is missing is said when a fixture is requested.
    """
    halves = ModuleType(f"{__name__}.halves")  # pytest looks for fixtures in modules and in classes
    setattr(halves, f"{_EMULATOR}anyio", pytest.fixture(_emulator()))
    setattr(halves, f"{_CLIENT}anyio", pytest.fixture(_client()))
    fixture: object = getattr(_asyncio_plugin(config), "fixture", None)
    if _takes_loop_scope(fixture):
        for scope in _SCOPES:  # of the loop, not of the fixture
            setattr(halves, f"{_EMULATOR}{scope}", fixture(_emulator(), loop_scope=scope))
            setattr(halves, f"{_CLIENT}{scope}", fixture(_client(), loop_scope=scope))
    config.pluginmanager.register(halves, halves.__name__)


def _asyncio_plugin(config: pytest.Config) -> object:
    """Return the module of pytest-asyncio's plugin, or ``None``; it is not imported for that."""
    plugins = config.pluginmanager
    return plugins.get_plugin("asyncio") or plugins.get_plugin("pytest_asyncio.plugin")


def _takes_loop_scope(fixture: object) -> TypeGuard[Callable[..., object]]:
    return callable(fixture) and "loop_scope" in inspect.signature(fixture).parameters


@pytest.fixture
def telnyx_emulator(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> "Emulator":
    """A stateful Telnyx on this machine for one test, where the variables of the environment lead."""
    emulator = cast("Emulator", request.getfixturevalue(f"{_EMULATOR}{_loop_of(request)}"))
    monkeypatch.setenv("TELNYX_API_KEY", emulator.api_key)
    monkeypatch.setenv("TELNYX_BASE_URL", emulator.url)
    with suppress(RuntimeError):  # without the extra there are no webhooks to verify
        monkeypatch.setenv("TELNYX_PUBLIC_KEY", emulator.public_key)
    return emulator


@pytest.fixture
def rooms_client(request: pytest.FixtureRequest) -> "RoomsClient":
    """A client of the emulator that does not pause before it tries again."""
    return cast("RoomsClient", request.getfixturevalue(f"{_CLIENT}{_loop_of(request)}"))


@pytest.fixture
def telnyx_faults(telnyx_emulator: "Emulator") -> "Iterator[Faults]":
    """A short way to script faults, which must all be met by the end of the test."""
    from telnyx_rooms_async.emulator import Faults  # noqa: PLC0415 - only for who asks

    faults = Faults(telnyx_emulator)
    yield faults
    if faults.unmet:
        pytest.fail(f"scripted, but not met by as many requests: {', '.join(map(repr, faults.unmet))}")


def _emulator() -> "Callable[[], AsyncIterator[Emulator]]":  # a function each: pytest-asyncio marks them
    async def emulator() -> "AsyncIterator[Emulator]":
        from telnyx_rooms_async.emulator import Emulator  # noqa: PLC0415 - only for who asks

        async with Emulator() as running:
            yield running

    return emulator


def _client() -> "Callable[[Emulator], AsyncIterator[RoomsClient]]":
    async def client(telnyx_emulator: "Emulator") -> "AsyncIterator[RoomsClient]":
        from telnyx_rooms_async import Clock, RoomsClient  # noqa: PLC0415 - only for who asks

        clock = Clock(dice=lambda: 0.0)
        async with RoomsClient(telnyx_emulator.api_key, base_url=telnyx_emulator.url, clock=clock) as opened:
            yield opened

    return client


def _loop_of(request: pytest.FixtureRequest) -> str:
    """Tell who runs the test: anyio, or the loop of which scope of pytest-asyncio."""
    if "anyio_backend" in request.fixturenames:
        backend = request.getfixturevalue("anyio_backend_name")
        if backend != "asyncio":
            pytest.fail(f"{request.fixturename} needs anyio's backend asyncio, not {backend}")
        return "anyio"
    plugin = _asyncio_plugin(request.config)
    if plugin is None:
        pytest.fail(f"{request.fixturename} needs pytest-asyncio, or anyio and its mark on the test")
    if not _takes_loop_scope(getattr(plugin, "fixture", None)):
        pytest.fail(f"{request.fixturename} needs pytest-asyncio 0.24 or newer: this one has no loop_scope")
    marker = request.node.get_closest_marker("asyncio")
    # Some have written "scope" for it, and pytest-asyncio still takes that.
    chosen = marker.kwargs.get("loop_scope") or marker.kwargs.get("scope") if marker else None
    return str(chosen or _default_loop_scope(request.config))


def _default_loop_scope(config: pytest.Config) -> str:
    try:
        return str(config.getini("asyncio_default_test_loop_scope"))
    except ValueError:  # pytest-asyncio before 0.26 has no such option
        return "function"
