"""An event as the emulated Telnyx tells it, and the envelope that it travels in. No HTTP."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Self, cast
from uuid import uuid4

from attrs import AttrsInstance, asdict, field, frozen, has

from telnyx_rooms_async.core.codec import encode
from telnyx_rooms_async.emulator.views import instant

_OF_AN_EVENT: Final = ("record_type", "event_type", "id", "occurred_at")


@frozen(kw_only=True)
class WebhookEvent:
    """An event as it is told; every delivery of it has the same id."""

    event_type: str
    id: str
    # Links to recordings are in payloads.
    data: Mapping[str, object] = field(repr=False)
    """All that stands under ``data`` in the envelope."""

    @classmethod
    def of(cls, data: Mapping[str, object], now: datetime) -> Self:
        """Make an event of what is told of it; whatever else belongs to one is made up.

        Raises:
            ValueError: it has no event type.
        """
        event_type = data.get("event_type")
        if not isinstance(event_type, str):
            raise ValueError(f"event_type must be a text, not {event_type!r}")  # noqa: TRY004 - it is a value
        event_id = data.get("id", str(uuid4()))
        made = {"record_type": "event", "event_type": event_type, "id": event_id, "occurred_at": instant(now)}
        return cls(event_type=event_type, id=str(event_id), data={**made, "payload": {}, **data})

    @property
    def payload(self) -> Mapping[str, Any]:
        """What its type tells of it; empty when that is no object."""
        payload = self.data["payload"]
        return cast("Mapping[str, Any]", payload) if isinstance(payload, Mapping) else {}

    def envelope(self, attempt: int, url: str) -> bytes:
        """Write the body that an attempt sends."""
        return encode({"data": self.data, "meta": {"attempt": attempt, "delivered_to": url}})


def event_of(told: object, payload: object, now: datetime) -> WebhookEvent:
    """Make an event of whatever describes one.

    Args:
        told: a mapping, with or without the envelope around it; an object with the fields of an event; or
            an event type.
        payload: what belongs to an event type.
        now: when it happened, unless that is told.

    Raises:
        ValueError: it has no event type.
    """
    if isinstance(told, WebhookEvent):
        return told
    if isinstance(told, str):
        return WebhookEvent.of({"event_type": told, "payload": _fields(payload)}, now)
    if isinstance(told, Mapping):
        data = cast("Mapping[str, object]", told)
        inner = data.get("data")
        return WebhookEvent.of(
            cast("Mapping[str, object]", inner) if isinstance(inner, Mapping) else data, now
        )
    named = {name: getattr(told, name, None) for name in _OF_AN_EVENT}
    data = {name: value for name, value in named.items() if value is not None}
    return WebhookEvent.of({**data, "payload": _fields(getattr(told, "payload", None))}, now)


def _fields(payload: object) -> Mapping[str, object]:
    """Return the fields of a mapping or an object; an object's ``None`` is what was not told."""
    if payload is None or isinstance(payload, Mapping):
        return cast("Mapping[str, object]", payload or {})
    fields = asdict(cast("AttrsInstance", payload)) if has(type(payload)) else vars(payload)
    return {name: value for name, value in fields.items() if value is not None}
