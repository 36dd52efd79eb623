"""The Django project of the tests: a process can configure Django only once."""

from types import ModuleType
from typing import Any

import django  # type: ignore[import-untyped]  # it has no types
from django.conf import settings  # type: ignore[import-untyped]  # likewise
from django.urls import clear_url_caches  # type: ignore[import-untyped]  # likewise

_URLS = ModuleType("urls")


def configure_django(*urls: Any) -> None:
    """Serve these URL patterns from now on."""
    if not settings.configured:
        middleware = ["django.middleware.csrf.CsrfViewMiddleware"]
        settings.configure(ROOT_URLCONF=_URLS, ALLOWED_HOSTS=["*"], SECRET_KEY="-", MIDDLEWARE=middleware)
        django.setup()
    vars(_URLS)["urlpatterns"] = list(urls)
    clear_url_caches()
