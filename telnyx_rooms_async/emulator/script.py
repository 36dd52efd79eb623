"""The script of faults: which request meets which, and how often. No HTTP."""

from collections.abc import Callable
from typing import Final, TypeAlias

from attrs import define, field

from telnyx_rooms_async.core.endpoints import ENDPOINTS
from telnyx_rooms_async.emulator.bounds import is_whole, must_be
from telnyx_rooms_async.emulator.faults import Fault
from telnyx_rooms_async.emulator.recorded import RecordedRequest

When: TypeAlias = Callable[[RecordedRequest], bool]

DOWNLOAD: Final = "download"
"""Stands in the place of an operation id where a file of the store is meant."""
_FEW: Final = 10**9
_OPERATIONS: Final = (DOWNLOAD, *(endpoint.operation for endpoint in ENDPOINTS))


@define(kw_only=True, eq=False)
class Line:
    """A fault for the next requests that it is meant for.

    Raises:
        ValueError: a field cannot be so; the field is named.
    """

    fault: Fault
    times: int | None = field(
        default=1,
        validator=must_be(
            "a whole number, 1 or more, or none for ever",
            lambda value: value is None or is_whole(value, 1, _FEW),
        ),
    )
    """How many requests are still to meet it; ``None`` for all that come."""
    operation: str | None = field(
        default=None,
        validator=must_be(
            f'the id of an operation in the API reference, or "{DOWNLOAD}"',
            lambda value: value is None or value in _OPERATIONS,
        ),
    )
    when: When | None = None

    def __attrs_post_init__(self) -> None:
        fault = self.fault
        streamed = fault.after or (fault.carries_out and (fault.cut or fault.body is not None))
        if self.operation == DOWNLOAD and streamed:
            raise ValueError(
                f'operation "{DOWNLOAD}" takes what goes wrong before a file is sent: '
                "to break it off, set cut_after of its MediaFile"
            )

    def fits(self, operation: str, request: RecordedRequest) -> bool:
        """Tell whether the fault is meant for this request."""
        meant = operation == self.operation or (self.operation is None and operation != DOWNLOAD)
        return meant and (self.when is None or self.when(request))


@define
class Script:
    """The lines to come, oldest first."""

    lines: list[Line] = field(factory=list[Line])

    def take(self, operation: str | None, request: RecordedRequest) -> Fault:
        """Use up one time of the first line that fits; when there is none, nothing goes wrong."""
        line = next((each for each in self.lines if operation and each.fits(operation, request)), None)
        if line is None:
            return Fault()
        if line.times == 1:
            self.lines.remove(line)
        elif line.times is not None:
            line.times -= 1
        return line.fault
