"""How the emulated Telnyx says no: the documented envelopes, with Telnyx's codes."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

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
