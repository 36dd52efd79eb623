"""Raw responses: the value of a call together with the HTTP response that it came from."""

from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, Generic, ParamSpec, TypeVar, cast

from attrs import evolve, field, frozen

from telnyx_rooms_async.core.http_messages import Headers, Response
from telnyx_rooms_async.core.secret import HiddenValue, without_async_frames
from telnyx_rooms_async.errors import Attempt
from telnyx_rooms_async.http.api_session import ApiSession, CallContext
from telnyx_rooms_async.models import Identified, Page
from telnyx_rooms_async.pagination import Listing
from telnyx_rooms_async.resources.compositions import Compositions
from telnyx_rooms_async.resources.recordings import Recordings
from telnyx_rooms_async.resources.rooms import Rooms
from telnyx_rooms_async.resources.sessions import Participants, Sessions
from telnyx_rooms_async.resources.tokens import Tokens

P = ParamSpec("P")
T = TypeVar("T")
Item = TypeVar("Item", bound=Identified)


@frozen(kw_only=True)
class APIResponse(Generic[T]):
    """The value of a call, and the response that it came from: the last one, if there were several.

    Example:
        >>> response = await client.with_raw_response.rooms.retrieve(room_id)
        >>> response.value.unique_name, response.status_code, response.headers["Content-Type"]
        ('Weekly', 200, 'application/json')
    """

    value: T
    """What the call returns without ``with_raw_response``; of a list, its first page."""
    status_code: int
    """Status of the response: 200, for example."""
    headers: Headers = field(hash=False)
    """Names are found in any case; ``headers.raw`` has repeated headers too."""
    request_id: str | None
    """Telnyx's id of the request, for its support."""
    attempts: tuple[Attempt, ...]
    """All requests of the call, the last one included."""
    elapsed: float
    """Seconds that the call took, delays and waits for the rate limit included."""


class RawResponses:
    """The operations of the API, which return an `APIResponse`: ``client.with_raw_response``."""

    def __init__(self, api: ApiSession) -> None:
        self.rooms: RawRooms = RawRooms(Rooms(api))
        self.sessions: RawSessions = RawSessions(Sessions(api))
        self.participants: RawParticipants = RawParticipants(Participants(api))
        self.recordings: RawRecordings = RawRecordings(Recordings(api))
        self.compositions: RawCompositions = RawCompositions(Compositions(api))
        self.tokens: RawTokens = RawTokens(Tokens(api))


def _raw(method: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, APIResponse[T]]]:
    return cast("Callable[P, Coroutine[Any, Any, APIResponse[T]]]", partial(_start, method))


def _raw_list(
    method: Callable[P, Listing[Item]],
) -> Callable[P, Coroutine[Any, Any, APIResponse[Page[Item]]]]:
    return cast("Callable[P, Coroutine[Any, Any, APIResponse[Page[Item]]]]", partial(_start, method))


class RawRooms:
    """Operations of `Rooms`."""

    def __init__(self, rooms: Rooms) -> None:
        self.list = _raw_list(rooms.list)
        self.create = _raw(rooms.create)
        self.retrieve = _raw(rooms.retrieve)
        self.update = _raw(rooms.update)
        self.delete = _raw(rooms.delete)
        self.sessions = _raw_list(rooms.sessions)


class RawSessions:
    """Operations of `Sessions`."""

    def __init__(self, sessions: Sessions) -> None:
        self.list = _raw_list(sessions.list)
        self.retrieve = _raw(sessions.retrieve)
        self.participants = _raw_list(sessions.participants)
        self.end = _raw(sessions.end)
        self.kick = _raw(sessions.kick)
        self.mute = _raw(sessions.mute)
        self.unmute = _raw(sessions.unmute)


class RawParticipants:
    """Operations of `Participants`."""

    def __init__(self, participants: Participants) -> None:
        self.list = _raw_list(participants.list)
        self.retrieve = _raw(participants.retrieve)


class RawRecordings:
    """Operations of `Recordings`."""

    def __init__(self, recordings: Recordings) -> None:
        self.list = _raw_list(recordings.list)
        self.retrieve = _raw(recordings.retrieve)
        self.delete = _raw(recordings.delete)
        self.delete_matching = _raw(recordings.delete_matching)


class RawCompositions:
    """Operations of `Compositions`."""

    def __init__(self, compositions: Compositions) -> None:
        self.list = _raw_list(compositions.list)
        self.create = _raw(compositions.create)
        self.retrieve = _raw(compositions.retrieve)
        self.delete = _raw(compositions.delete)


class RawTokens:
    """Operations of `Tokens`."""

    def __init__(self, tokens: Tokens) -> None:
        self.create = _raw(tokens.create)
        self.refresh = _raw(tokens.refresh)


# Not a coroutine function: a task that is cancelled before it starts keeps the arguments in its frame.
def _start(method: Any, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, APIResponse[Any]]:  # noqa: ANN401 - any method
    return _call(method.__self__, method.__func__, HiddenValue((args, kwargs)))


@without_async_frames
async def _call(resource: Any, function: Any, arguments: HiddenValue) -> APIResponse[Any]:  # noqa: ANN401 - any method
    api: ApiSession = resource._api  # noqa: SLF001 - of this package
    started = api.clock.monotonic()
    contexts: list[CallContext] = []
    args, kwargs = arguments.value
    result: Any = function(type(resource)(evolve(api, on_call=contexts.append)), *args, **kwargs)
    is_list = isinstance(result, Listing)
    value: Any = await (cast("Listing[Any]", result).page(1) if is_list else result)
    context = contexts[-1]
    response = context.response or Response(status=0)
    return APIResponse(
        value=value,
        status_code=response.status,
        headers=response.headers,
        request_id=response.request_id,
        attempts=context.attempts,
        elapsed=api.clock.monotonic() - started,
    )
