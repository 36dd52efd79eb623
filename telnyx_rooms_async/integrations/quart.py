"""Quart: a view for webhooks."""

from collections.abc import AsyncGenerator, Awaitable, Callable

from quart import Response, request

from telnyx_rooms_async.webhooks.receiver import Receiver, response_headers
from telnyx_rooms_async.webhooks.router import EventRouter
from telnyx_rooms_async.webhooks.signature import Webhooks


def quart_view(
    router: EventRouter, webhooks: Webhooks, *, background: bool = False
) -> Callable[[], Awaitable[Response]]:
    """Return a view that receives webhooks.

    The response has no body. Its status is 200 when the event was handled, now or before; 400 when the
    signature is not valid or the body is not an event; 405 for other methods than POST; 413 when the body is
    larger than 1 MiB, 415 when it is compressed; and 500 when handling failed, after which Telnyx delivers
    the event again.

    Args:
        router: runs the handlers of events.
        webhooks: verifies the signatures.
        background: respond before the handlers run. The router must then be entered, for example in
            ``@app.while_serving``. An event whose handler fails is lost.

    Example:
        >>> app.add_url_rule("/telnyx", view_func=quart_view(router, Webhooks()), methods=["POST"])
    """
    receiver = Receiver(router, webhooks, background)

    async def telnyx_webhook() -> Response:
        status = await receiver.receive(request.method, request.headers, _chunks())
        return Response(status=status, headers=response_headers(status))

    return telnyx_webhook


async def _chunks() -> AsyncGenerator[bytes]:
    async for chunk in request.body:
        yield chunk
