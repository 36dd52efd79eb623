"""Raw responses: the value of a call together with the HTTP response that it came from."""

from collections.abc import Awaitable, Callable, Coroutine
from functools import partial, update_wrapper
from typing import Any, Final, ParamSpec, TypeVar, cast

from attrs import evolve

from telnyx_rooms_async.core.http_messages import Response
from telnyx_rooms_async.core.secret import HiddenValue, without_async_frames
from telnyx_rooms_async.http.api_session import ApiSession, CallContext
from telnyx_rooms_async.models import Identified, Page
from telnyx_rooms_async.pagination import Listing
from telnyx_rooms_async.resources.compositions import Compositions
from telnyx_rooms_async.resources.recordings import Recordings
from telnyx_rooms_async.resources.results import APIResponse
from telnyx_rooms_async.resources.rooms import Rooms
from telnyx_rooms_async.resources.sessions import Participants, Sessions
from telnyx_rooms_async.resources.tokens import Tokens

P = ParamSpec("P")
T = TypeVar("T")
Item = TypeVar("Item", bound=Identified)


class RawResponses:
    """The operations of the API, which return an `APIResponse`: ``client.with_raw_response``.

    Example:
        >>> response = await client.with_raw_response.rooms.retrieve(room_id)
        >>> response.status_code, response.value.unique_name
        (200, 'Weekly')
    """

    def __init__(self, api: ApiSession) -> None:
        self.rooms: RawRooms = RawRooms(Rooms(api))
        self.sessions: RawSessions = RawSessions(Sessions(api))
        self.participants: RawParticipants = RawParticipants(Participants(api))
        self.recordings: RawRecordings = RawRecordings(Recordings(api))
        self.compositions: RawCompositions = RawCompositions(Compositions(api))
        self.tokens: RawTokens = RawTokens(Tokens(api))


def _raw(method: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, APIResponse[T]]]:
    return _wrapper(method)


def _raw_list(
    method: Callable[P, Listing[Item]],
) -> Callable[P, Coroutine[Any, Any, APIResponse[Page[Item]]]]:
    return _wrapper(method)


def _wrapper(method: Callable[..., Any]) -> Callable[..., Any]:
    # `help` and notebooks show the arguments and the docstring of the method.
    return update_wrapper(partial(_start, method), method)


class RawRooms:
    """Operations of `Rooms`."""

    def __init__(self, rooms: Rooms) -> None:
        self.list: Final = _raw_list(rooms.list)
        self.create: Final = _raw(rooms.create)
        self.retrieve: Final = _raw(rooms.retrieve)
        self.update: Final = _raw(rooms.update)
        self.delete: Final = _raw(rooms.delete)
        self.sessions: Final = _raw_list(rooms.sessions)


class RawSessions:
    """Operations of `Sessions`."""

    def __init__(self, sessions: Sessions) -> None:
        self.list: Final = _raw_list(sessions.list)
        self.retrieve: Final = _raw(sessions.retrieve)
        self.participants: Final = _raw_list(sessions.participants)
        self.end: Final = _raw(sessions.end)
        self.kick: Final = _raw(sessions.kick)
        self.mute: Final = _raw(sessions.mute)
        self.unmute: Final = _raw(sessions.unmute)


class RawParticipants:
    """Operations of `Participants`."""

    def __init__(self, participants: Participants) -> None:
        self.list: Final = _raw_list(participants.list)
        self.retrieve: Final = _raw(participants.retrieve)


class RawRecordings:
    """Operations of `Recordings`."""

    def __init__(self, recordings: Recordings) -> None:
        self.list: Final = _raw_list(recordings.list)
        self.retrieve: Final = _raw(recordings.retrieve)
        self.delete: Final = _raw(recordings.delete)
        self.delete_matching: Final = _raw(recordings.delete_matching)


class RawCompositions:
    """Operations of `Compositions`."""

    def __init__(self, compositions: Compositions) -> None:
        self.list: Final = _raw_list(compositions.list)
        self.create: Final = _raw(compositions.create)
        self.retrieve: Final = _raw(compositions.retrieve)
        self.delete: Final = _raw(compositions.delete)


class RawTokens:
    """Operations of `Tokens`."""

    def __init__(self, tokens: Tokens) -> None:
        self.create: Final = _raw(tokens.create)
        self.refresh: Final = _raw(tokens.refresh)


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
