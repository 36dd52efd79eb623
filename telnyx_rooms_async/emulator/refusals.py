"""How the emulated Telnyx says no: the documented envelopes, with Telnyx's codes."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final, TypeAlias

from attrs import define

Entry: TypeAlias = Mapping[str, object]
_ABOUT_CODES = "https://developers.telnyx.com/docs/overview/errors/"


@define(slots=False)
class RefusalError(Exception):
    """An answer that is an error."""

    status: int
    body: Mapping[str, object]


def entry(code: str, title: str, detail: str, **source: str) -> Entry:
    """Make one entry; its source is a ``pointer`` into the body or the name of a ``parameter``."""
    about = {"code": code, "title": title, "detail": detail, "meta": {"url": _ABOUT_CODES + code}}
    return {**about, "source": source} if source else about


def refusal(status: int, *entries: Entry) -> RefusalError:
    """Refuse with a list of entries, as 422 is documented."""
    return RefusalError(status, {"errors": list(entries)})


def unauthorized() -> RefusalError:
    """Refuse a missing or wrong key."""
    detail = "The Authorization header is missing, or its API key is not known."
    return refusal(401, entry("10009", "Authentication failed", detail))


def not_found() -> RefusalError:
    """Refuse what is not there: one bare entry, as 404 is documented."""
    return RefusalError(404, entry("10005", "Resource not found", "Nothing is found at this URL."))


def forbidden() -> RefusalError:
    """Refuse what the request has no right to: one bare entry, as 403 is documented."""
    detail = "The refresh token is not known, has expired, or is for another room."
    return RefusalError(403, entry("10010", "Authorization failed", detail))


def not_json() -> RefusalError:
    """Refuse a body that cannot be read."""
    return refusal(400, entry("10023", "Invalid JSON", "The body is not a JSON object."))


def unprocessable(entries: Sequence[Entry]) -> RefusalError:
    """Refuse values."""
    return refusal(422, *entries)


def unprocessable_as_a_whole(detail: str) -> RefusalError:
    """Refuse what no single value is to blame for."""
    return refusal(422, entry("10027", "Unprocessable Entity", detail))


def too_many() -> RefusalError:
    """Refuse what is beyond the rate."""
    detail = "You have exceeded the maximum number of allowed requests."
    return refusal(429, entry("10011", "Too many requests", detail))


def not_implemented(detail: str) -> RefusalError:
    """Refuse what this emulator cannot do as it is installed."""
    return refusal(501, entry("10007", "Unexpected error", detail))


_SCRIPTED: Final = {
    401: ("10009", "Authentication failed"),
    403: ("10010", "Authorization failed"),
    404: ("10005", "Resource not found"),
    408: ("10008", "Request timeout"),
    409: ("10036", "Resource is being processed"),
    422: ("10027", "Unprocessable Entity"),
    429: ("10011", "Too many requests"),
    503: ("10016", "Service unavailable"),
}


def scripted(status: int) -> RefusalError:
    """Refuse because a script says so: with a list of one entry, whatever the status."""
    otherwise = (
        ("10015", "Bad request")
        if status < HTTPStatus.INTERNAL_SERVER_ERROR
        else ("10007", "Unexpected error")
    )
    return refusal(
        status, entry(*_SCRIPTED.get(status, otherwise), "A fault that the emulator was told to show.")
    )
