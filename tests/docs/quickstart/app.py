import sys

from aiohttp import web

from telnyx_rooms_async.webhooks import EventRouter, RoomSessionEnded, Webhooks
from telnyx_rooms_async.integrations.aiohttp_web import CLIENT, aiohttp_handler, client_context

over: list[str | None] = []
router = EventRouter()


@router.on(RoomSessionEnded)
async def ended(event: RoomSessionEnded) -> None:
    over.append(event.payload.session_id)


async def count(request: web.Request) -> web.Response:
    return web.json_response(await request.app[CLIENT].rooms.list().count())


def make_app() -> web.Application:
    app = web.Application()
    app.cleanup_ctx.append(client_context)
    app.router.add_get("/rooms", count)
    app.router.add_post("/telnyx/", aiohttp_handler(router, Webhooks()))
    return app


if __name__ == "__main__":
    web.run_app(make_app(), host="127.0.0.1", port=int(sys.argv[1]))
