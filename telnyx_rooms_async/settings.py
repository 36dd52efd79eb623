"""Settings of a client, environment variables, and the validation of options."""

import math
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache
from typing import Final, cast
from urllib.parse import SplitResult, urlsplit

from attrs import evolve, field, fields, frozen

from telnyx_rooms_async.core.retry import RetryPolicy
from telnyx_rooms_async.core.secret import Secret, hidden
from telnyx_rooms_async.core.validators import (
    exact_integer,
    exact_number,
    exact_url,
    has_valid_labels,
    is_loopback,
    is_quoted,
    is_visible_ascii,
    short_repr,
)
from telnyx_rooms_async.errors import ConfigurationError
from telnyx_rooms_async.http.credentials import ApiKeyFunction, check_api_key
from telnyx_rooms_async.models import Value

_PLAIN_URL: Final = r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?"


def _show_url(url: object) -> str:
    """Return the repr of a base URL or of a proxy, unless it may hold credentials."""
    return "None" if url is None else repr(str(url)) if re.fullmatch(_PLAIN_URL, str(url)) else "'***'"


def _hide(value: object) -> str:
    """Return a repr that shows only whether there is a value."""
    return "None" if value is None else "'***'"


def hidden_key(api_key: object) -> Secret | ApiKeyFunction | None:
    """Return an API key as a secret; a function for it, None, and what is no key, as it is."""
    is_text = issubclass(type(api_key), str)
    return hidden(api_key) if is_text else cast("ApiKeyFunction | None", api_key)


def hidden_option(value: object) -> Secret | None:
    """Return an option as a secret, and None as it is."""
    return None if value is None else hidden(value)


@frozen(kw_only=True, eq=False, repr=False)
class Settings(Value):
    """Options of a `RoomsClient` as a value, for example for another process.

    Each field is the argument of the same name of `RoomsClient`, which validates it. A pickle contains the
    API key, the headers and the credentials of the proxy, if the settings do; a function for the key is
    pickled by its name.

    Example:
        >>> client = RoomsClient.from_settings(Settings(api_key="KEY", max_connections=20))
    """

    api_key: str | ApiKeyFunction | None = field(default=None, converter=hidden_key, repr=False)
    base_url: str | None = field(default=None, repr=_show_url)
    timeout: float | timedelta | None = 45.0
    attempt_timeout: float | timedelta | None = 15.0
    retry: RetryPolicy | None = None
    max_retries: int | None = None
    default_headers: Mapping[str, str] | None = field(default=None, repr=_hide, hash=False)
    user_agent_suffix: str | None = None
    max_connections: int = 100
    rate_limit_share: float = 1.0
    read_only: bool = False
    ca_file: str | os.PathLike[str] | None = None
    client_cert: str | os.PathLike[str] | None = None
    proxy: str | None = field(default=None, converter=hidden_option, repr=_show_url)
    trust_env: bool = False
    allow_insecure: bool = False


def find_api_key(api_key: Secret | ApiKeyFunction | None) -> Secret | ApiKeyFunction:
    """Return an API key or the function for it, by default the environment variable ``TELNYX_API_KEY``.

    Raises:
        ConfigurationError: it is missing, of a wrong type, or cannot be sent in a header. It is not shown.
    """
    key = Secret(os.environ.get("TELNYX_API_KEY", "")) if api_key is None else api_key
    if not isinstance(key, Secret):
        if not callable(cast("object", key)):
            raise ConfigurationError(f"api_key must be text or a function, not {type(key).__name__}")
        return key
    if not key:
        raise ConfigurationError("no API key: pass api_key as text or a function, or set TELNYX_API_KEY")
    return check_api_key(key)


def find_public_key() -> str:
    """Return the public key of the environment variable ``TELNYX_PUBLIC_KEY``.

    Raises:
        ConfigurationError: it is missing.
    """
    if key := os.environ.get("TELNYX_PUBLIC_KEY"):
        return key
    raise ConfigurationError("no public key: pass public_key, or set TELNYX_PUBLIC_KEY")


def find_base_url(base_url: str | None, *, allow_insecure: bool) -> str:
    """Return a base URL without a slash at its end, by default that of ``TELNYX_BASE_URL`` or of Telnyx.

    Raises:
        ConfigurationError: it is not a plain ``https://`` URL. ``http://`` is allowed for this machine, and
            with ``allow_insecure`` or ``TELNYX_ALLOW_INSECURE``.
    """
    variable = os.environ.get("TELNYX_ALLOW_INSECURE", "").strip().lower()
    if variable not in ("", "true", "false"):
        raise ConfigurationError("TELNYX_ALLOW_INSECURE must be true or false")
    url = exact_url(base_url)
    if url is None:
        url = os.environ.get("TELNYX_BASE_URL") or "https://api.telnyx.com/v2"
    if not isinstance(url, str):
        raise ConfigurationError("the base URL must be text")
    return _checked_url(url, is_http_allowed=allow_insecure or variable == "true")


@lru_cache(maxsize=16)
def _checked_url(url: str, *, is_http_allowed: bool) -> str:
    """Check the text of a base URL, and return it without a slash at its end."""
    if is_quoted(url):
        raise ConfigurationError("the base URL must stand without quotes around it")
    parts: SplitResult | None = None
    with suppress(ValueError):  # of urllib, whose message may show a password
        split = urlsplit(url)
        _ = split.hostname, split.port
        parts = split
    if parts is None:
        raise ConfigurationError("the base URL is not a URL")
    scheme, host = parts.scheme, parts.hostname or ""
    # Only scheme and host are shown: the rest of a wrong URL may be a password.
    if scheme not in ("https", "http") or not has_valid_labels(host):
        raise ConfigurationError("the base URL must begin with https:// and a host")
    if set(parts.netloc) & set("@\\") or parts.query or parts.fragment or not is_visible_ascii(url):
        raise ConfigurationError(f"the base URL for {host} must be plain: no user, query, fragment or space")
    if scheme == "http" and not (is_http_allowed or is_loopback(host)):
        raise ConfigurationError(
            f"http://{host} would send the API key in the clear: use https://,"
            " or set TELNYX_ALLOW_INSECURE=true where the network is trusted"
        )
    return url.rstrip("/")


# --- validation; each function raises `ConfigurationError` --------------------------------------------------


def check_positive(**options: object) -> None:
    """Check options that are positive, finite numbers, such as seconds."""
    for name, value in options.items():
        number = exact_number(value)
        if not isinstance(number, int | float) or isinstance(number, bool) or not 0 < number < 2**31:
            raise ConfigurationError(f"{name} must be a positive number, not {short_repr(value)}")


def check_not_negative(**options: object) -> None:
    """Check options that are finite numbers from 0."""
    for name, value in options.items():
        number = exact_number(value)
        if not isinstance(number, int | float) or isinstance(number, bool) or not 0 <= number < math.inf:
            raise ConfigurationError(f"{name} must be a number from 0, not {short_repr(value)}")


def check_count(**options: object) -> None:
    """Check options that are integers of at least 1."""
    for name, value in options.items():
        number = exact_integer(value)
        if type(number) is not int or not 0 < number < 2**31:
            raise ConfigurationError(f"{name} must be a whole number, 1 or more, not {short_repr(value)}")


def check_flags(**options: object) -> None:
    """Check options that are booleans: the text "false" would be true."""
    for name, value in options.items():
        if not isinstance(value, bool):
            raise ConfigurationError(f"{name} must be True or False, not {short_repr(value)}")


def check_type(name: str, value: object, cls: type) -> None:
    """Check an option that is an object of a class."""
    if not isinstance(value, cls):
        raise ConfigurationError(f"{name} must be a {cls.__name__}, not {short_repr(value)}")


def check_share(share: float) -> None:
    """Check the share of the rate limit, a number above 0 and up to 1."""
    check_positive(rate_limit_share=share)
    if share > 1:
        raise ConfigurationError(f"rate_limit_share must be a number up to 1, not {short_repr(share)}")


def timeout_seconds(name: str, value: float | timedelta | None) -> float:
    """Return a timeout in seconds: a positive number or `timedelta`, or infinity for None."""
    if value is None:
        return math.inf
    seconds = exact_number(value.total_seconds() if isinstance(value, timedelta) else value)
    check_positive(**{name: seconds})
    return float(seconds)


def find_retry_policy(
    default: RetryPolicy, retry: RetryPolicy | None, max_retries: int | None
) -> RetryPolicy:
    """Return the retry policy of one of two options, or a default."""
    if max_retries is not None:
        number = exact_integer(max_retries)
        if type(number) is not int or not 0 <= number < 2**31:
            raise ConfigurationError(
                f"max_retries must be a whole number from 0, not {short_repr(max_retries)}"
            )
        if retry is not None:
            raise ConfigurationError("pass either max_retries, or retry with its max_attempts")
        return evolve(default, max_attempts=number + 1)
    if retry is None:
        return default
    check_type("retry", retry, RetryPolicy)
    check_count(max_attempts=retry.max_attempts)
    numbers = {option.name: exact_number(getattr(retry, option.name)) for option in fields(RetryPolicy)}
    check_not_negative(**numbers)
    return RetryPolicy(**numbers)
