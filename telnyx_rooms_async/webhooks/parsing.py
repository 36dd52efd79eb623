"""From the body and headers of a request to a verified event."""

from collections.abc import Sequence
from typing import Any, cast

from telnyx_rooms_async.core.secret import without_frames
from telnyx_rooms_async.errors import WebhookPayloadError
from telnyx_rooms_async.http.clock import Clock
from telnyx_rooms_async.serialization import DecodeError, Envelope, converter, parse_json
from telnyx_rooms_async.settings import check_positive, find_public_key
from telnyx_rooms_async.webhooks.events import EVENT_CLASSES, Event, UnknownEvent
from telnyx_rooms_async.webhooks.signature import Headers, PublicKey, SignatureVerifier


class Webhooks:
    """Verifies the signatures of webhooks and parses their events. Needs the extra ``webhooks``.

    Args:
        public_key: public key of the account, in base64 as Telnyx shows it, hex, PEM or DER
            (SubjectPublicKeyInfo); or several, while the key changes. Default: the environment variable
            ``TELNYX_PUBLIC_KEY``. ``await client.public_key()`` returns the key of an account.
        tolerance: seconds that the timestamp may differ from the current time, in both directions.
        clock: source of the current time, for tests.

    Raises:
        ConfigurationError: there is no key, a key is not valid, the tolerance is not a positive number, or
            the extra is not installed. The message does not show the key.

    Example:
        >>> from telnyx_rooms_async.webhooks.testing import PUBLIC_KEY, signed
        >>> body, headers = signed(RoomSessionEnded(id="1"))
        >>> Webhooks(PUBLIC_KEY).unwrap(body, headers).event_type
        'video.room.session.ended'
    """

    @without_frames  # a wrong key may be a secret
    def __init__(
        self,
        public_key: PublicKey | Sequence[PublicKey] | None = None,
        *,
        tolerance: float = 300,
        clock: Clock = Clock(),
    ) -> None:
        check_positive(tolerance=tolerance)
        key = find_public_key() if public_key is None else public_key
        self._verifier = SignatureVerifier(key, tolerance=tolerance)
        self._clock = clock

    @without_frames  # a body may hold the URL of a recording
    def unwrap(self, body: bytes, headers: Headers) -> Event:
        """Verify the signature of a webhook and return its event. Not a coroutine function.

        Args:
            body: the bytes of the request as they arrived, not JSON that was encoded again.
            headers: the headers of the request: a mapping or pairs; upper and lower case are equal.

        Raises:
            WebhookSignatureError: the signature is missing or not valid, or its timestamp is too far from
                the current time.
            WebhookPayloadError: the signature is valid, but the body is not an event.
            InvalidArgumentError: the body is not bytes.
        """
        self._verifier.verify(body, headers, now=self._clock.now())
        return parse_event(bytes(body))


def parse_event(body: bytes) -> Event:
    """Parse the body of a verified webhook into the class of its ``event_type``, or an `UnknownEvent`.

    Raises:
        WebhookPayloadError: the body is not JSON, or not an event.
    """
    try:
        envelope = parse_json(body)
        data = _event_data(envelope)
        event_class = _event_class(data.get("event_type"))
        wrapped = {"data": {**data, **_attempt(envelope)}} if data else envelope
        event = converter.structure_json(wrapped, event_class).data
    except DecodeError as error:
        problems = error.args
    else:
        if event.id:
            return event
        problems = ("$.data.id: empty",)
    raise WebhookPayloadError(problems)


def _event_data(envelope: object) -> dict[str, object]:
    """Return the fields of an event that are not null.

    Telnyx sends ``{"data": {…}}``; examples of its API reference show the event without the envelope.
    """
    fields = _as_dict(envelope)
    data = fields if "event_type" in fields else _as_dict(fields.get("data"))
    return {name: value for name, value in data.items() if value is not None}


def _event_class(event_type: object) -> type[Envelope[Event]]:
    event_class = EVENT_CLASSES.get(event_type, UnknownEvent) if isinstance(event_type, str) else UnknownEvent
    envelope: Any = Envelope
    return cast("type[Envelope[Event]]", envelope[event_class])


def _attempt(envelope: object) -> dict[str, int]:
    """Return the number of the delivery as a field of the event, if the envelope has one."""
    attempt = _as_dict(_as_dict(envelope).get("meta")).get("attempt")
    return {"attempt": attempt} if isinstance(attempt, int) and not isinstance(attempt, bool) else {}


def _as_dict(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}
