"""One POST of an event: signed, within its time, no redirect followed. No other request begins here."""

import asyncio
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Final

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
from attrs import define, evolve, field

from telnyx_rooms_async.emulator.deliveries import Delivery, Failure, is_this_machine
from telnyx_rooms_async.emulator.signing import Signer, new_signer

_ANSWER_LIMIT: Final = 64 * 1024
_HEADERS: Final = {"User-Agent": "telnyx-webhooks", "Content-Type": "application/json"}
_FAILURES: Final[Mapping[type[Exception], Failure]] = {
    TimeoutError: "timeout",
    ClientConnectorError: "no connection",
    InvalidURL: "bad URL",
    ClientError: "no answer",
    OSError: "no answer",
    ValueError: "bad URL",
}
"""By the first class that fits."""


@define(eq=False)
class Poster:
    """Posts events, and keeps the key that signs them: the same one for as long as there is an emulator."""

    _anywhere: bool
    _signer: Signer | None = field(default=None, init=False, repr=False)
    _session: ClientSession | None = field(default=None, init=False, repr=False)

    @property
    def signer(self) -> Signer:
        """What signs; made when it is first asked for.

        Raises:
            RuntimeError: the extra is missing.
        """
        if self._signer is None:
            self._signer = new_signer()
        return self._signer

    async def post(self, draft: Delivery, seconds: float, signed_at: datetime | None = None) -> Delivery:
        """Send what a delivery is meant to send, and return what became of it.

        Args:
            draft: says what, and where to.
            seconds: how long the receiver has to answer.
            signed_at: now unless given.
        """
        url = draft.url
        refused = self._refusal(url)
        if refused is not None:
            return evolve(draft, failure=refused)
        body = draft.event.envelope(draft.attempt, url)
        # By the clock of this machine, not by one that a test turns: the receiver checks it with its own.
        timestamp = int(time.time() if signed_at is None else signed_at.timestamp())
        headers = {**_HEADERS, **self.signer.headers(timestamp, body)}
        sent = evolve(draft, headers=headers, body=body)
        try:
            async with asyncio.timeout(seconds):
                status, answer = await self._exchange(url, headers, body)
        except tuple(_FAILURES) as error:
            fitting = (name for kind, name in _FAILURES.items() if isinstance(error, kind))
            return evolve(sent, failure=next(fitting))
        return evolve(sent, status=status, answer=answer)

    async def close(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _refusal(self, url: str) -> Failure | None:
        try:
            if not (self._anywhere or is_this_machine(url)):
                return "not this machine"
            _ = self.signer
        except ValueError:
            return "bad URL"
        except RuntimeError:
            return "no cryptography"
        return None

    async def _exchange(self, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        if self._session is None:
            # A connection for each event: none is left open at a receiver that shuts down.
            connector = TCPConnector(force_close=True)
            self._session = ClientSession(
                connector=connector, cookie_jar=DummyCookieJar(), timeout=ClientTimeout()
            )
        async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as response:
            return response.status, await _beginning(response.content)


async def _beginning(stream: StreamReader) -> bytes:
    read = bytearray()
    async for piece in stream.iter_any():
        read += piece
        if len(read) >= _ANSWER_LIMIT:
            break
    return bytes(read[:_ANSWER_LIMIT])
