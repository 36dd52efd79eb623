"""One worker of a web app, as a process: ``python worker.py SOCKET_OF_REDIS``. It prints its port."""

import asyncio
import sys

from aiohttp import web
from redis.asyncio import Redis

from telnyx_rooms_async import Event, EventRouter, Webhooks
from telnyx_rooms_async.integrations.aiohttp_web import aiohttp_handler
from telnyx_rooms_async.webhooks.redis import SeenInRedis


async def main(path: str) -> None:
    """Serve until the other side closes stdin."""
    async with Redis(unix_socket_path=path) as redis:
        router = EventRouter(seen=SeenInRedis(redis))

        @router.on(Event)
        async def handle(event: Event) -> None:
            # Told in the same Redis: who had it, and that nobody else had it meanwhile.
            assert await redis.incr(f"at once:{event.id}") == 1
            await asyncio.sleep(0.01)
            await redis.decr(f"at once:{event.id}")
            await redis.rpush("handled", event.id)
            await redis.incr(f"by:{sys.argv[2]}")

        app = web.Application()
        app.router.add_post("/", aiohttp_handler(router, Webhooks()))
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(runner.addresses[0][1], flush=True)  # noqa: T201 - this is what it has to say
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
