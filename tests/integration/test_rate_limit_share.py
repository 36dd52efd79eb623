"""Several clients that share an account, over real sockets."""

import asyncio
from collections import Counter
from datetime import UTC, datetime

import pytest

from telnyx_rooms_async import Attempt, ConfigurationError, ConnectError, RetryPolicy, RoomsClient
from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock
from tests.helpers.fast_forward import FastForwardLoop
from tests.helpers.scripted_server import ScriptedServer


async def test_three_clients_share_an_account() -> None:
    """They use nine tenths of its rate, and fewer than one answer of a hundred is a 429."""
    time, statuses = FastForwardLoop(), Counter[int | None]()
    seconds, stop = 0.0, asyncio.Event()

    def count(attempt: Attempt) -> None:
        statuses[attempt.status] += 1

    async def work(client: RoomsClient) -> None:
        while not stop.is_set():
            await client.rooms.create()

    with time.patch(asyncio.get_running_loop()):
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


TOLD = {"x_ratelimit_limit": "4", "x_ratelimit_remaining": "3", "x_ratelimit_reset": "30"}


async def test_what_was_not_sent_takes_no_share(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    """Requests that found no server were counted by none: the next one need not wait for a window."""
    server = await asyncio.start_server(scripted_server.serve, "127.0.0.1", 0)
    port = scripted_server.port = server.sockets[0].getsockname()[1]
    client = RoomsClient("KEY", base_url=scripted_server.url, share=0.5, clock=fake_clock.clock)
    once = client.with_options(retry=RetryPolicy(attempts=1))
    scripted_server.respond_with(
        ScriptedServer.http(200, b'{"data":{"id":"a-room"}}', Connection="close", **TOLD)
    )
    async with client:
        await once.rooms.retrieve("a-room")
        server.close()
        await server.wait_closed()
        for _ in range(5):
            with pytest.raises(ConnectError):
                await once.rooms.retrieve("a-room")
        server = await asyncio.start_server(scripted_server.serve, "127.0.0.1", port)
        await once.rooms.retrieve("a-room")
        assert fake_clock.sleeps == []  # two of four places are ours, and each lasts for its window
        await once.rooms.retrieve("a-room")
        assert sum(fake_clock.sleeps) > 25
    server.close()


@pytest.mark.parametrize("share", [0, -0.1, 1.01, float("nan"), "1", True, None])
def test_a_share_that_is_none(share: float) -> None:
    """A share is above 0 and up to 1."""
    with pytest.raises(ConfigurationError, match="share must be a"):
        RoomsClient("KEY", share=share)
