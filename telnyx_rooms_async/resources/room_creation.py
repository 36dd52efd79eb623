"""Know one's own room again, when the answer of its creation was lost. Time is an argument."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final, Literal, TypeAlias, get_args

from attrs import evolve, frozen

from telnyx_rooms_async.core.endpoints import CREATE_ROOM, LIST_ROOMS
from telnyx_rooms_async.core.http_messages import Call
from telnyx_rooms_async.core.page_scan import Scan
from telnyx_rooms_async.core.protocol import at, build, page_size
from telnyx_rooms_async.core.requests import RoomBody, RoomsQuery
from telnyx_rooms_async.core.retry import RetryPolicy
from telnyx_rooms_async.core.server_clock import LOCAL_SKEW
from telnyx_rooms_async.core.spelling import body_fields
from telnyx_rooms_async.core.validators import exact_text, short_repr
from telnyx_rooms_async.errors import (
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    InvalidArgumentError,
    NameTakenError,
    OutcomeUnknownError,
    PaginationError,
)
from telnyx_rooms_async.http.api_session import ApiSession, CallContext
from telnyx_rooms_async.http.attempt_log import logger
from telnyx_rooms_async.models import Page, Room

PAUSES: Final = (0.2, 0.5, 1.0)
"""Seconds before each look: a room may take a moment to show."""
_BLANK: Final = (None, "")


def namesakes(rooms: Iterable[Room], unique_name: str) -> tuple[Room, ...]:
    """Return the rooms of exactly this name: what else the server takes for a match is not documented."""
    return tuple(room for room in rooms if room.unique_name == unique_name)


def is_ours(room: Room, asked: Mapping[str, object], *, earliest: float, latest: float) -> bool:
    """Tell whether a namesake is what a creation has made.

    Args:
        room: it has the name that was asked for.
        asked: the body of the creation; every setting in it must be the room's.
        earliest: when the server may have made it, in seconds since the epoch, by the server's clock.
        latest: likewise.
    """
    if room.created_at is None:
        return False
    same = all(is_alike(getattr(room, name, None), wanted) for name, wanted in asked.items())
    return same and earliest <= room.created_at.timestamp() <= latest


def is_alike(had: object, wanted: object) -> bool:
    """Tell whether a room has a setting as it was asked for."""
    if isinstance(wanted, bool):
        return bool(had) is wanted
    # A URL that is not set comes as null or as an empty text; zero seconds are no null.
    return had == wanted or (had in _BLANK and wanted in _BLANK)


OnLostResponse: TypeAlias = Literal["find", "find_then_resend", "raise"]
"""What to do when a room may or may not have been created."""

_ONCE: Final = RetryPolicy(attempts=1)
_UNAVAILABLE: Final = 503


def check_on_lost_response(on_lost_response: OnLostResponse) -> OnLostResponse:
    """Return the choice as exact text.

    Raises:
        InvalidArgumentError: there is no such choice.
    """
    choices: tuple[OnLostResponse, ...] = get_args(OnLostResponse)
    text = exact_text(on_lost_response)
    for choice in choices:
        if type(text) is str and text == choice:
            return choice
    listed = ", ".join(map(repr, choices))
    raise InvalidArgumentError(
        (f"on_lost_response must be one of {listed}, not {short_repr(on_lost_response)}",)
    )


async def create(api: ApiSession, body: RoomBody, on_lost_response: OnLostResponse) -> Room:
    """Create a room; see `Rooms.create` for what is promised."""
    choice = check_on_lost_response(on_lost_response)

    async def steps(call: Call[Room], context: CallContext) -> Room:
        return await _Creation(api=api, call=call, body=body, context=context).run(choice)

    return await api.run(build(CREATE_ROOM, body=body), steps)


async def settle(api: ApiSession, body: RoomBody, on_lost_response: OnLostResponse, since: float) -> Room:
    """Return the room that an earlier process may have created since then, or create it.

    Args:
        caller: sends the requests.
        body: the fields of the room.
        on_lost_response: as for `create`.
        since: seconds since the epoch, as `ApiSession.server_now` returned them to the earlier process.

    Raises:
        NameTakenError: another room has the name, and was seen.
        OutcomeUnknownError: the name is taken, and no room of it was seen; or as for `create`.
    """
    build(CREATE_ROOM, body=body)  # nothing is looked for by what is wrong
    asked, unique_name = body_fields(body), str(body.unique_name)

    async def look() -> tuple[Room | None, bool]:
        rooms = await rooms_named(unique_name, api.call)
        now, local = api.clock.monotonic(), api.clock.now()
        lowest, latest = api.server_clock.span(now, now, local)
        # Before its first response the earlier process had only its local clock, which is taken to be as
        # wrong as this one. Whether `since` is that or the server's time is not known: the earlier counts.
        earliest = min(since - LOCAL_SKEW, since + lowest - local)
        ours = (room for room in rooms if is_ours(room, asked, earliest=earliest, latest=latest))
        return next(ours, None), bool(rooms)

    room, _ = await look()
    if room is not None:
        return room
    try:
        return await create(api, body, on_lost_response)
    except NameTakenError as taken:
        # The request of the earlier process may have been on its way until now.
        for pause in (0.0, *PAUSES):
            await api.clock.sleep(pause)
            room, is_seen = await look()
            if room is not None:
                return room
            if is_seen:
                raise
        # Who has the name is not to be seen: it may be that very request.
        raise OutcomeUnknownError(CREATE_ROOM.operation, unique_name, taken.attempts) from taken


async def rooms_named(
    unique_name: str, send: Callable[[Call[Page[Room]]], Awaitable[Page[Room]]]
) -> tuple[Room, ...]:
    """Return the rooms of exactly this name, from all pages of the filter's answer.

    Which other names the server takes for a match is not documented.

    Args:
        unique_name: the name.
        send: makes the request for one page.

    Raises:
        PaginationError: the server's pages do not add up, and none had such a room.
    """
    first = build(LIST_ROOMS, query=RoomsQuery(unique_name=unique_name))
    scan = Scan(size=page_size(first))
    found: list[Room] = []
    try:
        while scan.number is not None:
            found += namesakes(scan.read(await send(at(first, scan.number))), unique_name)
    except PaginationError:
        if not found:  # what was found is there, whatever the other pages hold
            raise
    return tuple(found)


@frozen(kw_only=True, eq=False, repr=False)
class _Creation:
    """One room on its way."""

    api: ApiSession
    call: Call[Room]
    body: RoomBody
    context: CallContext

    async def run(self, on_lost_response: OnLostResponse) -> Room:
        """Ask for the room; when it is unknown whether it was made, find out.

        Raises:
            OutcomeUnknownError: it cannot be found out.
            NameTakenError: another room has the name.
        """
        try:
            return await self.api.send_with_retries(self.call, self.context)
        except OutcomeUnknownError as error:
            unknown = error
        if on_lost_response == "raise" or unknown.unique_name is None:
            raise unknown
        hint = self._retry_after(unknown)
        room, is_missing = await self._find(unknown, unknown.unique_name, retry_after=hint)
        if room is not None:
            return room
        if on_lost_response == "find_then_resend" or (is_missing and hint is not None):
            return await self._resend(unknown, unknown.unique_name)
        raise self._unknown(unknown, ()) from unknown.__cause__

    def _retry_after(self, unknown: OutcomeUnknownError) -> float | None:
        """Return the seconds after which a 503 asks for the request again, if that can be done."""
        refusal, policy = unknown.__cause__, self.api.retry
        if not isinstance(refusal, APIStatusError) or refusal.status != _UNAVAILABLE or policy.attempts <= 1:
            return None
        hint = refusal.retry_after
        if hint is None or hint > policy.retry_after_max:
            return None
        hint += self.api.clock.dice() * policy.retry_after_jitter
        return hint if self.api.clock.monotonic() + hint < self.context.deadline else None

    async def _resend(self, unknown: OutcomeUnknownError, unique_name: str) -> Room:
        """Ask once more: should the first room be there after all, its name is taken."""
        if self.api.clock.monotonic() >= self.context.deadline or not self._afford():
            raise self._unknown(unknown, ()) from unknown.__cause__
        taken: NameTakenError | None = None
        try:
            return await self.api.send_with_retries(self.call, self.context)
        except NameTakenError as error:
            taken = error
        except OutcomeUnknownError as error:
            unknown = error
        except (APIConnectionError, APIResponseError, APIStatusError) as error:
            # It was not made by this request, which says nothing of the first.
            raise self._unknown(unknown, ()) from error
        room, _ = await self._find(unknown, unique_name, taken)
        if room is not None:
            return room
        raise self._unknown(unknown, ()) from unknown.__cause__

    async def _find(
        self,
        unknown: OutcomeUnknownError,
        unique_name: str,
        taken: NameTakenError | None = None,
        retry_after: float | None = None,
    ) -> tuple[Room | None, bool]:
        """Look for the room a few times.

        Args:
            unknown: why it is looked for.
            unique_name: its name.
            taken: raised if only other rooms of the name are found.
            retry_after: seconds to wait first; then the first look-up that is answered is the last.

        Returns:
            The room, or ``None``; and whether the newest look-up was answered.

        Raises:
            OutcomeUnknownError: there are several that may be it.
            NameTakenError: the one that was given: another room of the name was seen.
        """
        logger.warning("POST /rooms: it is unknown whether the room was made; looking for it by its name")
        asked = body_fields(self.body)
        clock, server_clock, is_seen, is_answered = self.api.clock, self.api.server_clock, False, False
        server_clock.read()  # the next response may have no date, or one that cannot be read
        for pause in (max(PAUSES[0], retry_after or 0.0), *PAUSES[1:]):
            # When all calls pause until the deadline, there is nothing to wait for.
            if clock.monotonic() + max(pause, self.api.rate_limiter.delay() or 0.0) >= self.context.deadline:
                break
            await clock.sleep(pause)
            if not self._afford():
                break
            rooms = await self._look(unique_name)
            is_seen, is_answered = is_seen or bool(rooms), rooms is not None
            earliest, latest = server_clock.span(self.context.started, clock.monotonic(), clock.now())
            ours = [room for room in rooms or () if is_ours(room, asked, earliest=earliest, latest=latest)]
            if len(ours) > 1:
                raise self._unknown(unknown, tuple(room.id for room in ours)) from unknown.__cause__
            if ours:
                logger.warning("POST /rooms: the room was made, and is found")
                return ours[0], True
            if is_answered and retry_after is not None:
                break
        if is_seen and taken is not None:
            raise taken
        return None, is_answered

    def _afford(self) -> bool:
        """Pay for another request as for a repetition: an outage is met with no more load."""
        api = self.api
        if api.budget.take(api.retry.retry_cost, api.clock.monotonic()):
            self.context.spent += api.retry.retry_cost
            return True
        *before, last = self.context.attempts
        self.context.attempts = (*before, evolve(last, budget_exhausted=True))
        return False

    async def _look(self, unique_name: str) -> tuple[Room, ...] | None:
        """Look once; ``None`` for a look-up that failed, of which the attempts hold the record."""
        api = evolve(self.api, retry=_ONCE)
        try:
            return await rooms_named(unique_name, lambda call: api.send_with_retries(call, self.context))
        except (APIConnectionError, APIResponseError, APIStatusError, PaginationError):
            return None

    def _unknown(self, unknown: OutcomeUnknownError, room_ids: tuple[str, ...]) -> OutcomeUnknownError:
        return OutcomeUnknownError(unknown.operation, unknown.unique_name, self.context.attempts, room_ids)
