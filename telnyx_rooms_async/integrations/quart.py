"""Quart: a view for webhooks."""

from collections.abc import AsyncGenerator, Awaitable, Callable

from quart import Response, request

from telnyx_rooms_async.webhooks.receiver import BODY_TIMEOUT, Receiver, response_headers
from telnyx_rooms_async.webhooks.router import EventRouter
from telnyx_rooms_async.webhooks.signature import Webhooks


def quart_view(
    router: EventRouter, webhooks: Webhooks, *, background: bool = False, body_timeout: float = BODY_TIMEOUT
) -> Callable[[], Awaitable[Response]]:
    """Return a view that receives webhooks.

    The statuses of its responses are listed in `telnyx_rooms_async.integrations`.

    Args:
        router: runs the handlers of events.
        webhooks: verifies the signatures.
        background: respond before the handlers run. The router must then be entered, for example in
            ``@app.while_serving``. An event whose handler fails is lost.
        body_timeout: seconds for the body to arrive.

    Raises:
        ConfigurationError: the timeout is not positive.

    Example:
        >>> from quart import Quart
        >>> app = Quart("app")
        >>> view = quart_view(EventRouter(), Webhooks())
        >>> app.add_url_rule("/telnyx", view_func=view, methods=["POST"])
    """
    receiver = Receiver(router, webhooks, background, body_timeout)

    async def telnyx_webhook() -> Response:
        status = await receiver.receive(request.method, request.headers, _chunks())
        return Response(status=status, headers=response_headers(status))

    return telnyx_webhook


async def _chunks() -> AsyncGenerator[bytes]:
    async for chunk in request.body:
        yield chunk
