"""The emulator: its HTTP server, and its control from a test."""

import asyncio
import itertools
import math
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import partial
from http import HTTPStatus
from random import Random
from typing import Final, Self, Unpack, cast

from aiohttp import web
from aiohttp.typedefs import Handler
from yarl import URL

from telnyx_rooms_async.core.endpoints import ENDPOINTS, Endpoint
from telnyx_rooms_async.core.requests import RoomBody
from telnyx_rooms_async.core.secret import hidden
from telnyx_rooms_async.core.validators import UNSET, RoomSettings, UnsetType
from telnyx_rooms_async.emulator import validation
from telnyx_rooms_async.emulator.events import WebhookEvent
from telnyx_rooms_async.emulator.faults import (
    DOWNLOAD,
    PUBLIC_KEY,
    Fault,
    FaultInjector,
    FaultRule,
    RateLimit,
    RuleList,
    Sleep,
    WebhookFault,
    WebhookFaultRule,
    When,
    WhenEvent,
)
from telnyx_rooms_async.emulator.history import HistoryWriter
from telnyx_rooms_async.emulator.media import MediaFile, PresignedLinks, send_file
from telnyx_rooms_async.emulator.messages import (
    ApiError,
    RecordedRequest,
    api_error,
    json_response,
    not_found,
)
from telnyx_rooms_async.emulator.operations import OPERATIONS, RequestContext, create_room
from telnyx_rooms_async.emulator.state import Clock, State
from telnyx_rooms_async.emulator.table import Equal
from telnyx_rooms_async.emulator.webhooks import Delivery, WebhookDispatcher, WebhookSigner
from telnyx_rooms_async.models import Room, RoomParticipant
from telnyx_rooms_async.serialization import converter

_PREFIX: Final = "/v2"
_PARTICIPANTS: Final = "/emulator/participants"
_JOIN_CHECKS: Final = {"room_id": validation.text, "context": validation.text}
_CONTROL_ROUTES: Final = frozenset({"emulator:join", "emulator:leave"})
"""Names of the routes that are not part of Telnyx. Faults and the rate limit do not apply to them."""
_NO_KEY_NEEDED: Final = frozenset({"RefreshRoomClientToken", DOWNLOAD})
"""Operations that are authorized by the refresh token or the signature of the link."""

_EXTRA_HEADERS: Final = web.RequestKey("extra_headers", dict[str, str])
"""Headers of the response to a request; they replace those of the same name."""

_NOT_RUNNING: Final = "the emulator is not running: enter it with async with"
_REACHABLE_HOSTS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - a client cannot connect to these
"""Addresses of this machine for clients, by the addresses that listen on all interfaces."""


class Emulator:
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
        signing_key: private key that signs webhooks, base64 of 32 bytes; random by default.
        public_url: base URL for clients on other machines, such as ``"http://telnyx:8080/v2"``. It becomes
            `url`, and links in webhooks start with it; `host` and `port` are still where the server listens.

    Raises:
        ValueError: `public_url` is not an ``http://`` or ``https://`` URL, or `signing_key` is not 32 bytes.
        OSError: on entering, the port is taken.
        RuntimeError: on entering, the emulator is already running.

    Example:
        >>> async with Emulator() as telnyx:
        ...     async with RoomsClient(telnyx.api_key, base_url=telnyx.url) as client:
        ...         room = await client.rooms.create("Weekly")
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
        signing_key: str | None = None,
        public_url: str | None = None,
    ) -> None:
        if public_url is not None and not _is_base_url(public_url):
            raise ValueError("public_url must be a base URL such as http://telnyx:8080/v2")
        self.api_key: str = hidden(f"KEY{secrets.token_hex(16)}" if api_key is None else api_key)
        """API key that requests need."""
        self.requests: list[RecordedRequest] = []
        """Requests that arrived, refused ones included, oldest first. The list may be cleared."""
        self.deliveries: list[Delivery] = []
        """Attempts to deliver webhooks, oldest first. The list may be cleared."""
        self._state = State(clock)
        self._rules: RuleList[Fault, RecordedRequest] = RuleList()
        self._webhook_rules: RuleList[WebhookFault, WebhookEvent] = RuleList()
        self._rate_limit: RateLimit | None = None
        self._recording = recording
        self._host, self._port = host, port
        self._public_url = public_url and public_url.rstrip("/")
        self._links = PresignedLinks()
        self._signer = WebhookSigner(signing_key)
        self._sleep, self._deliver_anywhere = sleep, deliver_anywhere
        self._fault_injector = FaultInjector(sleep)
        self._runner: web.AppRunner | None = None
        self._webhook_dispatcher: WebhookDispatcher | None = None

    async def __aenter__(self) -> Self:
        if self._runner is not None:
            raise RuntimeError("the emulator is already running")
        runner = web.AppRunner(self._make_app(), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self._webhook_dispatcher = WebhookDispatcher(
            state=self._state,
            rules=self._webhook_rules,
            signer=self._signer,
            deliver_anywhere=self._deliver_anywhere,
            sleep=self._sleep,
            record=self._record_delivery,
            link_at=lambda now: partial(self._links.create, URL(self.url).origin(), now),
        )
        self._webhook_dispatcher.start()
        return self

    def _make_app(self) -> web.Application:
        app = web.Application(middlewares=[self._middleware])
        app.on_response_prepare.append(self._set_headers)
        app.on_shutdown.append(self._fault_injector.close)
        app.router.add_post(_PARTICIPANTS, self._handle_join, name="emulator:join")
        app.router.add_delete(f"{_PARTICIPANTS}/{{id}}", self._handle_leave, name="emulator:leave")
        for endpoint in ENDPOINTS:
            path, handler = _PREFIX + endpoint.path, partial(self._handle_operation, endpoint)
            app.router.add_route(endpoint.method, path, handler, name=endpoint.operation)
            if endpoint.method == "GET":
                app.router.add_head(path, handler, name=endpoint.operation)
        app.router.add_get(f"{_PREFIX}/public_key", self._handle_public_key, name=PUBLIC_KEY)
        app.router.add_get("/media/{id}", self._handle_download, name=DOWNLOAD, allow_head=False)
        return app

    async def __aexit__(self, *exc_info: object) -> None:
        runner, self._runner = self._runner, None
        dispatcher, self._webhook_dispatcher = self._webhook_dispatcher, None
        if runner is not None and dispatcher is not None:
            try:
                await dispatcher.close()
            finally:
                await runner.cleanup()
            self._state.outbox.clear()  # also of events by requests that ended during the shutdown

    @property
    def url(self) -> str:
        """Base URL for a client.

        Raises:
            RuntimeError: the emulator is not running.
        """
        if self._runner is None:
            raise RuntimeError(_NOT_RUNNING)
        if self._public_url:
            return self._public_url
        host, port = cast("tuple[str, int]", self._runner.addresses[0][:2])
        return str(URL.build(scheme="http", host=_REACHABLE_HOSTS.get(host, host), port=port, path=_PREFIX))

    @property
    def public_key(self) -> str:
        """Public key of the webhook signatures, base64 of 32 bytes, as Telnyx returns it.

        Raises:
            RuntimeError: the extra ``webhooks`` is not installed.
        """
        return self._signer.public_key()

    # --- state --------------------------------------------------------------------------------------------

    @property
    def rooms(self) -> tuple[Room, ...]:
        """Current state of all rooms, oldest first. Each access decodes all of them."""
        rooms = [room.serialize() for room in self._state.rooms]
        return converter.structure(rooms, tuple[Room, ...])

    def create_room(self, unique_name: str | UnsetType = UNSET, **settings: Unpack[RoomSettings]) -> Room:
        """Create a room without a request.

        Args:
            unique_name: unique among the rooms of the emulator.
            **settings: `RoomSettings`, as for `Rooms.create`.

        Raises:
            ValueError: Telnyx would refuse the room.

        Example:
            >>> room = telnyx.create_room("Retro", enable_recording=True)
            >>> (await client.rooms.retrieve(room)).unique_name
            'Retro'
        """
        body = converter.dumps(RoomBody(unique_name=unique_name, **settings))
        try:
            room = create_room(self._state, body)
        except ApiError as error:
            raise ValueError(error.detail) from None
        return converter.structure(room.serialize(), Room)

    def seed(self, count: int) -> None:
        """Create rooms without requests, named ``Room 1`` and so on. Names that are taken are skipped.

        Example:
            >>> telnyx.seed(3)
            >>> telnyx.rooms[-1].unique_name
            'Room 3'
        """
        for name in self._free_names(count):
            self._state.create_room({"unique_name": name})

    def seed_history(
        self,
        *,
        days: int = 30,
        rooms: int = 10,
        sessions: int | None = None,
        random: Random | None = None,
    ) -> None:
        """Create rooms with a history: sessions of the last days, from 8 to 18 h in UTC on working days.

        Two to eight people are in a session. Some reconnect, join with a second device, or send no context.
        One session in ten is a rare case: a participant left before it joined or when it joined, or never
        left, or all joined in the same microsecond. Some sessions of Fridays take more than a day. One room
        in ten is recorded, has compositions, and a session that goes on. No events are sent, and nothing is
        decoded: 100 000 sessions take some ten seconds, and 400 MB.

        Args:
            days: length of the history, up to the last midnight: 1 to 3650.
            rooms: number of new rooms, 1 or more, named as by `seed`.
            sessions: number of sessions that have ended; by default 1 to 5 in each room on a working day.
            random: source of randomness. By default the history is the same on the same day, ids included.

        Raises:
            ValueError: an argument is out of range.

        Example:
            >>> from random import Random
            >>> telnyx.seed_history(days=30, rooms=10, random=Random(1))
        """
        for name, number, low, high in (
            ("days", days, 1, 3650),
            ("rooms", rooms, 1, math.inf),
            ("sessions", sessions or 0, 0, math.inf),
        ):
            if not low <= number <= high:
                raise ValueError(f"{name} must be from {low} to {high}, not {number}")
        writer = HistoryWriter(self._state, random or Random(0))  # noqa: S311 - not a secret
        writer.write(self._free_names(rooms), days, sessions)

    def _free_names(self, count: int) -> list[str]:
        names = (f"Room {number}" for number in itertools.count(1))
        free = (name for name in names if not self._state.rooms.select(unique_name=Equal(name)))
        return list(itertools.islice(free, count))

    def join(self, room_id: str, *, context: str = "") -> RoomParticipant:
        """Add a participant to a room, which only a client SDK can do. The first one starts a session.

        Args:
            room_id: id of the room.
            context: what the participant says about itself.

        Raises:
            LookupError: there is no such room.
            ValueError: the room is full.

        Example:
            >>> bob = telnyx.join(room_id, context="Bob")
        """
        participant = self._state.join(room_id, context)
        return converter.structure(participant.serialize(), RoomParticipant)

    def leave(self, participant_id: str) -> None:
        """Remove a participant from its session. The session ends with the last one.

        Raises:
            LookupError: no such participant is in a session.

        Example:
            >>> telnyx.leave(participant.id)  # the last one ends the session
            >>> (await client.sessions.retrieve(session_id)).active
            False
        """
        self._state.leave(participant_id)

    def muted(self, participant_id: str) -> bool:
        """Return whether a participant is muted, which no operation of the API returns.

        Raises:
            LookupError: there is no such participant.

        Example:
            >>> await client.sessions.mute(session_id, "all")
            >>> telnyx.muted(participant.id)
            True
        """
        participant = self._state.participants.get(participant_id)
        if participant is None:
            raise LookupError(f"no participant has the id {participant_id!r}")
        return participant.muted

    def media(self, file_id: str) -> MediaFile:
        """Return the file of a completed recording or composition, to compare or to change it.

        Raises:
            LookupError: there is no such file, or it is not completed.

        Example:
            >>> telnyx.media(recording.id).cut_after = 1000  # bytes, of each response
        """
        file = self._state.file(file_id)
        if file is None:
            raise LookupError(f"no completed recording or composition has the id {file_id!r}")
        return file

    # --- faults -------------------------------------------------------------------------------------------

    def inject(
        self,
        fault: Fault,
        *,
        times: int | None = 1,
        operation: str | None = None,
        when: When | None = None,
    ) -> None:
        """Inject a fault into the next requests. A request gets the first fault that matches.

        Requests without the right API key and requests above the rate limit get no fault and use none up.

        Args:
            fault: what goes wrong.
            times: for how many requests; ``None`` for all until `clear_faults`.
            operation: operation id of the API reference (``"CreateRoom"``), ``"download"`` for files,
                ``"public_key"``, or ``None`` for every operation except downloads.
            when: returns whether a recorded request matches.

        Raises:
            ValueError: an argument is not valid, or the fault is not possible for a download.

        Example:
            >>> telnyx.inject(Fault(cut="after"), operation="DeleteRoom")
        """
        self._rules.append(FaultRule(fault=fault, times=times, name=operation, when=when))

    def inject_webhook_faults(
        self,
        fault: WebhookFault,
        *,
        times: int | None = 1,
        event_type: str | None = None,
        when: WhenEvent | None = None,
    ) -> None:
        """Inject a fault into the next events. An event gets the first fault that matches.

        Args:
            fault: what goes wrong.
            times: for how many events; ``None`` for all until `clear_faults`.
            event_type: such as ``"video.room.session.ended"``; ``None`` for every type.
            when: returns whether an event matches.

        Raises:
            ValueError: an argument is not valid.

        Example:
            >>> telnyx.inject_webhook_faults(WebhookFault(duplicates=1), times=None)
        """
        rule = WebhookFaultRule(fault=fault, times=times, name=event_type, when=when)
        self._webhook_rules.append(rule)

    @property
    def pending_faults(self) -> tuple[Fault, ...]:
        """Faults that are not used up, in order."""
        return tuple(rule.fault for rule in self._rules)

    @property
    def pending_webhook_faults(self) -> tuple[WebhookFault, ...]:
        """Webhook faults that are not used up, in order."""
        return tuple(rule.fault for rule in self._webhook_rules)

    def clear_faults(self) -> None:
        """Remove all faults that are not used up, also those of webhooks.

        Example:
            >>> telnyx.inject(Fault(status=503), times=None)
            >>> telnyx.clear_faults()
            >>> telnyx.pending_faults
            ()
        """
        self._rules.clear()
        self._webhook_rules.clear()

    def limit(self, requests: int | None, *, seconds: float = 60.0) -> None:
        """Limit the rate of requests by the clock of the emulator, and refuse others with a 429.

        The first request opens a window; the first one after its end opens the next. Every response of the
        API then has ``x-ratelimit-limit``, ``-remaining`` and ``-reset``. Files are not limited.

        Args:
            requests: number of requests in a window; ``None`` for no limit.
            seconds: length of a window.

        Raises:
            ValueError: `requests` is negative, or `seconds` is not above 0.

        Example:
            >>> telnyx.limit(20, seconds=5)
            >>> room = await client.rooms.retrieve(room_id)
            >>> client.rate_limit.remaining
            19
        """
        self._rate_limit = None if requests is None else RateLimit(requests=requests, seconds=seconds)

    # --- webhooks -----------------------------------------------------------------------------------------

    async def flush_webhooks(self) -> None:
        """Deliver all events that are due, and return when each is delivered or given up.

        Events are also delivered without this call, as soon as they happen. It is needed to wait for them,
        and after moving the clock: recordings and compositions that are completed by then send events.

        Raises:
            RuntimeError: the emulator is not running; or an event had to be signed, and the extra
                ``webhooks`` is not installed.

        Example:
            >>> room = await client.rooms.update(room_id, webhook_event_url="http://127.0.0.1:9/hook")
            >>> telnyx.leave(participant.id)
            >>> await telnyx.flush_webhooks()
            >>> telnyx.deliveries[-1].delivered
            False
        """
        if self._webhook_dispatcher is None:
            raise RuntimeError(_NOT_RUNNING)
        await self._webhook_dispatcher.flush_webhooks()

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
            payload: payload for an event type, without which it is empty.
            url: receiver; by default the webhook URL of the composition or room that the payload names.
            signed_at: time of the signature, aware; by default now, by the clock of the machine.

        Raises:
            ValueError: the event has no type, there is no URL for it, or it has a payload of its own.
            RuntimeError: the emulator is not running, or the extra ``webhooks`` is not installed.

        Example:
            >>> payload = {"room_id": room_id}
            >>> hook = "http://127.0.0.1:9/hook"
            >>> delivery = await telnyx.deliver("video.room.session.ended", payload, url=hook)
        """
        if self._webhook_dispatcher is None:
            raise RuntimeError(_NOT_RUNNING)
        _ = self._signer.key
        made = WebhookEvent.from_object(event, payload, self._state.now())
        return await self._webhook_dispatcher.deliver_once(made, url, signed_at)

    # --- requests -----------------------------------------------------------------------------------------

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        headers: dict[str, str] = {}
        request[_EXTRA_HEADERS] = headers
        try:
            recorded = await RecordedRequest.read(request)
        except ConnectionError:  # aiohttp would log it as an error of the server
            return web.Response(status=HTTPStatus.BAD_REQUEST)
        if self._recording:
            self.requests.append(recorded)
        operation = request.match_info.route.name
        is_control = operation in _CONTROL_ROUTES
        if self._rate_limit is not None and operation != DOWNLOAD and not is_control:
            is_within_limit, rate_headers = self._rate_limit.count(self._state.now())
            headers.update(rate_headers)
            if not is_within_limit:
                detail = "You have exceeded the maximum number of allowed requests."
                return api_error(429, detail).response()
        authorization = request.headers.get("Authorization")
        if operation not in _NO_KEY_NEEDED and authorization != f"Bearer {self.api_key}":
            detail = "The required authentication headers were either invalid or not included in the request."
            return api_error(401, detail).response()

        async def respond() -> web.StreamResponse:
            try:
                return await handler(request)
            except ApiError as error:
                return error.response()
            except web.HTTPException:  # of the router: there is no such path or method
                return not_found().response()

        if operation is None or is_control:
            return await respond()
        fault = self._rules.take(operation, recorded) or Fault()
        headers.update(fault.response_headers)
        return await self._fault_injector.apply(fault, request, respond)

    async def _handle_operation(self, endpoint: Endpoint[object], request: web.Request) -> web.Response:
        now = self._state.now()
        context = RequestContext(
            state=self._state,
            now=now,
            path_ids=request.match_info,
            query=validation.Query(request.query),
            body=await request.read(),
            link=partial(self._links.create, request.url.origin(), now),
        )
        return json_response(endpoint.status, OPERATIONS[endpoint.operation](context))

    async def _handle_download(self, request: web.Request) -> web.StreamResponse:
        file_id = request.match_info["id"]
        if not self._links.is_valid(file_id, request.query, self._state.now()):
            return web.Response(status=HTTPStatus.FORBIDDEN, text="The link is not valid or has expired.\n")
        file = self._state.file(file_id)
        if file is None:
            return web.Response(status=HTTPStatus.NOT_FOUND, text="There is no such file.\n")
        return await send_file(request, file)

    async def _handle_public_key(self, _: web.Request) -> web.Response:
        try:
            public_key = self.public_key
        except RuntimeError as error:  # the extra is not installed
            raise api_error(501, str(error)) from None
        organization_id = self._state.organization_id
        data = {"record_type": "public_key", "public": public_key, "organization_id": organization_id}
        return json_response(HTTPStatus.OK, {"data": data})

    async def _handle_join(self, request: web.Request) -> web.Response:
        body = validation.read_body(await request.read(), _JOIN_CHECKS, required=["room_id"])
        try:
            participant = self._state.join(body["room_id"], body.get("context", ""))
        except LookupError:
            raise not_found() from None
        except ValueError as error:  # the room is full
            raise api_error(422, str(error)) from None
        return json_response(HTTPStatus.CREATED, {"data": participant.serialize()})

    async def _handle_leave(self, request: web.Request) -> web.Response:
        try:
            self._state.leave(request.match_info["id"])
        except LookupError:
            raise not_found() from None
        return json_response(HTTPStatus.NO_CONTENT, None)

    async def _set_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Date"] = format_datetime(self._state.now(), usegmt=True)
        response.headers.update(request[_EXTRA_HEADERS])

    def _record_delivery(self, delivery: Delivery) -> None:
        if self._recording:
            self.deliveries.append(delivery)


def _is_base_url(text: str) -> bool:
    try:
        url = URL(text)
    except ValueError:
        return False
    return url.scheme in ("http", "https") and bool(url.host) and not (url.user or url.query or url.fragment)
