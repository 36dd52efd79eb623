"""An attempt to deliver an event, as it was made. What may be a secret in it is not in its repr. No HTTP."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, TypeAlias

from attrs import field, frozen
from yarl import URL

from telnyx_rooms_async.core.codec import parse
from telnyx_rooms_async.core.validators import is_loopback
from telnyx_rooms_async.emulator.webhooks import WebhookEvent

Failure: TypeAlias = Literal[
    "bad URL",
    "lost",
    "no answer",
    "no connection",
    "no cryptography",
    "not this machine",
    "timeout",
]


def _without_secrets(url: str) -> str:
    try:
        return repr(str(URL(url).with_user(None).with_query(None).with_fragment(None)))
    except ValueError:
        return "…"


@frozen(kw_only=True)
class Delivery:
    """One attempt to deliver an event, and what became of it."""

    event: WebhookEvent
    # Receivers are often known by a secret in the query.
    url: str = field(repr=_without_secrets)
    """Where it was sent, or would have been."""
    attempt: int
    """Counted from 1 over both URLs, as ``meta.attempt`` tells; a copy is counted anew."""
    sent_at: datetime
    """By the clock of the emulator."""
    headers: Mapping[str, str] = field(factory=dict[str, str], repr=False)
    """Those that were sent, but for the ones that HTTP asks for; none when it was not sent."""
    body: bytes = field(default=b"", repr=False)
    """The bytes that were sent, and signed."""
    status: int | None = None
    """What the receiver answered, if it did."""
    answer: bytes = field(default=b"", repr=False)
    """The body of that, 64 KiB at most."""
    failure: Failure | None = None
    """Why there is no status. ``no cryptography``: the extra ``webhooks`` is missing; ``not this machine``:
    see `deliver_anywhere`; ``lost``: by the script."""

    @property
    def delivered(self) -> bool:
        """Whether the receiver took it: with a status from 200 to 299."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - told above

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON may be anything
        """The envelope that was sent, as plain data.

        Raises:
            DecodeError: nothing was sent.
        """
        return parse(self.body)


def is_this_machine(url: str) -> bool:
    """Tell whether a URL leads to this machine by its name: nothing is looked up."""
    host = (URL(url).host or "").rstrip(".")
    return is_loopback(host) or host in ("0.0.0.0", "::")  # noqa: S104 - what is sent there arrives here
