"""What a test sees of the emulated Telnyx and does to it, but for its network. No HTTP."""

import itertools
import secrets

from telnyx_rooms_async.core.codec import decode, encode
from telnyx_rooms_async.core.secret import Secret
from telnyx_rooms_async.emulator.account import Account, Clock
from telnyx_rooms_async.emulator.deliveries import Delivery
from telnyx_rooms_async.emulator.faults import Fault
from telnyx_rooms_async.emulator.media import MediaFile
from telnyx_rooms_async.emulator.mishaps import EventLine, EventScript, WebhookFault, WhenEvent
from telnyx_rooms_async.emulator.rates import RateWindow
from telnyx_rooms_async.emulator.recorded import RecordedRequest
from telnyx_rooms_async.emulator.script import Line, Script, When
from telnyx_rooms_async.emulator.views import participant_view, room_view
from telnyx_rooms_async.models import Page, Room, RoomParticipant


class Stage:
    """An account, the people who play in it, and the script of what goes wrong."""

    def __init__(self, *, api_key: str | None, clock: Clock) -> None:
        self.api_key: str = Secret(api_key or f"KEY{secrets.token_hex(16)}")
        """What a client must send."""
        self.requests: list[RecordedRequest] = []
        """What arrived, the refused included, oldest first; `clear` it as you like."""
        self.deliveries: list[Delivery] = []
        """What was sent to receivers of webhooks, and what became of it; likewise."""
        self._account = Account(clock)
        self._script = Script()
        self._event_script = EventScript()
        self._window: RateWindow | None = None

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

    def script_webhooks(
        self,
        mishap: WebhookFault,
        *,
        times: int | None = 1,
        event_type: str | None = None,
        when: WhenEvent | None = None,
    ) -> None:
        """Have the next events meet a mishap. An event meets the first mishap in the script that fits it.

        Args:
            mishap: what goes wrong.
            times: for how many events; ``None`` for all until `unscript`.
            event_type: such as ``"video.room.session.ended"``, or ``None`` for every type.
            when: tells whether an event is meant as well.

        Raises:
            ValueError: there is no such type, or `times` is less than 1.
        """
        line = EventLine(mishap=mishap, times=times, event_type=event_type, when=when)
        self._event_script.lines.append(line)

    @property
    def scripted(self) -> tuple[Fault, ...]:
        """The faults that are not used up, in the order of the script."""
        return tuple(line.fault for line in self._script.lines)

    @property
    def scripted_webhooks(self) -> tuple[WebhookFault, ...]:
        """The mishaps that are not used up, in the order of the script."""
        return tuple(line.mishap for line in self._event_script.lines)

    def unscript(self) -> None:
        """Forget all faults and mishaps that are not used up."""
        self._script.lines.clear()
        self._event_script.lines.clear()

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
