"""Django: a view for webhooks, async or sync."""

from collections.abc import Callable
from typing import Any, cast

from asgiref.sync import async_to_sync
from django.http import (  # type: ignore[import-untyped]  # Django has no types
    HttpResponse,
    UnreadablePostError,
)
from django.views.decorators.csrf import csrf_exempt  # type: ignore[import-untyped]  # Django has no types

from telnyx_rooms_async.webhooks.receiver import Receiver, chunks_of, response_headers
from telnyx_rooms_async.webhooks.router import EventRouter
from telnyx_rooms_async.webhooks.signature import Webhooks

_exempt = cast("Callable[[Any], Any]", csrf_exempt)  # the signature replaces the protection of forms


def django_view(router: EventRouter, webhooks: Webhooks) -> Any:  # noqa: ANN401 - Django has no types
    """Return an async view that receives webhooks, under ASGI or WSGI.

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

    return _exempt(view)


def django_sync_view(router: EventRouter, webhooks: Webhooks) -> Any:  # noqa: ANN401 - Django has no types
    """Return a sync view that receives webhooks, for WSGI with middleware that is not async.

    The handlers of an event run in an event loop of their own; see `django_view` for the response.

    Example:
        >>> from django.urls import path
        >>> urlpatterns = [path("telnyx/", django_sync_view(EventRouter(), Webhooks()))]
    """
    return _exempt(async_to_sync(django_view(router, webhooks)))
