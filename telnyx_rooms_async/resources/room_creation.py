"""Creation of a room, and recovery of a room whose create response was lost.

The API has no idempotency keys, but the name of a room is unique within the account. A room whose response
was lost is therefore looked up by name, and accepted if its date and all of its settings match the request.
"""

from collections.abc import Awaitable, Callable
from typing import Final, Literal, TypeAlias, cast, get_args

from attrs import define, evolve

from telnyx_rooms_async.core.endpoints import CREATE_ROOM, LIST_ROOMS
from telnyx_rooms_async.core.http_messages import Call
from telnyx_rooms_async.core.page_scan import Scan
from telnyx_rooms_async.core.protocol import at, body_fields, build, page_size
from telnyx_rooms_async.core.requests import RoomBody, RoomsQuery
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
from telnyx_rooms_async.http.clock import LOCAL_SKEW
from telnyx_rooms_async.models import Page, Room

OnLostResponse: TypeAlias = Literal["find", "find_then_resend", "raise"]
"""What to do when a room may or may not have been created."""
_CHOICES: Final = get_args(OnLostResponse)

LOOK_UP_DELAYS: Final = (0.2, 0.5, 1.0)
"""Seconds before each look-up: a new room may take a moment to appear in lists."""
_NO_RETRIES: Final = RetryPolicy(max_attempts=1)
_SERVICE_UNAVAILABLE: Final = 503


def check_on_lost_response(on_lost_response: OnLostResponse) -> OnLostResponse:
    """Return the choice as exact text, or raise `InvalidArgumentError` if it is none of them."""
    text = exact_text(on_lost_response)
    if type(text) is str and text in _CHOICES:
        return cast("OnLostResponse", text)
    listed = ", ".join(map(repr, _CHOICES))
    raise InvalidArgumentError(
        (f"on_lost_response must be one of {listed}, not {short_repr(on_lost_response)}",)
    )


async def create_room(
    api: ApiSession, body: RoomBody, on_lost_response: OnLostResponse, since: float | None = None
) -> Room:
    """Create a room, as `Rooms.create` documents it, or return the one that an earlier process created.

    `since` is the `ApiSession.server_now` of an earlier process that may have sent the same request. The room
    then has a name, and is looked up first.
    """
    call = build(CREATE_ROOM, body=body)
    creation = _Creation(api=api, body=body, on_lost_response=on_lost_response, since=since)
    if since is not None:
        rooms = await find_rooms(str(body.unique_name), api.call)
        matches = creation.matches(rooms, api.clock.monotonic())
        if len(matches) > 1:
            room_ids = tuple(room.id for room in matches)
            raise OutcomeUnknownError(call.endpoint.operation, call.unique_name, room_ids=room_ids)
        if matches:
            return matches[0]
    return await api.call(call, creation.run)


async def find_rooms(
    unique_name: str, send: Callable[[Call[Page[Room]]], Awaitable[Page[Room]]]
) -> tuple[Room, ...]:
    """Return the rooms of exactly this name, from all pages of the list, which `send` requests.

    Telnyx does not document which other names the filter matches. Pages that do not add up are a
    `PaginationError` only if no such room was found.
    """
    first = build(LIST_ROOMS, query=RoomsQuery(unique_name=unique_name))
    scan = Scan(size=page_size(first))
    rooms: list[Room] = []
    try:
        while scan.number is not None:
            page = scan.read(await send(at(first, scan.number)))
            rooms += (room for room in page if room.unique_name == unique_name)
    except PaginationError:
        if not rooms:
            raise
    return tuple(rooms)


def is_same_setting(actual: object, wanted: object) -> bool:
    """Return whether a setting of a room is as requested.

    A flag that is null is off. A URL that is not set can be null or empty. Zero seconds are not null.
    """
    if isinstance(wanted, bool):
        return bool(actual) is wanted
    return actual == wanted or (actual in (None, "") and wanted in (None, ""))


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
    request again. The look-up then begins after that time, and its first answer decides. A taken name is an
    error unless an earlier request may have taken it.
    """

    api: ApiSession
    body: RoomBody
    on_lost_response: OnLostResponse
    since: float | None

    async def run(self, call: Call[Room], context: CallContext) -> Room:
        """Create the room, or raise `OutcomeUnknownError` if it stays unknown whether it was created."""
        matches: tuple[Room, ...] | None = None
        cause: BaseException | None = None
        for is_last in (False, True):
            name_taken: NameTakenError | None = None
            try:
                return await self.api.send_with_retries(call, context)
            except OutcomeUnknownError as error:
                if self.on_lost_response == "raise" or call.unique_name is None:
                    raise
                cause = error.__cause__
            except NameTakenError as error:
                if not is_last and self.since is None:
                    raise
                cause = name_taken = error
            except Exception as error:  # of a function of the user too
                if not is_last:
                    raise
                cause = error  # of the second request: the outcome of the first is still open
                break
            retry_after = None if is_last else self._retry_after(cause, context)
            matches = await self._look_up(call.unique_name or "", context, retry_after, name_taken)
            if matches or name_taken is not None or is_last or not self._may_resend(matches, context):
                break
        if matches and len(matches) == 1:
            logger.warning("POST /rooms: the room was created, and is found")
            return matches[0]
        room_ids = tuple(room.id for room in matches or ())
        raise OutcomeUnknownError(
            call.endpoint.operation, call.unique_name, context.attempts, room_ids
        ) from cause

    def _may_resend(self, matches: tuple[Room, ...] | None, context: CallContext) -> bool:
        is_wanted = self.on_lost_response == "find_then_resend" or matches is not None
        return is_wanted and not self._is_too_late(0.0, context) and self._pay(context)

    def _retry_after(self, cause: BaseException | None, context: CallContext) -> float | None:
        """Return after how many seconds a 503 response asks for the request again, if that is possible."""
        policy = self.api.retry
        if not isinstance(cause, APIStatusError) or cause.status_code != _SERVICE_UNAVAILABLE:
            return None
        hint = cause.retry_after
        if hint is None or hint > policy.retry_after_max or policy.max_attempts <= 1:
            return None
        hint += self.api.clock.random() * policy.retry_after_jitter
        return None if self._is_too_late(hint, context) else hint

    async def _look_up(
        self,
        unique_name: str,
        context: CallContext,
        retry_after: float | None,
        name_taken: NameTakenError | None,
    ) -> tuple[Room, ...] | None:
        """Return the rooms that may be the result; None if there may still be one that is not listed yet.

        Raises `name_taken` if there are rooms of the name, but none of them can be the result, and
        `OutcomeUnknownError` if there is no answer because a function of the user failed.
        """
        logger.warning("POST /rooms: the response was lost; looking for the room by its name")
        api = self.api
        api.server_clock.read()  # the next response may have no date, or an unreadable one
        once = evolve(api, retry=_NO_RETRIES)
        has_namesakes = False
        first, *others = LOOK_UP_DELAYS
        for delay in (max(first, retry_after or 0.0), *others):
            # While all calls are paused beyond the deadline, a look-up could not be sent.
            pause = max(delay, api.rate_limiter.delay() or 0.0)
            if self._is_too_late(pause, context) or not self._pay(context):
                break
            await api.clock.sleep(delay)
            try:
                rooms = await find_rooms(unique_name, lambda call: once.send_with_retries(call, context))
            except (APIConnectionError, APIResponseError, APIStatusError, PaginationError):
                continue
            except Exception as error:  # such as of the function for the API key
                attempts = context.attempts
                raise OutcomeUnknownError(CREATE_ROOM.operation, unique_name, attempts) from error
            matches = self.matches(rooms, context.started)
            if matches or retry_after is not None:
                return matches
            has_namesakes = has_namesakes or bool(rooms)
        if has_namesakes and name_taken is not None:
            raise name_taken
        return None

    def matches(self, rooms: tuple[Room, ...], started: float) -> tuple[Room, ...]:
        """Return those of the rooms of the requested name that may be the result of this call.

        The call was started at `started` by the monotonic clock, or by an earlier process at `since`.
        """
        clock, span, settings = self.api.clock, self.api.server_clock.span, body_fields(self.body)
        monotonic, local = clock.monotonic(), clock.now()
        if self.since is None:
            earliest, latest = span(started, monotonic, local)
        else:
            # Before its first response the earlier process had only its local clock, assumed to be as wrong
            # as this one. Whether `since` is a local or a server time is unknown: the earlier of them counts.
            earliest, latest = span(monotonic - (local - self.since), monotonic, local)
            earliest = min(earliest, self.since - LOCAL_SKEW)
        return tuple(
            room
            for room in rooms
            if room.created_at is not None
            and earliest <= room.created_at.timestamp() <= latest
            and all(is_same_setting(getattr(room, name), value) for name, value in settings.items())
        )

    def _is_too_late(self, delay: float, context: CallContext) -> bool:
        return self.api.clock.monotonic() + delay >= context.deadline

    def _pay(self, context: CallContext) -> bool:
        """Pay for another request as for a retry, so that an outage is not met with more load."""
        api = self.api
        if api.budget.take(api.retry.retry_cost, api.clock.monotonic()):
            context.spent += api.retry.retry_cost
            return True
        *before, last = context.attempts
        context.attempts = (*before, evolve(last, budget_exhausted=True))
        return False
