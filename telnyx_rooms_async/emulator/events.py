"""Events of the emulator, as the schemas of the API reference define them. No HTTP.

The examples of the API reference have wrong event types, and are not followed.
"""

import itertools
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from heapq import heappop, heappush
from typing import Any, Self, cast
from uuid import uuid4

from attrs import AttrsInstance, asdict, field, frozen, has

from telnyx_rooms_async.emulator.messages import JsonObject
from telnyx_rooms_async.emulator.models import timestamp
from telnyx_rooms_async.serialization import encode_json


class EventType(StrEnum):
    """Event types of Telnyx Video."""

    SESSION_STARTED = "video.room.session.started"
    SESSION_ENDED = "video.room.session.ended"
    PARTICIPANT_JOINED = "video.room.participant.joined"
    PARTICIPANT_LEFT = "video.room.participant.left"
    RECORDING_STARTED = "video.room.recording.started"
    RECORDING_COMPLETED = "video.room.recording.completed"
    COMPOSITION_COMPLETED = "video.room.composition.completed"


@frozen(kw_only=True)
class WebhookEvent:
    """An event. All deliveries of it have the same id.

    Example:
        >>> delivery = await telnyx.deliver(event, url="http://127.0.0.1:9/hook")
        >>> delivery.event.event_type
        'video.room.session.ended'
    """

    event_type: str
    """``"video.room.session.ended"``, for example."""
    id: str
    """Id of the event, the same in each delivery."""
    # Payloads have links to recordings.
    data: JsonObject = field(repr=False)
    """Everything under ``data`` in the envelope."""

    @classmethod
    def create(cls, data: JsonObject, now: datetime) -> Self:
        """Return an event with its type and payload from `data`, and generate what is missing.

        Raises:
            ValueError: there is no event type.
        """
        event_type = data.get("event_type")
        if not isinstance(event_type, str):
            raise ValueError(f"event_type must be a string, not {event_type!r}")  # noqa: TRY004 - a value in a mapping
        event_id = data.get("id", str(uuid4()))
        defaults: JsonObject = {
            "record_type": "event",
            "event_type": event_type,
            "id": event_id,
            "occurred_at": timestamp(now),
            "payload": {},
        }
        return cls(event_type=event_type, id=str(event_id), data={**defaults, **data})

    @classmethod
    def from_object(cls, source: object, payload: object, now: datetime) -> Self:
        """Return the event that an object describes; see `Emulator.deliver`.

        Raises:
            ValueError: there is no event type, or there are two payloads.
        """
        if payload is not None and not isinstance(source, str):
            raise ValueError("payload is only for an event type: the event has a payload of its own")
        if isinstance(source, cls):
            return source
        if isinstance(source, str):
            return cls.create({"event_type": source, "payload": _fields(payload)}, now)
        if isinstance(source, Mapping):
            mapping = cast("JsonObject", source)
            data = mapping.get("data")
            return cls.create(cast("JsonObject", data) if isinstance(data, Mapping) else mapping, now)
        names = ("record_type", "event_type", "id", "occurred_at")
        present = {name: value for name in names if (value := getattr(source, name, None)) is not None}
        return cls.create({**present, "payload": _fields(getattr(source, "payload", None))}, now)

    @property
    def payload(self) -> Mapping[str, Any]:
        """The payload; empty if it is not an object."""
        payload = self.data["payload"]
        return cast("Mapping[str, Any]", payload) if isinstance(payload, Mapping) else {}

    def envelope(self, attempt: int, url: str) -> bytes:
        """Return the body of an attempt."""
        return encode_json({"data": self.data, "meta": {"attempt": attempt, "delivered_to": url}})


def _fields(payload: object) -> JsonObject:
    """Return the fields of a mapping or an object, those of an object without ``None``."""
    if payload is None or isinstance(payload, Mapping):
        return cast("JsonObject", payload or {})
    fields = asdict(cast("AttrsInstance", payload)) if has(type(payload)) else vars(payload)
    return {name: value for name, value in fields.items() if value is not None}


# --- events that wait for their time ----------------------------------------------------------------------


@frozen(eq=False)
class OutboxEntry:
    """An event in the outbox."""

    due_at: datetime
    sender_id: str
    """Id of the room or composition. The URLs are those that it has when the event is due."""
    event_type: EventType
    payload: JsonObject
    """Only ``file_id`` for the completion of a recording or composition."""


class Outbox:
    """Priority queue of events. Events may be added from any thread, and `on_add` is called then."""

    def __init__(self) -> None:
        self.on_add: Callable[[], object] = lambda: None
        # Entries that are due at the same time are in the order of their addition. Tuples, as no other thread
        # runs while they are compared.
        self._heap: list[tuple[datetime, int, OutboxEntry]] = []
        self._counter = itertools.count()

    def add(self, sender_id: str, due_at: datetime, event_type: EventType, payload: JsonObject) -> None:
        """Add an event of a room or composition."""
        entry = OutboxEntry(due_at, sender_id, event_type, payload)
        heappush(self._heap, (due_at, next(self._counter), entry))
        self.on_add()

    @property
    def next_due_at(self) -> datetime | None:
        """Time at which the next event is due."""
        return self._heap[0][0] if self._heap else None

    def pop(self, now: datetime) -> OutboxEntry | None:
        """Remove and return the next event, ``None`` if none is due."""
        return heappop(self._heap)[2] if self._heap and self._heap[0][0] <= now else None

    def clear(self) -> None:
        """Remove all events."""
        self._heap.clear()
