"""From a request to an event: the key, the clock, and nothing else to think of."""

from collections.abc import Sequence

from telnyx_rooms_async.http.clock import Clock
from telnyx_rooms_async.settings import check_positive, find_public_key
from telnyx_rooms_async.webhooks.events import Event
from telnyx_rooms_async.webhooks.signature import Headers, PublicKey, load_keys, parse, verify


class Webhooks:
    """Verifies what arrives as a webhook, and reads it. Needs the extra ``webhooks``.

    Args:
        public_key: of the account, in base64 as Telnyx shows it, in hex, as PEM or SPKI; or several, while
            it changes. ``TELNYX_PUBLIC_KEY`` unless given; ``await client.public_key()`` fetches it.
        tolerance: seconds that the timestamp may be away from now, in the past or in the future.
        clock: for tests: where the time comes from.

    Raises:
        ConfigurationError: there is no key, one of them is none, the tolerance is no positive number, or
            the extra is not installed. What was given for a key is not shown.
    """

    def __init__(
        self,
        public_key: PublicKey | Sequence[PublicKey] | None = None,
        *,
        tolerance: float = 300,
        clock: Clock = Clock(),
    ) -> None:
        keys = find_public_key() if public_key is None else public_key
        try:
            check_positive(tolerance=tolerance)
            load_keys(keys)
            self._keys = keys
        finally:
            # A wrong key may be a secret, and tools that report an error show the locals of its frames.
            del public_key, keys
        self._tolerance, self._clock = tolerance, clock

    def unwrap(self, body: bytes, headers: Headers) -> Event:
        """Return the event that a webhook tells of. A plain call: there is nothing to await.

        Args:
            body: as it arrived: bytes, and never JSON that was written anew.
            headers: of the request: a mapping or pairs, in any case.

        Raises:
            WebhookSignatureError: nothing proves that it comes from Telnyx, and comes now.
            WebhookPayloadError: it does, and is not of the shape of an event.
            InvalidArgumentError: the body is not bytes.
        """
        try:
            now = self._clock.now()
            verify(body, headers, self._keys, tolerance=self._tolerance, now=now)
            return parse(body)
        finally:
            # Tools that report an error show the locals of its frames.
            del body, headers
