"""Several clients that share an account, over real sockets."""

import asyncio
from collections import Counter
from datetime import UTC, datetime

import pytest

from haste import Haste
from telnyx_rooms_async import Attempt, ConfigurationError, RoomsClient
from telnyx_rooms_async.emulator import Emulator


async def test_three_clients_share_an_account() -> None:
    """They use nine tenths of its rate, and fewer than one answer of a hundred is a 429."""
    time, statuses = Haste(), Counter[int | None]()
    seconds, stop = 0.0, asyncio.Event()

    def count(attempt: Attempt) -> None:
        statuses[attempt.status] += 1

    async def work(client: RoomsClient) -> None:
        while not stop.is_set():
            await client.rooms.create()

    with time.runs(asyncio.get_running_loop()):
        async with Emulator(clock=lambda: datetime.fromtimestamp(time.now(), UTC)) as telnyx:
            telnyx.limit(60, seconds=5)
            clients = [
                RoomsClient(
                    telnyx.api_key, base_url=telnyx.url, share=1 / 3, clock=time.clock, on_attempt=count
                )
                for _ in range(3)
            ]
            began = time.seconds()
            async with asyncio.TaskGroup() as group:
                for client in clients:
                    for _ in range(8):
                        group.create_task(work(client))
                await asyncio.sleep(60)
                used, seconds = len(telnyx.rooms), time.seconds() - began
                stop.set()
            for client in clients:
                await client.close()
    assert used >= 0.9 * 12 * seconds
    assert statuses[429] < 0.01 * statuses.total()


@pytest.mark.parametrize("share", [0, -0.1, 1.01, float("nan"), "1", True, None])
def test_a_share_that_is_none(share: float) -> None:
    """A share is above 0 and up to 1."""
    with pytest.raises(ConfigurationError, match="share must be a"):
        RoomsClient("KEY", share=share)
