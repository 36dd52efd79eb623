"""One worker process of a web app: ``python webhook_worker.py SOCKET_OF_REDIS NAME``; it prints its URL."""

import asyncio
import sys

from aiohttp import web
from redis.asyncio import Redis

from telnyx_rooms_async.integrations.aiohttp_web import aiohttp_handler
from telnyx_rooms_async.webhooks import Event, EventRouter, Webhooks
from telnyx_rooms_async.webhooks.redis import RedisEventStore


async def main(path: str) -> None:
    """Serve until stdin is closed."""
    async with Redis(unix_socket_path=path) as redis:
        router = EventRouter(store=RedisEventStore(redis))

        @router.on(Event)
        async def handle(event: Event) -> None:
            # Recorded in the same Redis: which worker handled the event, and that no other did meanwhile.
            assert await redis.incr(f"running:{event.id}") == 1
            await asyncio.sleep(0.01)
            await redis.decr(f"running:{event.id}")
            await redis.rpush("handled", event.id)
            await redis.incr(f"by:{sys.argv[2]}")

        app = web.Application()
        app.router.add_post("/", aiohttp_handler(router, Webhooks()))
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)  # noqa: T201 - read by the parent process
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
