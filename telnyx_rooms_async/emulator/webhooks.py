"""Webhooks: events are sent when they are due, signed, with retries and failover."""

import asyncio
import base64
import random
import secrets
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from datetime import datetime
from functools import cached_property, partial
from itertools import product
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    InvalidURL,
    TCPConnector,
)
from attrs import define, evolve, field, frozen
from yarl import URL

from telnyx_rooms_async.core.validators import is_loopback
from telnyx_rooms_async.emulator.events import WebhookEvent
from telnyx_rooms_async.emulator.faults import RuleList, Sleep, WebhookFault
from telnyx_rooms_async.emulator.media import LinkFactory
from telnyx_rooms_async.emulator.state import State
from telnyx_rooms_async.models import public_url_repr
from telnyx_rooms_async.serialization import parse_json

if TYPE_CHECKING:  # an extra
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Failure: TypeAlias = Literal[
    "bad URL", "lost", "no answer", "no connection", "no cryptography", "not this machine", "timeout"
]

_KEY_SIZE: Final = 32
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

_DEFAULT_TIMEOUT: Final = 2.0
_RETRY_DELAYS: Final = (0.0, 1.0, 2.0)
"""Seconds before each attempt at a URL."""
_QUIET_TIME: Final = 0.1
"""Seconds without an event after which reordered events are sent."""
_MIN_SLEEP: Final = 0.01
"""Seconds between two reads of a clock that may stand still."""
_MAX_UNFINISHED: Final = 1000
"""Limit above which due events stay in the outbox."""


@frozen(kw_only=True)
class Delivery:
    """One attempt to deliver an event, and its result. The repr shows no secrets.

    Example:
        >>> delivery = await telnyx.deliver(event, url="http://127.0.0.1:9/hook")
        >>> delivery.delivered, delivery.failure
        (False, 'no connection')
    """

    event: WebhookEvent
    """The event."""
    # The query of a webhook URL is often a secret.
    url: str = field(repr=public_url_repr)
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


def is_this_machine(url: str) -> bool:
    """Return whether the host of a URL is this machine, judged by the name and without a DNS lookup."""
    host = (URL(url).host or "").rstrip(".")
    return is_loopback(host) or host in ("0.0.0.0", "::")  # noqa: S104 - a request to them arrives here


@frozen(kw_only=True)
class _DueEvent:
    event: WebhookEvent
    urls: tuple[str, ...]
    """URL and failover URL."""
    timeout: float
    """Seconds that a receiver has to respond."""
    delay: float = 0.0
    """Seconds before the event is queued."""


def _decode_key(text: str | None) -> bytes:
    if text is None:
        return secrets.token_bytes(_KEY_SIZE)
    with suppress(ValueError):
        key = base64.b64decode(text.strip(), validate=True)
        if len(key) == _KEY_SIZE:
            return key
    raise ValueError("signing_key must be 32 bytes in base64")


@frozen(repr=False, slots=False)
class WebhookSigner:
    """Signs webhooks as Telnyx does, with a private key in base64, or a random one.

    Its properties and methods raise `RuntimeError` if the extra ``webhooks`` is not installed.
    """

    _private_key: bytes = field(converter=_decode_key)

    @cached_property
    def key(self) -> "Ed25519PrivateKey":
        """The private key."""
        try:
            # The extra is optional: an emulator without webhooks does not need it.
            from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - an extra
                Ed25519PrivateKey,
            )
        except ImportError:
            raise RuntimeError(
                "signed webhooks need the extra \"webhooks\": pip install 'telnyx-rooms-async[webhooks]'"
            ) from None
        return Ed25519PrivateKey.from_private_bytes(self._private_key)

    def public_key(self) -> str:
        """Return the public key in base64."""
        return base64.b64encode(self.key.public_key().public_bytes_raw()).decode()

    def headers(self, body: bytes, signed_at: datetime | None) -> dict[str, str]:
        """Return the headers with the signature and its time: by default now, by the clock of the machine."""
        timestamp = int(time.time() if signed_at is None else signed_at.timestamp())
        signature = self.key.sign(b"%d|%b" % (timestamp, body))
        return {
            "telnyx-signature-ed25519": base64.b64encode(signature).decode(),
            "telnyx-timestamp": str(timestamp),
        }


@define(kw_only=True, eq=False, repr=False)
class WebhookDispatcher:
    """Delivers the events in the outbox of an account during one run of the emulator.

    Events of one URL are sent in order, one at a time. An event that is sent again does not hold up later
    ones, and a slow receiver does not hold up others, while few events are unfinished.
    """

    state: State
    rules: RuleList[WebhookFault, WebhookEvent]
    signer: WebhookSigner
    deliver_anywhere: bool
    sleep: Sleep
    record: Callable[[Delivery], object]
    link_at: Callable[[datetime], LinkFactory]
    _watcher: asyncio.Task[None] | None = field(default=None, init=False)
    _session: ClientSession | None = field(default=None, init=False)
    _connections: asyncio.Semaphore = field(factory=lambda: asyncio.Semaphore(_MAX_CONNECTIONS), init=False)
    _tasks: set[asyncio.Task[None]] = field(factory=set["asyncio.Task[None]"], init=False)
    _errors: list[BaseException] = field(factory=list[BaseException], init=False)
    """Exceptions of finished tasks, for `flush_webhooks`."""
    _queues: dict[str, deque[_DueEvent]] = field(factory=dict[str, deque[_DueEvent]], init=False)
    """Events that were not sent yet, by URL. A task for each URL sends them."""
    _held: list[_DueEvent] = field(factory=list[_DueEvent], init=False)
    """Reordered events."""
    _quiet_at: float = field(default=0.0, init=False)
    """Time of the event loop at which they are sent, unless another event is due before."""
    _random: random.Random = field(factory=lambda: random.Random(0), init=False)  # noqa: S311 - not a secret
    _is_unsigned: bool = field(default=False, init=False)

    def start(self) -> None:
        """Start to deliver events, also those that were added before."""
        wake = asyncio.Event()
        # Events are added from other threads too.
        self.state.outbox.on_add = partial(asyncio.get_running_loop().call_soon_threadsafe, wake.set)
        self._watcher = asyncio.create_task(self._watch(wake))

    async def flush_webhooks(self) -> None:
        """Deliver the events that are due; see `Emulator.flush_webhooks`."""
        while self._watcher is not None:
            if self._watcher.done():
                self._watcher.result()  # raises what ended it, such as an exception of `when`
            self._take_due_events()
            self._release_held_events()
            if self._errors:
                raise self._errors.pop(0)
            if not self._tasks:
                break
            await asyncio.wait(self._tasks)
        if self._is_unsigned:
            _ = self.signer.key

    async def deliver_once(
        self, event: WebhookEvent, url: str | None, signed_at: datetime | None
    ) -> Delivery:
        """Make a single attempt to deliver an event; see `Emulator.deliver`."""
        composition_id, room_id = event.payload.get("composition_id"), event.payload.get("room_id")
        settings = self.state.compositions.get(str(composition_id)) or self.state.rooms.get(str(room_id))
        target = url or (settings and settings.webhook_event_url)
        if not target:
            raise ValueError(f"there is no webhook URL for this {event.event_type}: pass url")
        timeout = (settings and settings.webhook_timeout_secs) or _DEFAULT_TIMEOUT
        due = _DueEvent(event=event, urls=(target,), timeout=timeout)
        return await self._attempt(due, target, 1, signed_at)

    async def close(self) -> None:
        """Cancel all deliveries."""
        watcher, self._watcher = self._watcher, None
        tasks = set(self._tasks)
        if watcher is not None and not watcher.done():  # asyncio reports the exception of a failed watcher
            tasks.add(watcher)
        for task in tasks:
            task.cancel()
        self.state.outbox.on_add = lambda: None
        try:
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            if self._session is not None:
                await self._session.close()
        loop = asyncio.get_running_loop()
        for error in self._errors:  # those that no `flush_webhooks` has raised
            loop.call_exception_handler({"message": "delivery of a webhook failed", "exception": error})

    # --- from the outbox to the queues --------------------------------------------------------------------

    async def _watch(self, wake: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        while True:
            wake.clear()
            self._take_due_events()
            if loop.time() >= self._quiet_at:
                self._release_held_events()
            pauses = [self._quiet_at - loop.time()] if self._held else []
            next_due_at = self.state.outbox.next_due_at
            if next_due_at is not None:
                pauses.append((next_due_at - self.state.now()).total_seconds())
            pause = max(min(pauses), _MIN_SLEEP) if pauses else None
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await wake.wait()

    def _take_due_events(self) -> None:
        """Queue or hold the events that are due, with their faults, unless too many are unfinished."""
        now = self.state.now()
        link = self.link_at(now)
        while self._unfinished < _MAX_UNFINISHED and (entry := self.state.outbox.pop(now)):
            self._quiet_at = asyncio.get_running_loop().time() + _QUIET_TIME
            settings, event = self.state.webhook_settings(entry.sender_id), self.state.event(entry, link)
            if event is None or settings is None or not settings.webhook_event_url:
                continue
            urls = tuple(filter(None, (settings.webhook_event_url, settings.webhook_event_failover_url)))
            # 0 is not documented, and is the default here.
            timeout = settings.webhook_timeout_secs or _DEFAULT_TIMEOUT
            fault = self.rules.take(event.event_type, event) or WebhookFault()
            if fault.dropped:
                self.record(Delivery(event=event, url=urls[0], attempt=1, sent_at=now, failure="lost"))
                continue
            due = _DueEvent(event=event, urls=urls, timeout=timeout, delay=fault.delay)
            for _ in range(1 + fault.duplicates):
                if fault.reordered:
                    self._held.append(due)
                else:
                    self._schedule(due)

    @property
    def _unfinished(self) -> int:
        """Number of copies of events that are held, queued, being sent, or waiting to be sent."""
        return len(self._held) + sum(map(len, self._queues.values())) + len(self._tasks)

    def _release_held_events(self) -> None:
        self._random.shuffle(self._held)
        while self._held:
            self._schedule(self._held.pop())

    def _schedule(self, due: _DueEvent) -> None:
        if due.delay:
            self._start_task(self._enqueue_later(due))
        else:
            self._enqueue(due)

    async def _enqueue_later(self, due: _DueEvent) -> None:
        await self.sleep(due.delay)
        self._enqueue(due)

    # --- from the queues to the receivers -----------------------------------------------------------------

    def _enqueue(self, due: _DueEvent) -> None:
        url = due.urls[0]
        if url in self._queues:
            self._queues[url].append(due)
        else:
            self._queues[url] = deque([due])
            self._start_task(self._send_in_order(url, self._queues[url]))

    async def _send_in_order(self, url: str, queue: deque[_DueEvent]) -> None:
        """Make the first attempts of one URL, one after the other, and leave others to tasks of their own."""
        try:
            while queue:
                due = queue.popleft()
                delivery = await self._attempt(due, url, 1)
                if not delivery.delivered:
                    self._start_task(self._send_again(due, delivery))
        finally:
            del self._queues[url]

    async def _send_again(self, due: _DueEvent, delivery: Delivery) -> None:
        number = 1
        for url, delay in list(product(due.urls, _RETRY_DELAYS))[1:]:
            if delivery.delivered:
                return
            if url == delivery.url and not delivery.body:
                continue  # what could not be sent cannot be sent later
            if delay:
                await self.sleep(delay)
            number += 1
            delivery = await self._attempt(due, url, number)

    async def _attempt(
        self, due: _DueEvent, url: str, number: int, signed_at: datetime | None = None
    ) -> Delivery:
        draft = Delivery(event=due.event, url=url, attempt=number, sent_at=self.state.now())
        delivery = await self._send(draft, due.timeout, signed_at)
        self.record(delivery)
        return delivery

    async def _send(self, draft: Delivery, timeout: float, signed_at: datetime | None) -> Delivery:
        """Return the draft with the result. The timeout does not include the wait for a free connection."""
        try:
            if not (self.deliver_anywhere or is_this_machine(draft.url)):
                return evolve(draft, failure="not this machine")
        except ValueError:
            return evolve(draft, failure="bad URL")
        async with self._connections:
            body = draft.event.envelope(draft.attempt, draft.url)
            try:
                headers = {**_HEADERS, **self.signer.headers(body, signed_at)}
            except RuntimeError:
                self._is_unsigned = True
                return evolve(draft, failure="no cryptography")
            draft = evolve(draft, headers=headers, body=body)
            if self._session is None:
                # One connection for each event: no connection stays open when a receiver shuts down.
                connector, jar = TCPConnector(force_close=True), DummyCookieJar()
                self._session = ClientSession(connector=connector, cookie_jar=jar, timeout=ClientTimeout())
            post = self._session.post(draft.url, data=body, headers=headers, allow_redirects=False)
            answer = bytearray()
            try:
                async with asyncio.timeout(timeout), post as response:
                    async for chunk in response.content.iter_any():
                        answer += chunk
                        if len(answer) >= _MAX_ANSWER_SIZE:
                            break
            except tuple(_FAILURES) as error:
                failures = (failure for cls, failure in _FAILURES.items() if isinstance(error, cls))
                return evolve(draft, failure=next(failures))
        return evolve(draft, status=response.status, answer=bytes(answer[:_MAX_ANSWER_SIZE]))

    def _start_task(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._finish_task)

    def _finish_task(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._errors.append(error)
