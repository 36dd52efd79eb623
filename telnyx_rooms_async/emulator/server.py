"""The emulated Telnyx behind a socket of this machine."""

import asyncio
import itertools
import secrets
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Final, Self

from aiohttp import web
from aiohttp.typedefs import Handler
from yarl import URL

from telnyx_rooms_async.core.codec import decode, encode
from telnyx_rooms_async.core.models import Page, Room, RoomParticipant
from telnyx_rooms_async.core.secret import Secret
from telnyx_rooms_async.emulator.account import Account, Clock
from telnyx_rooms_async.emulator.answers import add_headers, answer, stamp
from telnyx_rooms_async.emulator.faults import Fault
from telnyx_rooms_async.emulator.media import Links, MediaFile
from telnyx_rooms_async.emulator.playing import Player, Sleep
from telnyx_rooms_async.emulator.rates import RateWindow
from telnyx_rooms_async.emulator.recorded import RecordedRequest
from telnyx_rooms_async.emulator.refusals import RefusalError, too_many, unauthorized
from telnyx_rooms_async.emulator.routes import PREFIX, Routes
from telnyx_rooms_async.emulator.script import DOWNLOAD, Line, Script, When
from telnyx_rooms_async.emulator.views import participant_view, room_view

_NEEDS_NO_KEY: Final = frozenset({"RefreshRoomClientToken", DOWNLOAD})
"""What the API reference marks ``security: []`` and clients call without a key: the refresh token is one,
and so is a presigned link."""


class Emulator:
    """A stateful Telnyx on ``127.0.0.1``, for as long as ``async with`` lasts.

    Args:
        host: where to listen.
        port: where to listen; 0 for any free port.
        api_key: the one key that is accepted; made up unless given.
        clock: tells the time, aware: all is stamped with it, and links and tokens expire by it. Whoever
            turns it need not wait for a recording (5 s after its participant left) or a composition (10 s
            after it was asked for).
        sleep: waits for the delay of a `Fault`.
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
        sleep: Sleep = asyncio.sleep,
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
        self._script = Script()
        self._player = Player(sleep)
        self._window: RateWindow | None = None
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
        return str(URL.build(scheme="http", host=host, port=port, path=PREFIX))

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

    def script(
        self,
        fault: Fault,
        *,
        times: int | None = 1,
        operation: str | None = None,
        when: When | None = None,
    ) -> None:
        """Have the next requests meet a fault. A request meets the first fault in the script that fits it.

        A request that is refused for its key or for the rate meets none, and leaves the script as it was.

        Args:
            fault: what goes wrong.
            times: for how many requests; ``None`` for all until `unscript`.
            operation: the id of an operation in the API reference (``CreateRoom``), ``"download"`` for the
                files of the store, or ``None`` for every operation.
            when: tells whether a request, as it is recorded, is meant as well.

        Raises:
            ValueError: there is no such operation, `times` is less than 1, or a download cannot go wrong so.
        """
        self._script.lines.append(Line(fault=fault, times=times, operation=operation, when=when))

    @property
    def scripted(self) -> tuple[Fault, ...]:
        """The faults that are not used up, in the order of the script."""
        return tuple(line.fault for line in self._script.lines)

    def unscript(self) -> None:
        """Forget all faults that are not used up."""
        self._script.lines.clear()

    def limit(self, requests: int | None, *, seconds: float = 60.0) -> None:
        """Let in so many requests in so many seconds by the clock, and refuse others with a 429.

        The first request opens a window, the first one after its end the next. From now on every answer of
        the API tells ``x-ratelimit-limit``, ``-remaining`` and ``-reset``. Files of the store do not count.

        Args:
            requests: how many; ``None`` lifts the limit.
            seconds: how long a window lasts.

        Raises:
            ValueError: `requests` is negative, or `seconds` not more than 0.
        """
        self._window = None if requests is None else RateWindow(requests=requests, seconds=seconds)

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._meet])
        app.on_response_prepare.append(stamp)
        app.on_shutdown.append(self._player.close)
        app.add_routes(Routes(self._account, self._links))
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
        fault = self._script.take(operation, recorded)
        return await self._player.play(fault, request, partial(handler, request))

    def _admit(self, request: web.Request, operation: str | None) -> None:
        if self._window is not None and operation != DOWNLOAD:
            allowance = self._window.admit(self._account.now())
            add_headers(request, allowance.headers)
            if allowance.is_spent:
                raise too_many()
        key = request.headers.get("Authorization")
        if operation not in _NEEDS_NO_KEY and key != f"Bearer {self.api_key}":
            raise unauthorized()


async def _recorded(request: web.Request) -> RecordedRequest:
    return RecordedRequest(
        method=request.method,
        path=request.path,
        query=tuple(request.query.items()),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await request.read(),
        target=request.raw_path,
    )
