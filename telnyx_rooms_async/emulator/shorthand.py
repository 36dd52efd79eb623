"""The faults that tests script most, in a word each."""

from attrs import define, field

from telnyx_rooms_async.emulator.faults import Body, Fault
from telnyx_rooms_async.emulator.stage import Stage


@define(eq=False)
class Faults:
    """A short way to script what goes wrong with the next requests to an `Emulator`.

    Each method takes the id of an operation in the API reference (``CreateRoom``), none for every operation,
    and returns the `Fault` that it scripted. With ``times=None`` all requests meet it until
    `Stage.unscript`. Whatever has no word here is a `Fault` of yours for `Stage.script`.
    """

    telnyx: Stage = field(repr=False)
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
        """Answer with a status, and carry nothing out.

        Args:
            status: from 200 to 599.
            operation: the id of an operation.
            body: bytes, text, or an object or array of JSON; the documented one unless given.
            retry_after: seconds, for the header ``Retry-After``.
            times: for how many requests.

        Raises:
            ValueError: one of them cannot be so; it is named.
        """
        fault = Fault(status=status, body=body, retry_after=retry_after)  # a converter takes any body
        return self._script(fault, operation, times)

    def lose(self, operation: str | None = None, *, times: int | None = 1) -> Fault:
        """Carry it out, and close the connection without an answer.

        Raises:
            ValueError: there is no such operation, or `times` is less than 1.
        """
        return self._script(Fault(cut="after"), operation, times)

    def drop(self, operation: str | None = None, *, times: int | None = 1) -> Fault:
        """Close the connection, and carry nothing out.

        Raises:
            ValueError: there is no such operation, or `times` is less than 1.
        """
        return self._script(Fault(cut="before"), operation, times)

    def delay(self, seconds: float, operation: str | None = None, *, times: int | None = 1) -> Fault:
        """Carry it out so much later, ``math.inf`` for never, and answer then.

        Raises:
            ValueError: there is no such operation, or `seconds` is negative, or `times` less than 1.
        """
        return self._script(Fault(delay=seconds), operation, times)

    @property
    def unmet(self) -> tuple[Fault, ...]:
        """What was scripted here for a number of requests of which not all came."""
        left = {id(fault) for fault in self.telnyx.scripted}
        return tuple(fault for fault in self._expected if id(fault) in left)

    def _script(self, fault: Fault, operation: str | None, times: int | None) -> Fault:
        self.telnyx.script(fault, operation=operation, times=times)
        if times is not None:
            self._expected.append(fault)
        return fault
