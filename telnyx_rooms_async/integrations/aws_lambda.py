"""AWS Lambda: a handler for webhooks behind API Gateway or a function URL. No dependency."""

import asyncio
import io
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any

from telnyx_rooms_async.webhooks.receiver import Receiver, chunks_of, response_headers
from telnyx_rooms_async.webhooks.router import EventRouter
from telnyx_rooms_async.webhooks.signature import Webhooks


def lambda_handler(
    router: EventRouter, webhooks: Webhooks
) -> Callable[[Mapping[str, Any], object], dict[str, Any]]:
    """Return a Lambda function that receives webhooks, with the events of a webhook in an event loop each.

    It serves the payloads 1.0 and 2.0 of API Gateway and those of function URLs. The statuses of
    its responses are listed in `telnyx_rooms_async.integrations`.

    Example:
        >>> handler = lambda_handler(EventRouter(), Webhooks())  # the entry point: module.handler
    """
    receiver = Receiver(router, webhooks)

    def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda passes it
        http = event.get("requestContext", {}).get("http", {})
        method = str(event.get("httpMethod") or http.get("method", ""))
        text = event.get("body") or ""
        try:
            body = b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
        except ValueError:  # not base64
            body = b""
        chunks = chunks_of(io.BytesIO(body).read)
        status = asyncio.run(receiver.receive(method, event.get("headers") or {}, chunks))
        return {"statusCode": int(status), "headers": response_headers(status), "body": ""}

    return handle
