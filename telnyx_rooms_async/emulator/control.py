"""Control of an emulator from a test: its state, its log, and the faults it injects. No HTTP."""

import itertools
import secrets

from telnyx_rooms_async.core.secret import Secret
from telnyx_rooms_async.emulator.faults import (
    Fault,
    FaultRule,
    RuleList,
    WebhookFault,
    WebhookFaultRule,
    When,
    WhenEvent,
)
from telnyx_rooms_async.emulator.media import MediaFile
from telnyx_rooms_async.emulator.rate_limit import RateLimit
from telnyx_rooms_async.emulator.request_log import RecordedRequest
from telnyx_rooms_async.emulator.serializers import serialize_participant, serialize_room
from telnyx_rooms_async.emulator.state import Clock, State
from telnyx_rooms_async.emulator.webhooks.delivery import Delivery
from telnyx_rooms_async.models import Room, RoomParticipant
from telnyx_rooms_async.serialization import converter


class EmulatorControl:
    """The part of an `Emulator` that needs no network."""

    def __init__(self, *, api_key: str | None, clock: Clock) -> None:
        self.api_key: str = Secret(api_key or f"KEY{secrets.token_hex(16)}")
        """API key that requests need."""
        self.requests: list[RecordedRequest] = []
        """Requests that arrived, refused ones included, oldest first. The list may be cleared."""
        self.deliveries: list[Delivery] = []
        """Attempts to deliver webhooks, oldest first. The list may be cleared."""
        self._state = State(clock)
        self._rules: RuleList[FaultRule] = RuleList()
        self._webhook_rules: RuleList[WebhookFaultRule] = RuleList()
        self._rate_limit: RateLimit | None = None

    @property
    def rooms(self) -> tuple[Room, ...]:
        """Current state of all rooms, oldest first. Each access decodes all of them."""
        rooms = [serialize_room(room) for room in self._state.rooms]
        return converter.structure(rooms, tuple[Room, ...])

    def seed(self, count: int) -> None:
        """Create rooms without requests, named ``Room 1`` and so on. Names that are taken are skipped."""
        names = (f"Room {number}" for number in itertools.count(1))
        for name in itertools.islice(filter(self._state.is_name_free, names), count):
            self._state.create_room({"unique_name": name})

    def join(self, room_id: str, *, context: str = "") -> RoomParticipant:
        """Add a participant to a room, which only a client SDK can do. The first one starts a session.

        Args:
            room_id: id of the room.
            context: what the participant says about itself.

        Returns:
            The participant, with the id of its session.

        Raises:
            LookupError: there is no such room.
            ValueError: the room is full.

        Example:
            ``alice = telnyx.join(room.id, context="Alice")``
        """
        participant = self._state.join(room_id, context)
        return converter.structure(serialize_participant(participant), RoomParticipant)

    def leave(self, participant_id: str) -> None:
        """Remove a participant from its session. The session ends with the last one.

        Raises:
            LookupError: no such participant is in a session.
        """
        self._state.leave(participant_id)

    def muted(self, participant_id: str) -> bool:
        """Return whether a participant is muted, which no operation of the API returns.

        Raises:
            LookupError: there is no such participant.
        """
        participant = self._state.participants.get(participant_id)
        if participant is None:
            raise LookupError(f"no participant has the id {participant_id!r}")
        return participant.muted

    def media(self, file_id: str) -> MediaFile:
        """Return the file of a completed recording or composition, to compare or to change it.

        Args:
            file_id: id of the recording or composition.

        Raises:
            LookupError: there is no such file, or it is not completed.
        """
        file = self._state.file(file_id)
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
        """Inject a fault into the next requests. A request gets the first fault that matches.

        Requests without the right API key and requests above the rate limit get no fault and use none up.

        Args:
            fault: what goes wrong.
            times: for how many requests; ``None`` for all until `unscript`.
            operation: operation id of the API reference (``"CreateRoom"``), ``"download"`` for files, or
                ``None`` for every operation.
            when: returns whether a recorded request matches.

        Raises:
            ValueError: an argument is not valid, or the fault is not possible for a download.

        Example:
            ``telnyx.script(Fault(cut="after"), operation="DeleteRoom")``
        """
        self._rules.append(FaultRule(fault=fault, times=times, operation=operation, when=when))

    def script_webhooks(
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
            times: for how many events; ``None`` for all until `unscript`.
            event_type: such as ``"video.room.session.ended"``; ``None`` for every type.
            when: returns whether an event matches.

        Raises:
            ValueError: an argument is not valid.

        Example:
            ``telnyx.script_webhooks(WebhookFault(copies=2), times=None)``
        """
        rule = WebhookFaultRule(fault=fault, times=times, event_type=event_type, when=when)
        self._webhook_rules.append(rule)

    @property
    def scripted(self) -> tuple[Fault, ...]:
        """Faults that are not used up, in order."""
        return tuple(rule.fault for rule in self._rules)

    @property
    def scripted_webhooks(self) -> tuple[WebhookFault, ...]:
        """Webhook faults that are not used up, in order."""
        return tuple(rule.fault for rule in self._webhook_rules)

    def unscript(self) -> None:
        """Remove all faults that are not used up, also those of webhooks."""
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
        """
        self._rate_limit = None if requests is None else RateLimit(requests=requests, seconds=seconds)
