"""Shorthands to inject faults: the most common ones by methods, and any of them from a JSON file."""

from typing import Any, Final

from attrs import define, field, frozen

from telnyx_rooms_async.emulator.faults import Body, Fault, FaultRule, RateLimit
from telnyx_rooms_async.emulator.server import Emulator
from telnyx_rooms_async.serialization import DecodeError, make_converter


@define(eq=False)
class Faults:
    """Shorthand to inject the most common faults into an `Emulator`.

    Each method takes an operation id of the API reference (``"CreateRoom"``), ``None`` for every operation,
    and returns the `Fault`. With ``times=None`` all requests get the fault until `Emulator.clear_faults`. An
    invalid argument raises `ValueError`.

    Example:
        >>> fault = Faults(telnyx).respond(503, "CreateRoom", retry_after=2)
    """

    telnyx: Emulator = field(repr=False)
    """The emulator."""
    _expected: list[Fault] = field(factory=list[Fault], init=False, repr=False)

    def respond(
        self,
        status: int,
        operation: str | None = None,
        *,
        body: Body | None = None,
        retry_after: int | None = None,
        times: int | None = 1,
    ) -> Fault:
        """Answer with a status, and with the documented body by default; do not carry the operation out."""
        fault = Fault(status=status, body=body, retry_after=retry_after)
        return self._inject(fault, operation, times)

    def drop_response(self, operation: str | None = None, *, times: int | None = 1) -> Fault:
        """Carry the operation out, and close the connection without a response."""
        return self._inject(Fault(cut="after"), operation, times)

    def drop_request(self, operation: str | None = None, *, times: int | None = 1) -> Fault:
        """Close the connection, and do not carry the operation out."""
        return self._inject(Fault(cut="before"), operation, times)

    def delay(self, seconds: float, operation: str | None = None, *, times: int | None = 1) -> Fault:
        """Carry the operation out after some seconds, ``math.inf`` for never, and answer then."""
        return self._inject(Fault(delay=seconds), operation, times)

    @property
    def unused(self) -> tuple[Fault, ...]:
        """Faults from here whose number of requests did not arrive."""
        pending = {id(fault) for fault in self.telnyx.pending_faults}
        return tuple(fault for fault in self._expected if id(fault) in pending)

    def _inject(self, fault: Fault, operation: str | None, times: int | None) -> Fault:
        self.telnyx.inject(fault, operation=operation, times=times)
        if times is not None:
            self._expected.append(fault)
        return fault


@frozen
class _LimitEntry:
    limit: RateLimit


_file_converter: Final = make_converter(
    use_msgspec=False, forbid_extra_keys=True, prefer_attrib_converters=True
)


def load_faults(telnyx: Emulator, raw: bytes) -> None:
    """Inject the faults of a JSON list into an emulator, in order.

    An entry is an object with the fields of a `Fault`, and optionally ``operation`` and ``times`` as in
    `Emulator.inject`; or ``{"limit": {"requests": 20, "seconds": 5}}``.

    Args:
        telnyx: the emulator.
        raw: the content of the file.

    Raises:
        ValueError: an entry is not valid, and nothing was injected; ``args`` has a message for each problem.

    Example:
        >>> load_faults(telnyx, b'[{"operation": "CreateRoom", "status": 503}]')
    """
    try:
        objects = _file_converter.loads(raw, tuple[dict[str, Any], ...])
    except DecodeError as error:
        raise ValueError(f"the file must be a JSON list of objects: {'; '.join(error.args)}") from None
    entries: list[FaultRule | RateLimit] = []
    problems: list[str] = []
    for number, values in enumerate(objects, 1):
        try:
            entries.append(_read_entry(values))
        except ValueError as error:
            details = (str(problem).removeprefix("$: ").removeprefix("$.") for problem in error.args)
            problems += (f"entry {number}: {detail}" for detail in details)
    if problems:
        raise ValueError(*problems)
    for entry in entries:
        if isinstance(entry, RateLimit):
            telnyx.limit(entry.requests, seconds=entry.seconds)
        else:
            telnyx.inject(entry.fault, operation=entry.name, times=entry.times)


def _read_entry(values: dict[str, Any]) -> FaultRule | RateLimit:
    if "limit" in values:
        return _file_converter.structure_json(values, _LimitEntry).limit
    times, operation = values.pop("times", 1), values.pop("operation", None)
    return FaultRule(fault=_file_converter.structure_json(values, Fault), times=times, name=operation)
