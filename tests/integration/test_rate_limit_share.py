"""Clients that share the rate limit of an account."""

import asyncio
from collections import Counter
from typing import Any

from telnyx_rooms_async import Attempt, RoomsClient
from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock


async def test_three_clients_use_the_rate_limit_of_their_account_without_refusals() -> None:
    clock, statuses = FakeClock(), Counter[int | None]()

    def count(attempt: Attempt) -> None:
        statuses[attempt.status] += 1

    async def create_rooms(client: RoomsClient) -> None:
        while True:
            await client.rooms.create()

    with clock.fast_forward():
        async with Emulator(clock=clock) as telnyx:
            telnyx.limit(30, seconds=5)
            options: dict[str, Any] = {
                "base_url": telnyx.url,
                "rate_limit_share": 1 / 3,
                "clock": clock.clock,
                "on_attempt": count,
            }
            clients = [RoomsClient(telnyx.api_key, **options) for _ in range(3)]
            started = clock.seconds
            tasks = [asyncio.create_task(create_rooms(client)) for client in clients * 8]
            await asyncio.sleep(60)
            created, seconds = len(telnyx.rooms), clock.seconds - started
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            for client in clients:
                await client.close()
    assert created >= 0.9 * 6 * seconds
    assert statuses[429] < 0.01 * statuses.total()
