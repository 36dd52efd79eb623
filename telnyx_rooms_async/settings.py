"""What a client is made with, checked once, at the door."""

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
_LONGEST_PART: Final = 64
_VISIBLE_ASCII: Final = re.compile("[!-~]+")
_PLAIN_URL: Final = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?")


def _hide(given: str | None) -> Secret | None:
    return None if given is None else hidden(given)


def _show_url(url: object) -> str:
    """Return the repr of a base URL, unless it may hold credentials."""
    return repr(url) if url is None or _PLAIN_URL.fullmatch(str(url)) else "'***'"


@frozen(kw_only=True)
class Settings:
    """What a `RoomsClient` is made with, as a value: for another process, `RoomsClient.from_settings`.

    Each field is what the argument of that name is to `RoomsClient`, which also checks it. A pickle holds
    the key if these settings do; without one, and without a URL, the environment of the process counts
    that makes the client.
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


def find_api_key(given: Secret | None) -> Secret:
    """Return the key that was given, or that of the environment variable ``TELNYX_API_KEY``.

    Raises:
        ConfigurationError: there is none, or it cannot stand in a header. It is not shown.
    """
    key = Secret(os.environ.get(API_KEY_VARIABLE, "")) if given is None else given
    if not key:
        raise ConfigurationError(f"no API key: pass api_key as text, or set {API_KEY_VARIABLE}")
    if is_quoted(key):
        raise ConfigurationError("the API key must stand without quotes around it")
    if not _VISIBLE_ASCII.fullmatch(key):
        raise ConfigurationError("the API key must be text of visible ASCII characters, without a space")
    return key


def find_public_key() -> str:
    """Return the key of the environment variable ``TELNYX_PUBLIC_KEY``.

    Raises:
        ConfigurationError: there is none.
    """
    key = os.environ.get(PUBLIC_KEY_VARIABLE, "")
    if not key:
        raise ConfigurationError(f"no public key: pass public_key, or set {PUBLIC_KEY_VARIABLE}")
    return key


def find_base_url(given: str | None, *, allow_insecure: bool) -> str:
    """Return the URL that was given, that of ``TELNYX_BASE_URL``, or that of Telnyx; no slash at its end.

    Raises:
        ConfigurationError: it is no plain ``https://`` URL (``http://`` is for this machine only, or
            for whom ``allow_insecure`` or ``TELNYX_ALLOW_INSECURE`` says so).
    """
    allow_insecure = _is_insecure_allowed() or allow_insecure
    url = os.environ.get(BASE_URL_VARIABLE) or _DEFAULT_BASE_URL
    if given is not None:
        url = cast("str", exact_url(given))
    if type(url) is str and is_quoted(url):
        raise ConfigurationError("the base URL must stand without quotes around it")
    try:
        parts = urlsplit(url)
        scheme, host, _ = parts.scheme, parts.hostname, parts.port
    except (ValueError, AttributeError, TypeError):
        raise ConfigurationError("the base URL is not a URL") from None
    # Only scheme and host are ever shown: what else stands in a wrong URL may be a password.
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
        ConfigurationError: one of them is no whole number from 1.
    """
    for name, value in options.items():
        if type(value) is not int or not 0 < value < 2**31:
            raise ConfigurationError(f"{name} must be a whole number, 1 or more, not {value!r}")


def check_flags(**options: object) -> None:
    """Check options that are booleans: the text "false" would switch on what it is to switch off.

    Raises:
        ConfigurationError: one of them is neither True nor False.
    """
    for name, value in options.items():
        if not isinstance(value, bool):
            raise ConfigurationError(f"{name} must be True or False, not {short_repr(value)}")


def check_share(share: object) -> None:
    """Check the part of the rate limit that a client may use.

    Raises:
        ConfigurationError: it is no number above 0 and up to 1.
    """
    check_positive(share=share)
    if isinstance(share, int | float) and share > 1:
        raise ConfigurationError(f"share must be a number up to 1, not {share!r}")


def check_patience(timeout: object, attempt_timeout: object, retry: object) -> None:
    """Check how long and how often a call is tried.

    Raises:
        ConfigurationError: a number is not positive, or the policy is none.
    """
    check_positive(timeout=timeout, attempt_timeout=attempt_timeout)
    check_policy(retry)


def check_policy(policy: object) -> None:
    """Check the knobs of a `RetryPolicy`.

    Raises:
        ConfigurationError: it is another thing, or a knob is no number that makes sense.
    """
    if not isinstance(policy, RetryPolicy):
        raise ConfigurationError(f"retry must be a RetryPolicy, not {policy!r}")
    if type(policy.attempts) is not int or policy.attempts < 1:
        raise ConfigurationError(f"attempts must be an int from 1, not {policy.attempts!r}")
    for name, value in asdict(policy).items():
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < math.inf:
            raise ConfigurationError(f"{name} must be a number from 0, not {value!r}")


def _is_name(host: str) -> bool:
    """Tell whether the resolver will take a host: it refuses a part that is empty or too long."""
    return all(0 < len(part) < _LONGEST_PART for part in host.removesuffix(".").split("."))
