"""Settings of a client, environment variables, and the validation of options."""

import math
import os
import re
from typing import Final, cast
from urllib.parse import urlsplit

from attrs import asdict, field, frozen

from telnyx_rooms_async.core.retry import RetryPolicy
from telnyx_rooms_async.core.secret import Secret, hidden
from telnyx_rooms_async.core.validators import exact_url, is_loopback, is_quoted, short_repr
from telnyx_rooms_async.errors import ConfigurationError

API_KEY_VARIABLE: Final = "TELNYX_API_KEY"
PUBLIC_KEY_VARIABLE: Final = "TELNYX_PUBLIC_KEY"
BASE_URL_VARIABLE: Final = "TELNYX_BASE_URL"
ALLOW_INSECURE_VARIABLE: Final = "TELNYX_ALLOW_INSECURE"
_DEFAULT_BASE_URL: Final = "https://api.telnyx.com/v2"
_MAX_LABEL: Final = 64
_VISIBLE_ASCII: Final = re.compile("[!-~]+")
_PLAIN_URL: Final = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?")


def _hide(value: str | None) -> Secret | None:
    return None if value is None else hidden(value)


def _show_url(url: object) -> str:
    """Return the repr of a base URL, unless it may hold credentials."""
    return repr(url) if url is None or _PLAIN_URL.fullmatch(str(url)) else "'***'"


@frozen(kw_only=True)
class Settings:
    """The options of a `RoomsClient` as a value, for example for another process.

    Each field is the argument of the same name of `RoomsClient`, which validates it. A pickle contains the
    API key if the settings do. Without an API key or a base URL, the client uses the environment variables of
    the process that makes it.

    Example:
        >>> client = RoomsClient.from_settings(Settings(api_key="KEY", max_connections=20))
    """

    api_key: str | None = field(default=None, converter=_hide, repr=False)
    base_url: str | None = field(default=None, repr=_show_url)
    timeout: float = 45.0
    attempt_timeout: float = 15.0
    retry: RetryPolicy = RetryPolicy()
    max_connections: int = 100
    share: float = 1.0
    read_only: bool = False
    trust_env: bool = False
    allow_insecure: bool = False


def find_api_key(api_key: Secret | None) -> Secret:
    """Return an API key, by default that of the environment variable ``TELNYX_API_KEY``.

    Raises:
        ConfigurationError: it is missing, or cannot be sent in a header. It is not shown.
    """
    key = Secret(os.environ.get(API_KEY_VARIABLE, "")) if api_key is None else api_key
    if not key:
        raise ConfigurationError(f"no API key: pass api_key as text, or set {API_KEY_VARIABLE}")
    if is_quoted(key):
        raise ConfigurationError("the API key must stand without quotes around it")
    if not _VISIBLE_ASCII.fullmatch(key):
        raise ConfigurationError("the API key must be text of visible ASCII characters, without a space")
    return key


def find_public_key() -> str:
    """Return the public key of the environment variable ``TELNYX_PUBLIC_KEY``.

    Raises:
        ConfigurationError: it is missing.
    """
    key = os.environ.get(PUBLIC_KEY_VARIABLE, "")
    if not key:
        raise ConfigurationError(f"no public key: pass public_key, or set {PUBLIC_KEY_VARIABLE}")
    return key


def find_base_url(base_url: str | None, *, allow_insecure: bool) -> str:
    """Return a base URL without a slash at its end, by default that of ``TELNYX_BASE_URL`` or of Telnyx.

    Raises:
        ConfigurationError: it is not a plain ``https://`` URL. ``http://`` is allowed for this machine, and
            with ``allow_insecure`` or ``TELNYX_ALLOW_INSECURE``.
    """
    allow_insecure = _is_insecure_allowed() or allow_insecure
    url = os.environ.get(BASE_URL_VARIABLE) or _DEFAULT_BASE_URL
    if base_url is not None:
        url = cast("str", exact_url(base_url))
    if type(url) is str and is_quoted(url):
        raise ConfigurationError("the base URL must stand without quotes around it")
    try:
        parts = urlsplit(url)
        scheme, host, _ = parts.scheme, parts.hostname, parts.port
    except (ValueError, AttributeError, TypeError):
        raise ConfigurationError("the base URL is not a URL") from None
    # Only scheme and host are shown: the rest of a wrong URL may be a password.
    if scheme not in ("https", "http") or not host or not _is_name(host):
        raise ConfigurationError("the base URL must begin with https:// and a host")
    if set(parts.netloc) & set("@\\") or parts.query or parts.fragment or not _VISIBLE_ASCII.fullmatch(url):
        raise ConfigurationError(f"the base URL for {host} must be plain: no user, query, fragment or space")
    if scheme == "http" and not (allow_insecure or is_loopback(host)):
        raise ConfigurationError(
            f"http://{host} would send the API key in the clear: use https://,"
            f" or set {ALLOW_INSECURE_VARIABLE}=true where the network is trusted"
        )
    return url.rstrip("/")


def _is_insecure_allowed() -> bool:
    text = os.environ.get(ALLOW_INSECURE_VARIABLE, "").strip().lower()
    if text not in ("", "true", "false"):
        raise ConfigurationError(f"{ALLOW_INSECURE_VARIABLE} must be true or false")
    return text == "true"


def check_positive(**options: object) -> None:
    """Check options that are seconds.

    Raises:
        ConfigurationError: one of them is not a positive, finite number.
    """
    for name, value in options.items():
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 2**31:
            raise ConfigurationError(f"{name} must be a positive number, not {value!r}")


def check_count(**options: object) -> None:
    """Check options that are counts.

    Raises:
        ConfigurationError: one of them is not an integer of at least 1.
    """
    for name, value in options.items():
        if type(value) is not int or not 0 < value < 2**31:
            raise ConfigurationError(f"{name} must be a whole number, 1 or more, not {value!r}")


def check_flags(**options: object) -> None:
    """Check options that are booleans: the text "false" would be true.

    Raises:
        ConfigurationError: one of them is neither True nor False.
    """
    for name, value in options.items():
        if not isinstance(value, bool):
            raise ConfigurationError(f"{name} must be True or False, not {short_repr(value)}")


def check_share(share: object) -> None:
    """Check the share of the rate limit.

    Raises:
        ConfigurationError: it is not a number above 0 and up to 1.
    """
    check_positive(share=share)
    if isinstance(share, int | float) and share > 1:
        raise ConfigurationError(f"share must be a number up to 1, not {share!r}")


def check_timeouts(timeout: object, attempt_timeout: object, retry: object) -> None:
    """Check timeouts and the retry policy.

    Raises:
        ConfigurationError: a number is not positive, or the policy is invalid.
    """
    check_positive(timeout=timeout, attempt_timeout=attempt_timeout)
    check_policy(retry)


def check_policy(policy: object) -> None:
    """Check a `RetryPolicy`.

    Raises:
        ConfigurationError: it is not a policy, or one of its numbers is invalid.
    """
    if not isinstance(policy, RetryPolicy):
        raise ConfigurationError(f"retry must be a RetryPolicy, not {policy!r}")
    if type(policy.attempts) is not int or policy.attempts < 1:
        raise ConfigurationError(f"attempts must be an int from 1, not {policy.attempts!r}")
    for name, value in asdict(policy).items():
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < math.inf:
            raise ConfigurationError(f"{name} must be a number from 0, not {value!r}")


def _is_name(host: str) -> bool:
    """Return whether a host can be resolved: its labels are neither empty nor too long."""
    return all(0 < len(part) < _MAX_LABEL for part in host.removesuffix(".").split("."))
