"""Faults of requests and webhooks, the rules that select them, rate limits, and injection into requests."""

import asyncio
import os
import re
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from http import HTTPStatus
from math import ceil, inf
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar, get_args

from aiohttp import web
from attrs import Attribute, define, field, frozen
from attrs.validators import optional

from telnyx_rooms_async.core.endpoints import ENDPOINTS
from telnyx_rooms_async.emulator.events import EventType, WebhookEvent
from telnyx_rooms_async.emulator.messages import RecordedRequest, api_error, json_response
from telnyx_rooms_async.serialization import encode_json

Cut: TypeAlias = Literal["before", "after", "headers", "body"]
Body: TypeAlias = bytes | str | Mapping[str, object] | Sequence[object]
When: TypeAlias = Callable[[RecordedRequest], bool]
WhenEvent: TypeAlias = Callable[[WebhookEvent], bool]
Sleep: TypeAlias = Callable[[float], Awaitable[object]]
_Validator: TypeAlias = Callable[[Any, "Attribute[Any]", Any], None]

DOWNLOAD: Final = "download"
"""Operation id of the download of a file, which is not part of the Video API."""
PUBLIC_KEY: Final = "public_key"
"""Operation id of the public key, which is not part of the Video API."""

_OPERATIONS: Final = (DOWNLOAD, PUBLIC_KEY, *(endpoint.operation for endpoint in ENDPOINTS))
_CUTS: Final = get_args(Cut)
_MAX: Final = 10**9
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\ud7ff\ue000-\U0010ffff]*")
# Windows has another struct linger.
_LINGER_OFF: Final = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


# --- validators and converters of fields ------------------------------------------------------------------


def _validator(expected: str, is_valid: Callable[[Any], bool]) -> _Validator:
    def validate(_: object, attribute: "Attribute[Any]", value: object) -> None:
        if not is_valid(value):
            raise ValueError(f"{attribute.name} must be {expected}, not {value!r}")

    return validate


def _integer(low: int, high: int) -> _Validator:
    return _validator(
        f"an integer from {low} to {high}", lambda value: type(value) is int and low <= value <= high
    )


def _seconds(high: float, *, zero: bool = True) -> _Validator:
    return _validator(
        f"a number of seconds, {'0 or more' if zero else 'above 0'} and up to {high}",
        lambda value: type(value) in (int, float) and 0 <= value <= high and (zero or value > 0),
    )


_boolean: Final = _validator("true or false", lambda value: isinstance(value, bool))


def _encode_body(body: Body | None) -> bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    if isinstance(body, bytearray):
        return bytes(body)
    try:
        return body.encode() if isinstance(body, str) else encode_json(body)
    except (TypeError, ValueError):
        raise ValueError("body must be bytes, text, or an object or array of JSON") from None


def _copy_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    try:
        if all(_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(headers[name]) for name in headers):
            return dict(headers)
    except TypeError:
        pass  # not a mapping of text
    raise ValueError(f"headers must be names and values that HTTP allows, not {headers!r}")


# --- faults -----------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class Fault:
    """What goes wrong with a request. ``Fault()`` is no fault: requests pass, and use up its `times`.

    Raises:
        ValueError: a field is not valid, or contradicts another one.

    Example:
        >>> telnyx.inject(Fault(status=503, retry_after=2), operation="CreateRoom", times=2)
    """

    status: int | None = field(default=None, validator=optional(_integer(200, 599)))
    """Status of the response, from 200 to 599. The operation is not carried out unless `after` is set."""
    body: bytes | None = field(default=None, converter=_encode_body)
    """Body of the response: bytes, text, or an object or array that is encoded as JSON. Without `status` it
    replaces the body of a success. Without `body` a status from 400 on has the documented body."""
    headers: Mapping[str, str] = field(factory=dict[str, str], converter=_copy_headers)
    """Headers of the response; they replace those of the same name."""
    retry_after: int | None = field(default=None, validator=optional(_integer(0, _MAX)))
    """Seconds for the header ``Retry-After``."""
    cut: Cut | None = field(
        default=None, validator=optional(_validator(f"one of {', '.join(_CUTS)}", _CUTS.__contains__))
    )
    """Where the connection is closed: ``"before"`` the operation is carried out; ``"after"`` it, without a
    response; in the ``"headers"`` of the response; in its ``"body"``, or in the headers if it has no body."""
    reset: bool = field(default=False, validator=_boolean)
    """Whether `cut` sends a reset (RST) instead of an orderly end (FIN)."""
    delay: float = field(default=0.0, validator=_seconds(inf))
    """Seconds before the operation, or after it if `after` is set; ``math.inf`` for no end. The operation is
    carried out even if the client has closed the connection meanwhile."""
    after: bool = field(default=False, validator=_boolean)
    """Whether the operation is carried out first, before `delay` and `status`."""

    def __attrs_post_init__(self) -> None:
        if self.reset and self.cut is None:
            raise ValueError("reset needs cut, which says where the connection is closed")
        if self.after and self.cut == "before":
            raise ValueError('after contradicts cut="before", which carries nothing out')
        if self.cut in ("before", "after"):
            for name in ("status", "body", "headers", "retry_after"):
                if getattr(self, name) not in (None, {}):
                    raise ValueError(f'{name} contradicts cut="{self.cut}", which sends no response')

    @property
    def runs_operation(self) -> bool:
        """Whether the operation is carried out, before or after the delay."""
        return self.after or (self.status is None and self.cut != "before")

    @property
    def response_headers(self) -> Mapping[str, str]:
        """Headers that are set in the response."""
        retry_after = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return {**retry_after, **self.headers}


@frozen(kw_only=True)
class WebhookFault:
    """What goes wrong with an event. ``WebhookFault()`` is no fault: events pass, and use up its `times`.

    Raises:
        ValueError: a field is not valid, or contradicts another one.

    Example:
        >>> fault = WebhookFault(dropped=True)
        >>> telnyx.inject_webhook_faults(fault, event_type="video.room.participant.left")
    """

    dropped: bool = field(default=False, validator=_boolean)
    """Whether the event is never sent."""
    duplicates: int = field(default=0, validator=_integer(0, 999))
    """Number of further copies, sent one after the other whatever the receiver answers: 0 to 999."""
    delay: float = field(default=0.0, validator=_seconds(_MAX))
    """Seconds before the event and each copy are sent. Later events are not delayed."""
    reordered: bool = field(default=False, validator=_boolean)
    """Whether the event and its copies are held back, together with other reordered events, until there was
    no event for 0.1 s or until `Emulator.flush_webhooks`. Their order is random, and the same in each run."""

    def __attrs_post_init__(self) -> None:
        for name in ("duplicates", "delay", "reordered"):
            if self.dropped and getattr(self, name):
                raise ValueError(f"{name} contradicts dropped, which sends nothing")


# --- rules ------------------------------------------------------------------------------------------------


FaultT = TypeVar("FaultT")
SubjectT = TypeVar("SubjectT")


@define(kw_only=True, eq=False)
class _Rule(Generic[FaultT, SubjectT]):
    fault: FaultT
    times: int | None = field(validator=optional(_integer(1, _MAX)))
    """How many requests or events are left; ``None`` for all."""
    name: str | None
    """Operation id or event type; ``None`` for all, except downloads."""
    when: Callable[[SubjectT], bool] | None = None

    def matches(self, name: str, subject: SubjectT) -> bool:
        is_for_name = self.name == name or (self.name is None and name != DOWNLOAD)
        return is_for_name and (self.when is None or self.when(subject))


@define(kw_only=True, eq=False)
class FaultRule(_Rule[Fault, RecordedRequest]):
    """A fault for the next requests that match."""

    def __attrs_post_init__(self) -> None:
        if self.name not in (None, *_OPERATIONS):
            expected = f'an operation id of the API reference, "{DOWNLOAD}" or "{PUBLIC_KEY}"'
            raise ValueError(f"operation must be {expected}, not {self.name!r}")
        fault = self.fault
        needs_response = fault.after or (fault.runs_operation and (fault.cut or fault.body is not None))
        if self.name == DOWNLOAD and needs_response:
            raise ValueError(
                f'operation "{DOWNLOAD}" only takes faults before a file is sent; '
                "to cut a file, set cut_after of its MediaFile"
            )


@define(kw_only=True, eq=False)
class WebhookFaultRule(_Rule[WebhookFault, WebhookEvent]):
    """A fault for the next events that match."""

    def __attrs_post_init__(self) -> None:
        if self.name not in (None, *EventType):
            raise ValueError(f"event_type must be an event type of Telnyx Video, not {self.name!r}")


class RuleList(list[_Rule[FaultT, SubjectT]]):
    """Rules in the order in which they were added."""

    def take(self, name: str, subject: SubjectT) -> FaultT | None:
        """Return the fault of the first rule that matches, and use it up by one."""
        rule = next((rule for rule in self if rule.matches(name, subject)), None)
        if rule is None:
            return None
        if rule.times == 1:
            self.remove(rule)
        elif rule.times is not None:
            rule.times -= 1
        return rule.fault


@define(kw_only=True)
class RateLimit:
    """A number of requests in a fixed window, which the first request after its end opens again."""

    requests: int = field(validator=_integer(0, _MAX))
    seconds: float = field(validator=_seconds(_MAX, zero=False))
    _window_start: datetime | None = field(default=None, init=False)
    _used: int = field(default=0, init=False)

    def count(self, now: datetime) -> tuple[bool, Mapping[str, str]]:
        """Count a request; return whether it is within the limit, and the headers of its response."""
        length = timedelta(seconds=self.seconds)
        start = self._window_start
        # A clock that was set back opens a window too: the old one could last for long.
        if start is None or not start <= now < start + length:
            self._window_start = start = now
            self._used = 0
        self._used += 1
        reset = str(ceil((start + length - now).total_seconds()))
        headers = {
            "x-ratelimit-limit": str(self.requests),
            "x-ratelimit-remaining": str(max(self.requests - self._used, 0)),
            "x-ratelimit-reset": reset,
        }
        if self._used > self.requests:
            return False, {**headers, "Retry-After": reset}
        return True, headers


# --- injection into requests ------------------------------------------------------------------------------


@define(eq=False)
class FaultInjector:
    """Applies faults to requests, and ends all delays when the emulator closes."""

    _sleep: Sleep
    _sleeping: set[asyncio.Task[object]] = field(factory=set["asyncio.Task[object]"], init=False)

    async def apply(
        self, fault: Fault, request: web.Request, respond: Callable[[], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Apply a fault to a request that `respond` carries out, and return the response to send."""
        response: web.StreamResponse | None = None
        if fault.after:
            response = await respond()
        if fault.delay:
            await self._delay(fault.delay)
        if response is None and fault.runs_operation:
            response = await respond()
        if fault.status is not None or fault.body is not None:
            status = fault.status or (HTTPStatus.OK if response is None else response.status)
            if fault.body is None and status >= HTTPStatus.BAD_REQUEST:
                response = api_error(status, "This error was injected by a Fault of the emulator.").response()
            else:
                response = json_response(status, fault.body)
        if response is None:
            response = web.Response()  # is not sent: the connection is closed
        if fault.cut is not None:
            await _cut_connection(fault, request, response)
        return response

    async def close(self, _: web.Application) -> None:
        """Cancel all requests that are delayed."""
        # aiohttp waits for requests of connected clients, and never cancels those of disconnected ones.
        sleeping = set(self._sleeping)
        for task in sleeping:
            task.cancel()
        await asyncio.gather(*sleeping, return_exceptions=True)

    async def _delay(self, seconds: float) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in a task
        self._sleeping.add(task)
        try:
            await self._sleep(seconds)
        finally:
            self._sleeping.discard(task)


async def _cut_connection(fault: Fault, request: web.Request, response: web.StreamResponse) -> None:
    content = response.body if isinstance(response, web.Response) else None
    with suppress(ConnectionError):  # the client may have closed the connection during the delay
        if fault.cut == "body" and isinstance(content, bytes):
            await response.prepare(request)
            await response.write(content[: len(content) // 2])
        elif fault.cut in ("headers", "body") and request.transport is not None:
            request.transport.write(f"HTTP/1.1 {response.status} {response.reason}\r\nContent-Ty".encode())
    transport = request.transport
    if transport is not None and fault.reset:
        # Without lingering, closing the socket sends RST; abort() alone sends FIN.
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_OFF)
        transport.abort()
    elif transport is not None:
        transport.close()
