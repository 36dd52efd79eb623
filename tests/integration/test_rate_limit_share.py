"""Clients that share the rate limit of an account."""

import asyncio
from collections import Counter

import pytest

from telnyx_rooms_async import Attempt, ConnectError, RetryPolicy, RoomsClient
from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock
from tests.helpers.scripted_server import ScriptedServer


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
            options = {"base_url": telnyx.url, "share": 1 / 3, "clock": clock.clock, "on_attempt": count}
            clients = [RoomsClient(telnyx.api_key, **options) for _ in range(3)]  # type: ignore[arg-type]  # of several types
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


async def test_request_that_was_not_sent_does_not_use_the_share(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    limit = {"x_ratelimit_limit": "4", "x_ratelimit_remaining": "3", "x_ratelimit_reset": "30"}
    scripted_server.respond_with(
        ScriptedServer.http(200, b'{"data":{"id":"a-room"}}', Connection="close", **limit)
    )
    client = RoomsClient(
        "KEY", base_url=scripted_server.url, share=0.5, clock=fake_clock.clock, retry=RetryPolicy(attempts=1)
    )
    async with client:
        await client.rooms.retrieve("a-room")
        scripted_server.stop_listening()
        for _ in range(5):
            with pytest.raises(ConnectError):
                await client.rooms.retrieve("a-room")
        await scripted_server.listen()
        await client.rooms.retrieve("a-room")
        assert fake_clock.sleeps == []
        await client.rooms.retrieve("a-room")  # the third of two requests in 30 seconds
        assert sum(fake_clock.sleeps) > 25
