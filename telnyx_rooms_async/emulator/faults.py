"""Faults of requests and webhooks, the rules that inject them, and a shorthand for tests. No HTTP."""

import re
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Any, Final, Generic, Literal, Protocol, TypeAlias, TypeVar, cast, get_args

from attrs import Attribute, define, field, frozen

from telnyx_rooms_async.core.endpoints import ENDPOINTS
from telnyx_rooms_async.emulator.request_log import RecordedRequest
from telnyx_rooms_async.emulator.webhooks.event_factory import EventType, WebhookEvent
from telnyx_rooms_async.serialization import encode_json

Cut: TypeAlias = Literal["before", "after", "headers", "body"]
Body: TypeAlias = bytes | str | Mapping[str, object] | Sequence[object]
When: TypeAlias = Callable[[RecordedRequest], bool]
WhenEvent: TypeAlias = Callable[[WebhookEvent], bool]

DOWNLOAD: Final = "download"
"""Operation id of the download of a file, which is not part of the Video API."""
PUBLIC_KEY: Final = "public_key"
"""Operation id of the public key, which is not part of the Video API."""

_OPERATIONS: Final = (DOWNLOAD, PUBLIC_KEY, *(endpoint.operation for endpoint in ENDPOINTS))
_CUTS: Final = get_args(Cut)
_MAX: Final = 10**9
_MAX_COPIES: Final = 1000
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\ud7ff\ue000-\U0010ffff]*")


# --- validators -------------------------------------------------------------------------------------------

_Validator: TypeAlias = Callable[[object, "Attribute[Any]", object], None]


def validator(expected: str, is_valid: Callable[[object], bool]) -> _Validator:
    """Return an attrs validator that raises `ValueError` with the name of the field."""

    def validate(_: object, attribute: "Attribute[Any]", value: object) -> None:
        if not is_valid(value):
            raise ValueError(f"{attribute.name} must be {expected}, not {value!r}")

    return validate


def is_integer(value: object, low: int, high: int) -> bool:
    """Return whether a value is an integer in a range; a boolean is not."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def is_number(value: object, low: float, high: float) -> bool:
    """Return whether a value is a number in a range; a boolean and NaN are not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


_boolean: Final = validator("true or false", lambda value: isinstance(value, bool))
_times: Final = validator(
    "an integer of 1 or more, or none for all", lambda value: value is None or is_integer(value, 1, _MAX)
)


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
    untyped = cast("object", headers)  # from a fault file, it can be anything
    if isinstance(untyped, Mapping):
        items = cast("Mapping[object, object]", untyped).items()
        if all(_is_header(name, value) for name, value in items):
            return dict(headers)
    raise ValueError(f"headers must be names and values that HTTP allows, not {headers!r}")


def _is_header(name: object, value: object) -> bool:
    return (
        isinstance(name, str)
        and isinstance(value, str)
        and bool(_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value))
    )


# --- faults -----------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class Fault:
    """What goes wrong with a request. ``Fault()`` is no fault: requests pass, and use up its `times`.

    Raises:
        ValueError: a field is not valid, or contradicts another one.

    Example:
        ``telnyx.script(Fault(status=503, retry_after=2), operation="CreateRoom", times=2)``
    """

    status: int | None = field(
        default=None,
        validator=validator(
            "an integer from 200 to 599", lambda value: value is None or is_integer(value, 200, 599)
        ),
    )
    """Status of the response, from 200 to 599. The operation is not carried out unless `after` is set."""
    body: bytes | None = field(default=None, converter=_encode_body)
    """Body of the response: bytes, text, or an object or array that is encoded as JSON. Without `status` it
    replaces the body of a success. Without `body` a status from 400 on has the documented body."""
    headers: Mapping[str, str] = field(factory=dict[str, str], converter=_copy_headers)
    """Headers of the response; they replace those of the same name."""
    retry_after: int | None = field(
        default=None,
        validator=validator(
            f"an integer of seconds from 0 to {_MAX}",
            lambda value: value is None or is_integer(value, 0, _MAX),
        ),
    )
    """Seconds for the header ``Retry-After``."""
    cut: Cut | None = field(
        default=None,
        validator=validator(f"one of {', '.join(_CUTS)}", lambda value: value is None or value in _CUTS),
    )
    """Where the connection is closed: ``"before"`` the operation is carried out; ``"after"`` it, without a
    response; in the ``"headers"`` of the response; in its ``"body"``, or in the headers if it has no body."""
    reset: bool = field(default=False, validator=_boolean)
    """Whether `cut` sends a reset (RST) instead of an orderly end (FIN)."""
    delay: float = field(
        default=0.0,
        validator=validator("a number of seconds, 0 or more", lambda value: is_number(value, 0, inf)),
    )
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
        ``telnyx.script_webhooks(WebhookFault(lost=True), event_type="video.room.participant.left")``
    """

    lost: bool = field(default=False, validator=_boolean)
    """Whether the event is never sent."""
    copies: int = field(
        default=1,
        validator=validator(
            f"an integer from 1 to {_MAX_COPIES}", lambda value: is_integer(value, 1, _MAX_COPIES)
        ),
    )
    """How often the event is sent, one after the other, whatever the receiver answers."""
    delay: float = field(
        default=0.0,
        validator=validator(f"a number of seconds from 0 to {_MAX}", lambda value: is_number(value, 0, _MAX)),
    )
    """Seconds before each copy is sent. Later events are not delayed."""
    shuffled: bool = field(default=False, validator=_boolean)
    """Whether the copies are held back, together with those of other shuffled events, until there was no
    event for 0.1 s or until `Emulator.settle`. Their order is random, and the same in each run."""

    def __attrs_post_init__(self) -> None:
        contradictions = {"copies": self.copies > 1, "delay": self.delay > 0, "shuffled": self.shuffled}
        for name, is_set in contradictions.items():
            if self.lost and is_set:
                raise ValueError(f"{name} contradicts lost, which sends nothing")


# --- rules ------------------------------------------------------------------------------------------------


@define(kw_only=True, eq=False)
class FaultRule:
    """A fault for the next requests that match.

    Raises:
        ValueError: a field is not valid.
    """

    fault: Fault
    times: int | None = field(default=1, validator=_times)
    """How many requests are left; ``None`` for all."""
    operation: str | None = field(
        default=None,
        validator=validator(
            f'an operation id of the API reference, "{DOWNLOAD}" or "{PUBLIC_KEY}"',
            lambda value: value is None or value in _OPERATIONS,
        ),
    )
    when: When | None = None

    def __attrs_post_init__(self) -> None:
        fault = self.fault
        needs_response = fault.after or (fault.runs_operation and (fault.cut or fault.body is not None))
        if self.operation == DOWNLOAD and needs_response:
            raise ValueError(
                f'operation "{DOWNLOAD}" only takes faults before a file is sent; '
                "to cut a file, set cut_after of its MediaFile"
            )

    def matches(self, operation: str, request: RecordedRequest) -> bool:
        """Return whether the fault is for a request."""
        is_for_operation = operation == self.operation or (self.operation is None and operation != DOWNLOAD)
        return is_for_operation and (self.when is None or self.when(request))


@define(kw_only=True, eq=False)
class WebhookFaultRule:
    """A fault for the next events that match.

    Raises:
        ValueError: a field is not valid.
    """

    fault: WebhookFault
    times: int | None = field(default=1, validator=_times)
    """How many events are left; ``None`` for all."""
    event_type: str | None = field(
        default=None,
        validator=validator(
            "an event type of Telnyx Video", lambda value: value is None or value in tuple(EventType)
        ),
    )
    when: WhenEvent | None = None

    def matches(self, event: WebhookEvent) -> bool:
        """Return whether the fault is for an event."""
        return self.event_type in (None, event.event_type) and (self.when is None or self.when(event))


RuleT = TypeVar("RuleT", FaultRule, WebhookFaultRule)


class RuleList(list[RuleT], Generic[RuleT]):
    """Rules in the order in which they were added."""

    def take(self, matches: Callable[[RuleT], bool]) -> RuleT | None:
        """Return the first rule that matches, and use it up by one."""
        rule = next(filter(matches, self), None)
        if rule is not None and rule.times == 1:
            self.remove(rule)
        elif rule is not None and rule.times is not None:
            rule.times -= 1
        return rule


# --- shorthand for tests ----------------------------------------------------------------------------------


class _FaultTarget(Protocol):
    """The part of an `Emulator` that `Faults` uses."""

    @property
    def scripted(self) -> tuple[Fault, ...]: ...

    def script(self, fault: Fault, *, times: int | None = 1, operation: str | None = None) -> None: ...


@define(eq=False)
class Faults:
    """Shorthand to inject the most common faults into an `Emulator`.

    Each method takes an operation id of the API reference (``"CreateRoom"``), ``None`` for every operation,
    and returns the `Fault`. With ``times=None`` all requests get the fault until `Emulator.unscript`.

    Example:
        ``Faults(telnyx).refuse(503, "CreateRoom", retry_after=2)``
    """

    telnyx: _FaultTarget = field(repr=False)
    _expected: list[Fault] = field(factory=list[Fault], init=False, repr=False)

    def refuse(
        self,
        status: int,
        operation: str | None = None,
        *,
        body: Body | None = None,
        retry_after: int | None = None,
        times: int | None = 1,
    ) -> Fault:
        """Answer with a status, and do not carry the operation out.

        Args:
            status: from 200 to 599.
            operation: operation id.
            body: bytes, text, or an object or array of JSON; the documented body by default.
            retry_after: seconds for the header ``Retry-After``.
            times: for how many requests.

        Raises:
            ValueError: an argument is not valid.
        """
        fault = Fault(status=status, body=body, retry_after=retry_after)  # the converter takes any body
        return self._script(fault, operation, times)

    def lose(self, operation: str | None = None, *, times: int | None = 1) -> Fault:
        """Carry the operation out, and close the connection without a response.

        Raises:
            ValueError: an argument is not valid.
        """
        return self._script(Fault(cut="after"), operation, times)

    def drop(self, operation: str | None = None, *, times: int | None = 1) -> Fault:
        """Close the connection, and do not carry the operation out.

        Raises:
            ValueError: an argument is not valid.
        """
        return self._script(Fault(cut="before"), operation, times)

    def delay(self, seconds: float, operation: str | None = None, *, times: int | None = 1) -> Fault:
        """Carry the operation out after some seconds, ``math.inf`` for never, and answer then.

        Raises:
            ValueError: an argument is not valid.
        """
        return self._script(Fault(delay=seconds), operation, times)

    @property
    def unmet(self) -> tuple[Fault, ...]:
        """Faults from here whose number of requests did not arrive."""
        pending = {id(fault) for fault in self.telnyx.scripted}
        return tuple(fault for fault in self._expected if id(fault) in pending)

    def _script(self, fault: Fault, operation: str | None, times: int | None) -> Fault:
        self.telnyx.script(fault, operation=operation, times=times)
        if times is not None:
            self._expected.append(fault)
        return fault
