"""HTTP server of the emulator."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Final, Self, cast

from aiohttp import web
from aiohttp.typedefs import Handler
from yarl import URL

from telnyx_rooms_async.emulator.control import EmulatorControl
from telnyx_rooms_async.emulator.fault_injector import FaultInjector, Sleep
from telnyx_rooms_async.emulator.faults import DOWNLOAD, Fault
from telnyx_rooms_async.emulator.media import PresignedLinks
from telnyx_rooms_async.emulator.request_log import RecordedRequest
from telnyx_rooms_async.emulator.responses import (
    ApiError,
    add_headers,
    header_signal,
    too_many_requests,
    unauthorized,
)
from telnyx_rooms_async.emulator.routes import CONTROL_ROUTES, PREFIX, Routes
from telnyx_rooms_async.emulator.serializers import LinkFactory
from telnyx_rooms_async.emulator.state import Clock
from telnyx_rooms_async.emulator.webhooks.delivery import Delivery, WebhookSender
from telnyx_rooms_async.emulator.webhooks.dispatcher import WebhookDispatcher
from telnyx_rooms_async.emulator.webhooks.event_factory import to_event

_NO_KEY_NEEDED: Final = frozenset({"RefreshRoomClientToken", DOWNLOAD})
"""Operations that the API reference marks with ``security: []``: the refresh token or the link is the key."""

_REACHABLE_HOSTS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - a client cannot connect to these
"""Addresses of this machine for clients, by the addresses that listen on all interfaces."""


class Emulator(EmulatorControl):
    """A stateful Telnyx on ``127.0.0.1``, from the start of ``async with`` to its end.

    Args:
        host: address to listen on.
        port: port to listen on; 0 for any free port.
        api_key: the API key that is accepted; random by default.
        clock: returns the current time, aware. Timestamps, links and tokens follow this clock; a test that
            moves it does not have to wait for a recording (5 s after its participant left) or a composition
            (10 s after it was created). Only signatures of webhooks use the clock of the machine.
        sleep: waits for the delay of a `Fault` or `WebhookFault`, and before an event is sent again.
        recording: whether `requests` and `deliveries` are kept, about 1 KB for each. Switch it off for a
            server that runs for days.
        deliver_anywhere: whether webhooks are sent to other machines too, not only to ``localhost`` and
            loopback addresses.
        public_url: base URL for clients on other machines, such as ``"http://telnyx:8080/v2"``. It becomes
            `url`, and links in webhooks start with it; `host` and `port` are still where the server listens.

    Raises:
        ValueError: `public_url` is not an ``http://`` or ``https://`` URL.
        OSError: on entering, the port is taken.

    Example:
        async with Emulator() as telnyx:
            async with RoomsClient(telnyx.api_key, base_url=telnyx.url) as client:
                room = await client.rooms.create(unique_name="Weekly")
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        api_key: str | None = None,
        clock: Clock = lambda: datetime.now(UTC),
        sleep: Sleep = asyncio.sleep,
        recording: bool = True,
        deliver_anywhere: bool = False,
        public_url: str | None = None,
    ) -> None:
        if public_url is not None and not _is_base_url(public_url):
            raise ValueError("public_url must be a base URL such as http://telnyx:8080/v2")
        super().__init__(api_key=api_key, clock=clock)
        self._recording = recording
        self._host, self._port = host, port
        self._public_url = public_url and public_url.rstrip("/")
        self._links = PresignedLinks()
        self._fault_injector = FaultInjector(sleep)
        self._webhook_sender = WebhookSender(deliver_anywhere)
        self._webhook_dispatcher = WebhookDispatcher(
            state=self._state,
            rules=self._webhook_rules,
            sender=self._webhook_sender,
            sleep=sleep,
            record=self._record_delivery,
            link_at=self._link_at,
        )
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Base URL for a client.

        Raises:
            RuntimeError: the emulator is not running.
        """
        runner = self._running()
        if self._public_url:
            return self._public_url
        host, port = cast("tuple[str, int]", runner.addresses[0][:2])
        return str(URL.build(scheme="http", host=_REACHABLE_HOSTS.get(host, host), port=port, path=PREFIX))

    @property
    def public_key(self) -> str:
        """Public key of the webhook signatures, base64 of 32 bytes, as Telnyx returns it.

        Raises:
            RuntimeError: the extra ``webhooks`` is not installed.
        """
        return self._webhook_sender.signing_key.public_key

    async def settle(self) -> None:
        """Deliver all events that are due, and return when each is delivered or given up.

        Events are also delivered without this call, as soon as they happen. It is needed to wait for them,
        and after moving the clock: recordings and compositions that are completed by then send events.

        Raises:
            RuntimeError: the emulator is not running; or an event had to be signed, and the extra
                ``webhooks`` is not installed.

        Example:
            telnyx.leave(alice.id)
            await telnyx.settle()
            assert telnyx.deliveries[-1].delivered
        """
        self._running()
        await self._webhook_dispatcher.settle()

    async def deliver(
        self,
        event: object,
        payload: Mapping[str, object] | None = None,
        *,
        url: str | None = None,
        signed_at: datetime | None = None,
    ) -> Delivery:
        """Deliver a given event, once and immediately, and return the response of the receiver.

        Args:
            event: an event type, a mapping, or an object with the attributes of an event. Id and time are
                generated unless the event has them.
            payload: payload for an event type.
            url: receiver; by default the webhook URL of the composition or room that the payload names.
            signed_at: time of the signature, aware; by default now, by the clock of the machine.

        Raises:
            ValueError: the event has no type, or there is no URL for it.
            RuntimeError: the emulator is not running, or the extra ``webhooks`` is not installed.

        Example:
            ``await telnyx.deliver("video.room.session.ended", {"room_id": room.id})``
        """
        self._running()
        _ = self.public_key
        made = to_event(event, payload, self._state.now())
        return await self._webhook_dispatcher.deliver_once(made, url, signed_at)

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._middleware])
        app.on_response_prepare.append(header_signal(self._state.now))
        app.on_shutdown.append(self._fault_injector.close)
        app.add_routes(Routes(self._state, self._links, lambda: self.public_key).definitions())
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self._webhook_dispatcher.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            try:
                await self._webhook_dispatcher.close()
            finally:
                await runner.cleanup()
            self._state.outbox.clear()  # requests that ended during the shutdown may have added events

    def _running(self) -> web.AppRunner:
        if self._runner is None:
            raise RuntimeError("the emulator is not running: enter it with async with")
        return self._runner

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        recorded = await RecordedRequest.read(request)
        if self._recording:
            self.requests.append(recorded)
        operation = request.match_info.route.name
        try:
            self._admit(request, operation)
        except ApiError as error:
            return error.response()
        respond = partial(_respond, request, handler)
        if operation in CONTROL_ROUTES:
            return await respond()
        return await self._fault_injector.apply(self._take_fault(operation, recorded), request, respond)

    def _admit(self, request: web.Request, operation: str | None) -> None:
        """Raise `ApiError` for a request above the rate limit, or without the right API key."""
        if self._rate_limit is not None and operation != DOWNLOAD and operation not in CONTROL_ROUTES:
            status = self._rate_limit.count(self._state.now())
            add_headers(request, status.headers)
            if status.is_exceeded:
                raise too_many_requests()
        authorization = request.headers.get("Authorization")
        if operation not in _NO_KEY_NEEDED and authorization != f"Bearer {self.api_key}":
            raise unauthorized()

    def _take_fault(self, operation: str | None, recorded: RecordedRequest) -> Fault:
        rule = self._rules.take(lambda rule: operation is not None and rule.matches(operation, recorded))
        return Fault() if rule is None else rule.fault

    def _record_delivery(self, delivery: Delivery) -> None:
        if self._recording:
            self.deliveries.append(delivery)

    def _link_at(self, now: datetime) -> LinkFactory:
        return partial(self._links.create, URL(self.url).origin(), now)


async def _respond(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ApiError as error:
        return error.response()


def _is_base_url(text: str) -> bool:
    try:
        url = URL(text)
    except ValueError:
        return False
    return url.scheme in ("http", "https") and bool(url.host) and not (url.user or url.query or url.fragment)
