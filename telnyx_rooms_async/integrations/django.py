"""Django: a view for webhooks."""

from collections.abc import Callable
from typing import Any, cast

from django.http import (  # type: ignore[import-untyped]  # Django has no types
    HttpResponse,
    UnreadablePostError,
)
from django.views.decorators.csrf import csrf_exempt  # type: ignore[import-untyped]  # Django has no types

from telnyx_rooms_async.webhooks.receiver import Receiver, chunks_of, response_headers
from telnyx_rooms_async.webhooks.router import EventRouter
from telnyx_rooms_async.webhooks.signature import Webhooks


def django_view(router: EventRouter, webhooks: Webhooks) -> Any:  # noqa: ANN401 - Django has no types
    """Return an async view that receives webhooks, under ASGI or WSGI, with middleware of either kind.

    The statuses of its responses are listed in `telnyx_rooms_async.integrations`.

    Example:
        >>> from django.urls import path
        >>> urlpatterns = [path("telnyx/", django_view(EventRouter(), Webhooks()))]
    """
    receiver = Receiver(router, webhooks)

    async def view(request: Any) -> Any:  # noqa: ANN401 - Django has no types
        body = chunks_of(request.read, UnreadablePostError)
        status = await receiver.receive(request.method, request.headers, body)
        return HttpResponse(status=status, headers=response_headers(status))

    exempt = cast("Callable[[Any], Any]", csrf_exempt)  # the signature replaces the protection of forms
    return exempt(view)
