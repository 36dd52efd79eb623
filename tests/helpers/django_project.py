"""The Django project of the tests: a process can configure Django only once."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import django  # type: ignore[import-untyped]  # it has no types
from django.conf import settings  # type: ignore[import-untyped]  # likewise
from django.urls import clear_url_caches  # type: ignore[import-untyped]  # likewise

_URLS = ModuleType("urls")


class SyncMiddleware:
    """Middleware that is not async."""

    sync_capable, async_capable = True, False

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self._get_response = get_response

    def __call__(self, request: Any) -> Any:
        return self._get_response(request)


def configure_django(*urls: Any, is_async: bool = True) -> None:
    """Serve these URL patterns from now on. Without `is_async`, a middleware is not async."""
    if not settings.configured:
        settings.configure(ROOT_URLCONF=_URLS, ALLOWED_HOSTS=["*"], SECRET_KEY="-")
        django.setup()
    settings.MIDDLEWARE = ["django.middleware.csrf.CsrfViewMiddleware"]
    if not is_async:
        settings.MIDDLEWARE.append(f"{__name__}.{SyncMiddleware.__name__}")
    vars(_URLS)["urlpatterns"] = list(urls)
    clear_url_caches()
