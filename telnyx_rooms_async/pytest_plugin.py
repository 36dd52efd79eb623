"""Fixtures for the tests of those who use this library. pytest finds them by itself once it is installed.

- ``telnyx_emulator``: an `Emulator` for one test. ``TELNYX_API_KEY``, ``TELNYX_BASE_URL`` and, with the extra
  ``webhooks``, ``TELNYX_PUBLIC_KEY`` lead to it meanwhile: a ``RoomsClient()`` that your code makes finds it.
- ``rooms_client``: a `RoomsClient` of that emulator. It does not pause before it tries again, unless the
  answer asks for it.
- ``telnyx_faults``: `Faults`, a short way to script what goes wrong. What was scripted for a number of
  requests that did not all come fails the test.

They serve tests of pytest-asyncio, in either mode and in whatever loop the test has, and those of anyio on
asyncio. A fixture of yours named ``telnyx_emulator`` takes the place of ours for the other two as well.
Until one of them is asked for, nothing but this module is imported.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from types import ModuleType
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast

import pytest

if TYPE_CHECKING:  # pytest loads this module wherever it is installed: it costs next to nothing
    from telnyx_rooms_async import RoomsClient
    from telnyx_rooms_async.emulator import Emulator, Faults

_Scope: TypeAlias = Literal["function", "class", "module", "package", "session"]
_SCOPES: Final[tuple[_Scope, ...]] = ("function", "class", "module", "package", "session")
_EMULATOR: Final = "_telnyx_emulator_of_"
_CLIENT: Final = "_rooms_client_of_"


def pytest_configure(config: pytest.Config) -> None:
    """Add the asynchronous halves of the fixtures, for the plugin that will run them."""
    halves = ModuleType(f"{__name__}.halves")  # pytest looks for fixtures in modules and in classes
    setattr(halves, f"{_EMULATOR}anyio", pytest.fixture(_emulator()))
    setattr(halves, f"{_CLIENT}anyio", pytest.fixture(_client()))
    if config.pluginmanager.hasplugin("asyncio"):
        import pytest_asyncio  # noqa: PLC0415 - it is there already

        for scope in _SCOPES:  # of the loop, not of the fixture
            setattr(halves, f"{_EMULATOR}{scope}", pytest_asyncio.fixture(_emulator(), loop_scope=scope))
            setattr(halves, f"{_CLIENT}{scope}", pytest_asyncio.fixture(_client(), loop_scope=scope))
    config.pluginmanager.register(halves, halves.__name__)


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
        return "anyio"
    if not request.config.pluginmanager.hasplugin("asyncio"):
        pytest.fail(f"{request.fixturename} needs pytest-asyncio, or anyio and its mark on the test")
    marker = request.node.get_closest_marker("asyncio")
    # Some have written "scope" for it, and pytest-asyncio still takes that.
    chosen = marker.kwargs.get("loop_scope") or marker.kwargs.get("scope") if marker else None
    return str(chosen or request.config.getini("asyncio_default_test_loop_scope"))
