"""The emulated Telnyx behind a socket of this machine."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Final, Self, cast

from aiohttp import web
from aiohttp.typedefs import Handler
from yarl import URL

from telnyx_rooms_async.emulator.account import Clock
from telnyx_rooms_async.emulator.answers import add_headers, answer, stamp
from telnyx_rooms_async.emulator.deliveries import Delivery
from telnyx_rooms_async.emulator.delivering import Deliverer
from telnyx_rooms_async.emulator.media import Links
from telnyx_rooms_async.emulator.people import PEOPLE, People
from telnyx_rooms_async.emulator.playing import Player, Sleep
from telnyx_rooms_async.emulator.posting import Poster
from telnyx_rooms_async.emulator.recorded import RecordedRequest
from telnyx_rooms_async.emulator.refusals import RefusalError, too_many, unauthorized
from telnyx_rooms_async.emulator.routes import PREFIX, Routes
from telnyx_rooms_async.emulator.script import DOWNLOAD
from telnyx_rooms_async.emulator.stage import Stage
from telnyx_rooms_async.emulator.views import Link
from telnyx_rooms_async.emulator.webhooks import event_of

_NEEDS_NO_KEY: Final = frozenset({"RefreshRoomClientToken", DOWNLOAD})
"""What the API reference marks ``security: []`` and clients call without a key: the refresh token is one,
and so is a presigned link."""

_WHERE_TO_GO: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - for a client, not a listener
"""Who listens everywhere is found here."""


class Emulator(Stage):
    """A stateful Telnyx on ``127.0.0.1``, for as long as ``async with`` lasts.

    Args:
        host: where to listen.
        port: where to listen; 0 for any free port.
        api_key: the one key that is accepted; made up unless given.
        clock: tells the time, aware: all is stamped with it, and links and tokens expire by it. Whoever
            turns it need not wait for a recording (5 s after its participant left) or a composition (10 s
            after it was asked for). Only the signatures of webhooks go by the clock of this machine.
        sleep: waits for the delay of a `Fault` or a `WebhookFault`, and before an event is sent again.
        recording: whether `requests` and `deliveries` keep what comes and goes, about 1 KB each: switch it
            off to serve for days.
        deliver_anywhere: whether webhooks may go to other machines too. Else only ``localhost`` and the
            loopback addresses are sent any.
        public_url: the base URL for clients on other machines, such as ``"http://telnyx:8080/v2"``. It is
            then `url`, and the links in webhooks lead there; where to listen is said by `host` and `port`.

    Raises:
        ValueError: `public_url` is not an ``http://`` or ``https://`` URL.
        OSError: on entering: the port is taken.
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
        self._links = Links()
        self._player = Player(sleep)
        self._poster = Poster(deliver_anywhere)
        self._deliverer = Deliverer(
            account=self._account,
            script=self._event_script,
            poster=self._poster,
            sleep=sleep,
            record=self._keep,
            link_at=self._link_at,
        )
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The base URL for a client.

        Raises:
            RuntimeError: the emulator is not running.
        """
        if self._runner is None:
            raise _not_running()
        if self._public_url:
            return self._public_url
        host, port = cast("tuple[str, int]", self._runner.addresses[0][:2])
        return str(URL.build(scheme="http", host=_WHERE_TO_GO.get(host, host), port=port, path=PREFIX))

    @property
    def public_key(self) -> str:
        """What verifies the signatures of this emulator: base64 of the 32 bytes, as Telnyx shows it.

        Raises:
            RuntimeError: the extra ``webhooks`` is missing.
        """
        return self._poster.signer.public_key

    async def settle(self) -> None:
        """Deliver every event that is due by now, and return when each was delivered or given up.

        Events are delivered without it too, as soon as they happen. Call it to know that they have been,
        and after turning the clock: recordings and compositions that are completed by then are told of.

        Raises:
            RuntimeError: the emulator is not running; or the extra ``webhooks`` is missing, and an event was
                to be signed.
        """
        if self._runner is None:
            raise _not_running()
        await self._deliverer.settle()

    async def deliver(
        self,
        event: object,
        payload: Mapping[str, object] | None = None,
        *,
        url: str | None = None,
        signed_at: datetime | None = None,
    ) -> Delivery:
        """Deliver one event of your own, once and at once, and return what the receiver answered.

        Args:
            event: the type of an event, a mapping, or an object with the fields of an event; an id and an
                instant are made up unless it has them.
            payload: belongs to a type.
            url: where to; unless given, to the composition's or room's own that the payload names.
            signed_at: aware; now, by the clock of this machine, unless given.

        Raises:
            ValueError: the event has no type, or there is no URL for it.
            RuntimeError: the emulator is not running, or the extra ``webhooks`` is missing.
        """
        if self._runner is None:
            raise _not_running()
        _ = self.public_key
        made = event_of(event, payload, self._account.now())
        return await self._deliverer.deliver(made, url, signed_at)

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._meet])
        app.on_response_prepare.append(stamp(self._account.now))
        app.on_shutdown.append(self._player.close)
        app.add_routes(People(self._account))
        app.add_routes(Routes(self._account, self._links, lambda: self.public_key))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self._deliverer.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            try:
                await self._deliverer.close()
            finally:
                await runner.cleanup()
            self._account.outbox.clear()  # nobody is left to be told

    @web.middleware
    async def _meet(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        recorded = await _recorded(request)
        if self._recording:
            self.requests.append(recorded)
        operation = request.match_info.route.name
        try:
            self._admit(request, operation)
        except RefusalError as refused:
            return answer(refused.status, refused.body)
        if operation in PEOPLE:
            return await handler(request)
        fault = self._script.take(operation, recorded)
        return await self._player.play(fault, request, partial(handler, request))

    def _admit(self, request: web.Request, operation: str | None) -> None:
        if self._window is not None and operation != DOWNLOAD and operation not in PEOPLE:
            allowance = self._window.admit(self._account.now())
            add_headers(request, allowance.headers)
            if allowance.is_spent:
                raise too_many()
        key = request.headers.get("Authorization")
        if operation not in _NEEDS_NO_KEY and key != f"Bearer {self.api_key}":
            raise unauthorized()

    def _keep(self, delivery: Delivery) -> None:
        if self._recording:
            self.deliveries.append(delivery)

    def _link_at(self, now: datetime) -> Link:
        return partial(self._links.make, URL(self.url).origin(), now)


def _not_running() -> RuntimeError:
    return RuntimeError("the emulator is not running: enter it with async with")


def _is_base_url(text: str) -> bool:
    try:
        url = URL(text)
    except ValueError:
        return False
    return url.scheme in ("http", "https") and bool(url.host) and not (url.user or url.query or url.fragment)


async def _recorded(request: web.Request) -> RecordedRequest:
    return RecordedRequest(
        method=request.method,
        path=request.path,
        query=tuple(request.query.items()),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await request.read(),
        target=request.raw_path,
    )
