"""The emulated Telnyx behind a socket of this machine."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self
from uuid import uuid4

from aiohttp import web
from aiohttp.typedefs import Handler
from attrs import field, frozen
from yarl import URL

from telnyx_rooms_async.core.codec import decode, encode, parse
from telnyx_rooms_async.core.endpoints import ENDPOINTS, Endpoint
from telnyx_rooms_async.core.models import Page, Room, RoomParticipant
from telnyx_rooms_async.core.secret import Secret
from telnyx_rooms_async.emulator.account import Account, Clock
from telnyx_rooms_async.emulator.checks import Query
from telnyx_rooms_async.emulator.operations import OPERATIONS, Arrival
from telnyx_rooms_async.emulator.refusals import RefusalError, not_found, unauthorized
from telnyx_rooms_async.emulator.views import participant_view, room_view

_PREFIX: Final = "/v2"


@frozen(kw_only=True)
class RecordedRequest:
    """A request as it arrived."""

    method: str
    path: str
    """Decoded, with the ``/v2`` of the base URL."""
    query: tuple[tuple[str, str], ...]
    """Decoded names and values, in their order."""
    headers: Mapping[str, str] = field(repr=False)
    """Under lower-case names."""
    body: bytes
    target: str
    """The path and the query as they stood in the request line."""

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON may be anything
        """The body as plain data.

        Raises:
            MisfitError: it is not JSON.
        """
        return parse(self.body)


class Emulator:
    """A stateful Telnyx on ``127.0.0.1``, for as long as ``async with`` lasts.

    Args:
        host: where to listen.
        port: where to listen; 0 for any free port.
        api_key: the one key that is accepted; made up unless given.
        clock: tells the time that rooms and sessions are stamped with; aware.

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
    ) -> None:
        self.api_key: str = Secret(api_key or f"KEY{secrets.token_hex(16)}")
        """What a client must send."""
        self.requests: list[RecordedRequest] = []
        """What arrived, the refused included, oldest first; `clear` it as you like."""
        self._host, self._port = host, port
        self._account = Account(clock)
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
        """Make rooms without a request, named ``Room 1`` and so on."""
        for number in range(1, count + 1):
            self._account.create_room({"unique_name": f"Room {number}"})

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

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._record])
        for endpoint in ENDPOINTS:
            app.router.add_route(endpoint.method, _PREFIX + endpoint.path, self._handler(endpoint))
        app.router.add_route("*", "/{anything:.*}", _nowhere)
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
            query = Query(request.query)
            view = operation(Arrival(self._account, request.match_info, query, await request.read()))
            return _answer(endpoint.status, view)

        return handle

    @web.middleware
    async def _record(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.requests.append(
            RecordedRequest(
                method=request.method,
                path=request.path,
                query=tuple(request.query.items()),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=await request.read(),
                target=request.raw_path,
            )
        )
        try:
            if request.headers.get("Authorization") != f"Bearer {self.api_key}":
                raise unauthorized()
            return await handler(request)
        except RefusalError as refused:
            return _answer(refused.status, refused.body)


async def _nowhere(_: web.Request) -> web.Response:
    raise not_found()


def _answer(status: int, view: Mapping[str, object] | None) -> web.Response:
    headers = {"x-request-id": str(uuid4())}
    if view is None:
        return web.Response(status=status, headers=headers)
    return web.Response(status=status, headers=headers, body=encode(view), content_type="application/json")
