"""The script of faults: which request meets which, and how often. No HTTP."""

from collections.abc import Callable
from typing import Final, Protocol, TypeAlias, TypeVar

from attrs import define, field

from telnyx_rooms_async.core.endpoints import ENDPOINTS
from telnyx_rooms_async.emulator.bounds import is_whole, must_be
from telnyx_rooms_async.emulator.faults import Fault
from telnyx_rooms_async.emulator.recorded import RecordedRequest

When: TypeAlias = Callable[[RecordedRequest], bool]

DOWNLOAD: Final = "download"
"""Stands in the place of an operation id where a file of the store is meant."""
PUBLIC_KEY: Final = "public_key"
"""Stands in the place of an operation id where the public key is meant, which is not of the Video API."""
_FEW: Final = 10**9
_OPERATIONS: Final = (DOWNLOAD, PUBLIC_KEY, *(endpoint.operation for endpoint in ENDPOINTS))

how_often: Final = must_be(
    "a whole number, 1 or more, or none for ever",
    lambda value: value is None or is_whole(value, 1, _FEW),
)


@define(kw_only=True, eq=False)
class Line:
    """A fault for the next requests that it is meant for.

    Raises:
        ValueError: a field cannot be so; the field is named.
    """

    fault: Fault
    times: int | None = field(default=1, validator=how_often)
    """How many requests are still to meet it; ``None`` for all that come."""
    operation: str | None = field(
        default=None,
        validator=must_be(
            f'the id of an operation in the API reference, "{DOWNLOAD}" or "{PUBLIC_KEY}"',
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
        line = take(self.lines, lambda each: operation is not None and each.fits(operation, request))
        return Fault() if line is None else line.fault


class _Limited(Protocol):
    times: int | None


Limited = TypeVar("Limited", bound=_Limited)


def take(lines: list[Limited], fits: Callable[[Limited], bool]) -> Limited | None:
    """Use up one time of the first line that fits, and return it."""
    line = next(filter(fits, lines), None)
    if line is None:
        return None
    if line.times == 1:
        lines.remove(line)
    elif line.times is not None:
        line.times -= 1
    return line
