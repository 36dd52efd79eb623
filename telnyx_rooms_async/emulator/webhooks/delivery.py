"""Delivery of one event: a signed POST request without redirects, and its result."""

import asyncio
import base64
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, Protocol, TypeAlias

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    InvalidURL,
    StreamReader,
    TCPConnector,
)
from attrs import define, evolve, field, frozen
from yarl import URL

from telnyx_rooms_async.core.validators import is_loopback
from telnyx_rooms_async.emulator.webhooks.event_factory import WebhookEvent
from telnyx_rooms_async.serialization import parse_json

Failure: TypeAlias = Literal[
    "bad URL",
    "lost",
    "no answer",
    "no connection",
    "no cryptography",
    "not this machine",
    "timeout",
]

_MAX_ANSWER_SIZE: Final = 64 * 1024
_MAX_CONNECTIONS: Final = 50
_HEADERS: Final = {"User-Agent": "telnyx-webhooks", "Content-Type": "application/json"}
_FAILURES: Final[Mapping[type[Exception], Failure]] = {
    TimeoutError: "timeout",
    ClientConnectorError: "no connection",
    InvalidURL: "bad URL",
    ClientError: "no answer",
    OSError: "no answer",
    ValueError: "bad URL",
}
"""Failures by exception; the first class that matches counts."""


def _url_without_secrets(url: str) -> str:
    try:
        return repr(str(URL(url).with_user(None).with_query(None).with_fragment(None)))
    except ValueError:
        return "…"


@frozen(kw_only=True)
class Delivery:
    """One attempt to deliver an event, and its result. The repr shows no secrets.

    Example:
        ``assert [delivery.status for delivery in telnyx.deliveries] == [200, 200]``
    """

    event: WebhookEvent
    # The query of a webhook URL is often a secret.
    url: str = field(repr=_url_without_secrets)
    """URL of the receiver."""
    attempt: int
    """Number of the attempt over both URLs, as in ``meta.attempt``. Each copy of an event starts at 1."""
    sent_at: datetime
    """Time by the clock of the emulator."""
    headers: Mapping[str, str] = field(factory=dict[str, str], repr=False)
    """Headers that were sent, except those that HTTP needs; empty if nothing was sent."""
    body: bytes = field(default=b"", repr=False)
    """Body that was sent and signed."""
    status: int | None = None
    """Status of the response, if there was one."""
    answer: bytes = field(default=b"", repr=False)
    """First 64 KiB of the body of the response."""
    failure: Failure | None = None
    """Why there is no status. ``"no cryptography"``: the extra ``webhooks`` is not installed; ``"not this
    machine"``: see `deliver_anywhere`; ``"lost"``: by a `WebhookFault`."""

    @property
    def delivered(self) -> bool:
        """Whether the receiver accepted the event, with a status from 200 to 299."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - as the docstring says

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON may be anything
        """The envelope that was sent, as plain data.

        Raises:
            DecodeError: nothing was sent.
        """
        return parse_json(self.body)


class _PrivateKey(Protocol):
    def sign(self, data: bytes, /) -> bytes: ...


@frozen(kw_only=True)
class SigningKey:
    """An Ed25519 key pair that signs as Telnyx does: timestamp, ``|`` and body."""

    public_key: str
    """Base64 of 32 bytes, as Telnyx returns it."""
    private_key: _PrivateKey = field(repr=False)

    @classmethod
    def generate(cls) -> "SigningKey":
        """Return a new key pair.

        Raises:
            RuntimeError: the extra ``webhooks`` is not installed.
        """
        try:
            # The extra is optional: an emulator without webhooks does not need it.
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
        except ImportError:
            raise RuntimeError(
                "signed webhooks need the extra \"webhooks\": pip install 'telnyx-rooms-async[webhooks]'"
            ) from None
        key = Ed25519PrivateKey.generate()
        public_key = base64.b64encode(key.public_key().public_bytes_raw()).decode()
        return cls(public_key=public_key, private_key=key)

    def headers(self, timestamp: int, body: bytes) -> dict[str, str]:
        """Return the headers with signature and timestamp of a body."""
        signature = self.private_key.sign(b"%d|%b" % (timestamp, body))
        return {
            "telnyx-signature-ed25519": base64.b64encode(signature).decode(),
            "telnyx-timestamp": str(timestamp),
        }


@define(eq=False)
class WebhookSender:
    """Sends events. The signing key is the same for the lifetime of the emulator."""

    _deliver_anywhere: bool
    _signing_key: SigningKey | None = field(default=None, init=False, repr=False)
    _session: ClientSession | None = field(default=None, init=False, repr=False)
    _connections: asyncio.Semaphore = field(
        factory=lambda: asyncio.Semaphore(_MAX_CONNECTIONS), init=False, repr=False
    )

    @property
    def signing_key(self) -> SigningKey:
        """The signing key, generated at first access.

        Raises:
            RuntimeError: the extra ``webhooks`` is not installed.
        """
        if self._signing_key is None:
            self._signing_key = SigningKey.generate()
        return self._signing_key

    async def send(self, draft: Delivery, timeout: float, signed_at: datetime | None = None) -> Delivery:
        """Send an event, and return the result.

        Args:
            draft: the event and its receiver.
            timeout: seconds that the receiver has to respond, after a free connection was found.
            signed_at: time of the signature; now by default.
        """
        refusal = self._refusal(draft.url)
        if refusal is not None:
            return evolve(draft, failure=refusal)
        async with self._connections:
            body = draft.event.envelope(draft.attempt, draft.url)
            # By the clock of the machine, not of a test: the receiver compares it with its own.
            timestamp = int(time.time() if signed_at is None else signed_at.timestamp())
            headers = {**_HEADERS, **self.signing_key.headers(timestamp, body)}
            sent = evolve(draft, headers=headers, body=body)
            try:
                async with asyncio.timeout(timeout):
                    status, answer = await self._post(draft.url, headers, body)
            except tuple(_FAILURES) as error:
                failures = (failure for cls, failure in _FAILURES.items() if isinstance(error, cls))
                return evolve(sent, failure=next(failures))
        return evolve(sent, status=status, answer=answer)

    async def close(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _refusal(self, url: str) -> Failure | None:
        try:
            if not (self._deliver_anywhere or is_this_machine(url)):
                return "not this machine"
            _ = self.signing_key
        except ValueError:
            return "bad URL"
        except RuntimeError:
            return "no cryptography"
        return None

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        if self._session is None:
            # One connection for each event: no connection stays open when a receiver shuts down.
            connector = TCPConnector(force_close=True)
            self._session = ClientSession(
                connector=connector, cookie_jar=DummyCookieJar(), timeout=ClientTimeout()
            )
        async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as response:
            return response.status, await _read_start(response.content)


def is_this_machine(url: str) -> bool:
    """Return whether the host of a URL is this machine, judged by the name and without a DNS lookup."""
    host = (URL(url).host or "").rstrip(".")
    return is_loopback(host) or host in ("0.0.0.0", "::")  # noqa: S104 - a request to them arrives here


async def _read_start(stream: StreamReader) -> bytes:
    data = bytearray()
    async for chunk in stream.iter_any():
        data += chunk
        if len(data) >= _MAX_ANSWER_SIZE:
            break
    return bytes(data[:_MAX_ANSWER_SIZE])
