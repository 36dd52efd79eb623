"""Flask: a view for webhooks."""

import asyncio
from collections.abc import Callable

from flask import Response, request
from werkzeug.exceptions import ClientDisconnected

from telnyx_rooms_async.webhooks.receiver import Receiver, chunks_of, response_headers
from telnyx_rooms_async.webhooks.router import EventRouter
from telnyx_rooms_async.webhooks.signature import Webhooks


def flask_view(router: EventRouter, webhooks: Webhooks) -> Callable[[], Response]:
    """Return a view that receives webhooks. The handlers of an event run in an event loop of their own.

    The statuses of its responses are listed in `telnyx_rooms_async.integrations`.

    Example:
        >>> from flask import Flask
        >>> app = Flask("app")
        >>> view = flask_view(EventRouter(), Webhooks())
        >>> app.add_url_rule("/telnyx", view_func=view, methods=["POST"])
    """
    receiver = Receiver(router, webhooks)

    def telnyx_webhook() -> Response:
        body = chunks_of(request.stream.read, ClientDisconnected)
        status = asyncio.run(receiver.receive(request.method, request.headers, body))
        return Response(status=status, headers=response_headers(status))

    return telnyx_webhook
