"""Creation of a room, and recovery of a room whose create response was lost.

The API has no idempotency keys, but the name of a room is unique within the account. A room whose response
was lost is therefore looked up by name, and accepted if its date and all of its settings match the request.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Final, Literal, TypeAlias, TypeVar, get_args

from attrs import define, evolve, field

from telnyx_rooms_async.core.endpoints import CREATE_ROOM, LIST_ROOMS
from telnyx_rooms_async.core.http_messages import Call
from telnyx_rooms_async.core.page_scan import Scan
from telnyx_rooms_async.core.protocol import at, build, page_size
from telnyx_rooms_async.core.requests import RoomBody, RoomsQuery, body_fields
from telnyx_rooms_async.core.retry import RetryPolicy
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
from telnyx_rooms_async.http.clock import LOCAL_SKEW, Clock
from telnyx_rooms_async.models import Page, Room

T = TypeVar("T")

OnLostResponse: TypeAlias = Literal["find", "find_then_resend", "raise"]
"""What to do when a room may or may not have been created."""

_LOOK_UP_DELAYS: Final = (0.2, 0.5, 1.0)
"""Seconds before each look-up: a new room may take a moment to appear in lists."""
_NO_RETRIES: Final = RetryPolicy(attempts=1)
_SERVICE_UNAVAILABLE: Final = 503


def check_on_lost_response(on_lost_response: OnLostResponse) -> OnLostResponse:
    """Return the choice as exact text.

    Raises:
        InvalidArgumentError: it is none of the choices.
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


async def create_room(api: ApiSession, body: RoomBody, on_lost_response: OnLostResponse) -> Room:
    """Create a room, as `Rooms.create` documents it."""
    choice = check_on_lost_response(on_lost_response)

    async def steps(call: Call[Room], context: CallContext) -> Room:
        return await _Creation(api=api, call=call, body=body, context=context).run(choice)

    return await api.call(build(CREATE_ROOM, body=body), steps)


async def resume_creation(
    api: ApiSession, body: RoomBody, on_lost_response: OnLostResponse, since: float
) -> Room:
    """Return the room that an earlier process created, or create it.

    Args:
        api: the session that sends the requests.
        body: the fields of the room, with its name.
        on_lost_response: as for `Rooms.create`.
        since: when the earlier process began, as its `ApiSession.server_now` returned it.

    Raises:
        NameTakenError: a room that does not match has the name.
        OutcomeUnknownError: the name is taken, but no room of this name is listed; or as for `Rooms.create`.
    """
    build(CREATE_ROOM, body=body)  # validates the body before a look-up
    settings, unique_name = body_fields(body), str(body.unique_name)

    async def look_up() -> tuple[Room | None, bool]:
        rooms = await find_rooms(unique_name, api.call)
        earliest, latest = _creation_period(api, since)
        matching = (room for room in rooms if is_created_room(room, settings, earliest, latest))
        return next(matching, None), bool(rooms)

    room, _ = await look_up()
    if room is not None:
        return room
    try:
        return await create_room(api, body, on_lost_response)
    except NameTakenError as error:
        name_taken = error

    async def look_up_again() -> Room | None:
        room, has_namesakes = await look_up()
        if room is None and has_namesakes:
            raise name_taken
        return room

    # The request of the earlier process may have been processed only now.
    if (room := await retry_look_up(look_up_again, api.clock)) is not None:
        return room
    raise OutcomeUnknownError(CREATE_ROOM.operation, unique_name, name_taken.attempts) from name_taken


def _creation_period(api: ApiSession, since: float) -> tuple[float, float]:
    """Return between which times of the server's clock an earlier process may have created a room."""
    monotonic, local = api.clock.monotonic(), api.clock.now()
    lowest, latest = api.server_clock.span(monotonic, monotonic, local)
    # Before its first response the earlier process had only its local clock, assumed to be as wrong as this
    # one. Whether `since` is a local or a server time is unknown, so the earlier of the two counts.
    return min(since - LOCAL_SKEW, since + lowest - local), latest


# --- look-up by name --------------------------------------------------------------------------------------


async def find_rooms(
    unique_name: str, send: Callable[[Call[Page[Room]]], Awaitable[Page[Room]]]
) -> tuple[Room, ...]:
    """Return the rooms of exactly this name, from all pages of the filtered list.

    Telnyx does not document which other names the filter matches.

    Args:
        unique_name: the name.
        send: requests one page.

    Raises:
        PaginationError: the server's pages do not add up, and no such room was found.
    """
    first = build(LIST_ROOMS, query=RoomsQuery(unique_name=unique_name))
    scan = Scan(size=page_size(first))
    rooms: list[Room] = []
    try:
        while scan.number is not None:
            rooms += with_name(scan.read(await send(at(first, scan.number))), unique_name)
    except PaginationError:
        if not rooms:
            raise
    return tuple(rooms)


def with_name(rooms: Iterable[Room], unique_name: str) -> tuple[Room, ...]:
    """Return the rooms of exactly this name."""
    return tuple(room for room in rooms if room.unique_name == unique_name)


async def retry_look_up(
    find: Callable[[], Awaitable[T | None]],
    clock: Clock,
    *,
    delays: Iterable[float] = (0.0, *_LOOK_UP_DELAYS),
    may_wait: Callable[[float], bool] = lambda _: True,
) -> T | None:
    """Return the first result of `find` that is not None, or None after the last delay.

    Args:
        find: called after each delay.
        clock: sleeps.
        delays: seconds.
        may_wait: called with each delay; False ends the look-up.
    """
    for delay in delays:
        if not may_wait(delay):
            break
        if delay:
            await clock.sleep(delay)
        if (result := await find()) is not None:
            return result
    return None


# --- matching ---------------------------------------------------------------------------------------------


def is_created_room(room: Room, settings: Mapping[str, object], earliest: float, latest: float) -> bool:
    """Return whether a room can be the result of a create request.

    Args:
        room: a room that has the requested name.
        settings: the fields of the request; the room must have all of them.
        earliest: the first time at which the server may have created it, in seconds since the epoch.
        latest: the last such time.
    """
    if room.created_at is None or not earliest <= room.created_at.timestamp() <= latest:
        return False
    return all(is_same_setting(getattr(room, name, None), value) for name, value in settings.items())


def is_same_setting(actual: object, wanted: object) -> bool:
    """Return whether a setting of a room is as requested.

    A flag that is null is off. A URL that is not set can be null or empty. Zero seconds are not null.
    """
    if isinstance(wanted, bool):
        return bool(actual) is wanted
    return actual == wanted or (actual in (None, "") and wanted in (None, ""))


# --- one creation -----------------------------------------------------------------------------------------


@define(kw_only=True, eq=False, repr=False)
class _Creation:
    """One create call: a request, look-ups by name if its response is lost, perhaps a second request.

    There is one deadline, and every request but the first is paid for from the retry budget::

        request ── response ──> the room, or its error
         └─ lost ── look up ── one match ──> the room
                     ├─ several matches ──> OutcomeUnknownError with their ids
                     ├─ none, "find" ──> OutcomeUnknownError
                     └─ none, "find_then_resend" ── request again ── response ──> the room
                         └─ name taken, or lost again ── look up ── as above

    After a 503 with Retry-After, "find" continues like "find_then_resend", because the server asks for the
    request again. The look-up then begins after that time, and its first answer decides.
    """

    api: ApiSession
    call: Call[Room]
    body: RoomBody
    context: CallContext
    cause: BaseException | None = field(default=None, init=False)
    """The error that leaves the outcome open."""
    is_answered: bool = field(default=False, init=False)
    """Whether the newest look-up had a response."""
    has_namesakes: bool = field(default=False, init=False)
    """Whether the newest series of look-ups found any room of the name."""

    async def run(self, on_lost_response: OnLostResponse) -> Room:
        """Create the room.

        Raises:
            OutcomeUnknownError: it stays unknown whether the room was created.
            NameTakenError: another room has the name.
        """
        try:
            return await self.api.send_with_retries(self.call, self.context)
        except OutcomeUnknownError as error:
            lost = error
        if on_lost_response == "raise" or lost.unique_name is None:
            raise lost
        self.cause = lost.__cause__
        matches = await self._recover(lost.unique_name, on_lost_response)
        if len(matches) == 1:
            return matches[0]
        room_ids = tuple(room.id for room in matches)
        raise OutcomeUnknownError(
            lost.operation, lost.unique_name, self.context.attempts, room_ids
        ) from self.cause

    async def _recover(self, unique_name: str, on_lost_response: OnLostResponse) -> tuple[Room, ...]:
        """Return the rooms that may be the result: several are ambiguous, none leaves the outcome open."""
        retry_after = self._retry_after()
        if matches := await self._look_up(unique_name, retry_after):
            return matches
        is_asked_again = retry_after is not None and self.is_answered
        if not (on_lost_response == "find_then_resend" or is_asked_again):
            return ()
        if self._is_too_late(0.0) or not self._pay():
            return ()
        name_taken: NameTakenError | None = None
        try:
            return (await self.api.send_with_retries(self.call, self.context),)
        except NameTakenError as error:  # perhaps by the first request
            name_taken = error
        except OutcomeUnknownError as error:
            self.cause = error.__cause__
        except (APIConnectionError, APIResponseError, APIStatusError) as error:
            self.cause = error  # of the second request: the outcome of the first is still open
            return ()
        matches = await self._look_up(unique_name)
        if not matches and name_taken is not None and self.has_namesakes:
            raise name_taken
        return matches

    def _retry_after(self) -> float | None:
        """Return after how many seconds a 503 response asks for the request again, if that is possible."""
        response, policy = self.cause, self.api.retry
        if not isinstance(response, APIStatusError) or response.status != _SERVICE_UNAVAILABLE:
            return None
        hint = response.retry_after
        if hint is None or hint > policy.retry_after_max or policy.attempts <= 1:
            return None
        hint += self.api.clock.random() * policy.retry_after_jitter
        return None if self._is_too_late(hint) else hint

    async def _look_up(self, unique_name: str, retry_after: float | None = None) -> tuple[Room, ...]:
        logger.warning("POST /rooms: the response was lost; looking for the room by its name")
        self.api.server_clock.read()  # the next response may have no date, or an unreadable one
        self.is_answered = self.has_namesakes = False
        first, *others = _LOOK_UP_DELAYS
        matches = await retry_look_up(
            partial(self._find_matches, unique_name, is_final=retry_after is not None),
            self.api.clock,
            delays=(max(first, retry_after or 0.0), *others),
            may_wait=self._may_wait,
        )
        if matches and len(matches) == 1:
            logger.warning("POST /rooms: the room was created, and is found")
        return matches or ()

    async def _find_matches(self, unique_name: str, *, is_final: bool) -> tuple[Room, ...] | None:
        """Look the name up once; None asks for another look-up."""
        session = evolve(self.api, retry=_NO_RETRIES)
        try:
            rooms = await find_rooms(unique_name, lambda call: session.send_with_retries(call, self.context))
        except (APIConnectionError, APIResponseError, APIStatusError, PaginationError):
            self.is_answered = False
            return None
        self.is_answered = True
        self.has_namesakes = self.has_namesakes or bool(rooms)
        clock, settings = self.api.clock, body_fields(self.body)
        period = self.api.server_clock.span(self.context.started, clock.monotonic(), clock.now())
        matches = tuple(room for room in rooms if is_created_room(room, settings, *period))
        return matches if matches or is_final else None

    def _may_wait(self, delay: float) -> bool:
        # While all calls are paused beyond the deadline, a look-up could not be sent.
        pause = max(delay, self.api.rate_limiter.delay() or 0.0)
        return not self._is_too_late(pause) and self._pay()

    def _is_too_late(self, delay: float) -> bool:
        return self.api.clock.monotonic() + delay >= self.context.deadline

    def _pay(self) -> bool:
        """Pay for another request as for a retry, so that an outage is not met with more load."""
        api = self.api
        if api.budget.take(api.retry.retry_cost, api.clock.monotonic()):
            self.context.spent += api.retry.retry_cost
            return True
        *before, last = self.context.attempts
        self.context.attempts = (*before, evolve(last, budget_exhausted=True))
        return False
