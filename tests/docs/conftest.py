"""An account whose time runs fast, in an empty folder."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock


@pytest.fixture
async def telnyx() -> AsyncIterator[Emulator]:
    """An emulator in which a minute passes whenever it reads the time: nothing has to be waited for."""
    time = FakeClock()

    def next_minute() -> datetime:
        time.advance(seconds=60)
        return time.now

    async with Emulator(clock=next_minute, sleep=FakeClock().sleep) as emulator:
        yield emulator


@pytest.fixture
def account(telnyx: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the test in an empty folder, with the variables of the emulator."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TELNYX_API_KEY", telnyx.api_key)
    monkeypatch.setenv("TELNYX_BASE_URL", telnyx.url)
    monkeypatch.setenv("TELNYX_PUBLIC_KEY", telnyx.public_key)
