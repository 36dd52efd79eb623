"""Clients that share the rate limit of an account."""

import asyncio
from collections import Counter
from datetime import UTC, datetime

from telnyx_rooms_async import Attempt, RoomsClient
from telnyx_rooms_async.emulator import Emulator
from tests.helpers.fast_forward import FastForwardLoop


async def test_three_clients_use_the_rate_limit_of_their_account_without_refusals() -> None:
    time, statuses = FastForwardLoop(), Counter[int | None]()

    def count(attempt: Attempt) -> None:
        statuses[attempt.status] += 1

    async def create_rooms(client: RoomsClient) -> None:
        while True:
            await client.rooms.create()

    with time.patch(asyncio.get_running_loop()):
        async with Emulator(clock=lambda: datetime.fromtimestamp(time.now(), UTC)) as telnyx:
            telnyx.limit(30, seconds=5)
            options = {"base_url": telnyx.url, "share": 1 / 3, "clock": time.clock, "on_attempt": count}
            clients = [RoomsClient(telnyx.api_key, **options) for _ in range(3)]  # type: ignore[arg-type]  # of several types
            started = time.seconds()
            tasks = [asyncio.create_task(create_rooms(client)) for client in clients * 8]
            await asyncio.sleep(60)
            created, seconds = len(telnyx.rooms), time.seconds() - started
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            for client in clients:
                await client.close()
    assert created >= 0.9 * 6 * seconds
    assert statuses[429] < 0.01 * statuses.total()
