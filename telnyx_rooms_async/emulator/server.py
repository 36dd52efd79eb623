"""The emulated Telnyx behind a socket of this machine."""

import itertools
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Final, Self
from uuid import uuid4

from aiohttp import web
from aiohttp.typedefs import Handler
from yarl import URL

from telnyx_rooms_async.core.codec import decode, encode
from telnyx_rooms_async.core.endpoints import ENDPOINTS, Endpoint
from telnyx_rooms_async.core.models import Page, Room, RoomParticipant
from telnyx_rooms_async.core.secret import Secret
from telnyx_rooms_async.emulator.account import Account, Clock
from telnyx_rooms_async.emulator.media import Links, MediaFile
from telnyx_rooms_async.emulator.operations import OPERATIONS, Arrival
from telnyx_rooms_async.emulator.queries import Query
from telnyx_rooms_async.emulator.recorded import RecordedRequest
from telnyx_rooms_async.emulator.refusals import RefusalError, not_found, unauthorized
from telnyx_rooms_async.emulator.store import Store
from telnyx_rooms_async.emulator.views import participant_view, room_view

_PREFIX: Final = "/v2"
_NEEDS_NO_KEY: Final = frozenset({"RefreshRoomClientToken"})
"""What the API reference marks ``security: []`` and clients call without a key: the refresh token is one."""


class Emulator:
    """A stateful Telnyx on ``127.0.0.1``, for as long as ``async with`` lasts.

    Args:
        host: where to listen.
        port: where to listen; 0 for any free port.
        api_key: the one key that is accepted; made up unless given.
        clock: tells the time, aware: all is stamped with it, and links and tokens expire by it. Whoever
            turns it need not wait for a recording (5 s after its participant left) or a composition (10 s
            after it was asked for).
        recording: whether `requests` keeps what arrives, about 1 KB each: switch it off to serve for days.

    Raises:
        OSError: on entering: the port is taken.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        api_key: str | None = None,
        clock: Clock = lambda: datetime.now(UTC),
        recording: bool = True,
    ) -> None:
        self.api_key: str = Secret(api_key or f"KEY{secrets.token_hex(16)}")
        """What a client must send."""
        self.requests: list[RecordedRequest] = []
        """What arrived, the refused included, oldest first; `clear` it as you like."""
        self._recording = recording
        self._host, self._port = host, port
        self._account = Account(clock)
        self._links = Links()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The base URL for a client.

        Raises:
            RuntimeError: the emulator is not running.
        """
        if self._runner is None:
            raise RuntimeError("the emulator is not running: enter it with async with")
        host, port = self._runner.addresses[0][:2]
        return str(URL.build(scheme="http", host=host, port=port, path=_PREFIX))

    @property
    def rooms(self) -> tuple[Room, ...]:
        """All rooms as they are now, oldest first."""
        views = [room_view(room) for room in self._account.rooms.values()]
        return decode(encode({"data": views}), Page[Room]).data

    def seed(self, count: int) -> None:
        """Make rooms without a request, named ``Room 1`` and so on; names that are taken are passed over."""
        names = (f"Room {number}" for number in itertools.count(1))
        free = filter(self._account.is_name_free, names)
        for name in itertools.islice(free, count):
            self._account.create_room({"unique_name": name})

    def join(self, room_id: str, *, context: str = "") -> RoomParticipant:
        """Let someone join a room, as only a client SDK can; the first one in opens a session.

        Raises:
            LookupError: there is no such room.
            ValueError: the room is full.
        """
        person = self._account.join(room_id, context)
        return decode(encode({"data": participant_view(person)}), RoomParticipant)

    def leave(self, participant_id: str) -> None:
        """Let someone leave; the last one out ends the session.

        Raises:
            LookupError: no such participant is in a session.
        """
        self._account.leave(participant_id)

    def muted(self, participant_id: str) -> bool:
        """Tell whether someone was muted, and not unmuted since: the API shows it nowhere.

        Raises:
            LookupError: there never was such a participant.
        """
        person = self._account.participants.get(participant_id)
        if person is None:
            raise LookupError(f"no participant has the id {participant_id!r}")
        return person.muted

    def media(self, file_id: str) -> MediaFile:
        """Return the file of a completed recording or composition, by its id: to compare, or to change.

        Raises:
            LookupError: there is no such file, not yet or no longer.
        """
        file = self._account.file(file_id)
        if file is None:
            raise LookupError(f"no completed recording or composition has the id {file_id!r}")
        return file

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._record])
        for endpoint in ENDPOINTS:
            app.router.add_route(endpoint.method, _PREFIX + endpoint.path, self._handler(endpoint))
        app.router.add_get("/media/{file_id}", Store(self._account, self._links).serve, allow_head=False)
        app.router.add_route("*", "/{anything:.*}", self._nowhere)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def _handler(self, endpoint: Endpoint[object]) -> Handler:
        operation = OPERATIONS[endpoint.operation]

        async def handle(request: web.Request) -> web.Response:
            if endpoint.operation not in _NEEDS_NO_KEY:
                self._check_key(request)
            now = self._account.now()
            arrival = Arrival(
                account=self._account,
                now=now,
                ids=request.match_info,
                query=Query(request.query),
                body=await request.read(),
                link=partial(self._links.make, request.url.origin(), now),
            )
            return _answer(endpoint.status, operation(arrival))

        return handle

    async def _nowhere(self, request: web.Request) -> web.Response:
        self._check_key(request)
        raise not_found()

    def _check_key(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Bearer {self.api_key}":
            raise unauthorized()

    @web.middleware
    async def _record(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self._recording:
            self.requests.append(await _recorded(request))
        try:
            return await handler(request)
        except RefusalError as refused:
            return _answer(refused.status, refused.body)


async def _recorded(request: web.Request) -> RecordedRequest:
    return RecordedRequest(
        method=request.method,
        path=request.path,
        query=tuple(request.query.items()),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await request.read(),
        target=request.raw_path,
    )


def _answer(status: int, view: Mapping[str, object] | None) -> web.Response:
    headers = {"x-request-id": str(uuid4())}
    if view is None:
        return web.Response(status=status, headers=headers)
    return web.Response(status=status, headers=headers, body=encode(view), content_type="application/json")
