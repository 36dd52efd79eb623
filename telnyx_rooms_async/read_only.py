"""A transport through which nothing is changed: all that is not a reading is refused before it is sent."""

from typing import Final

from telnyx_rooms_async.core.job_errors import ReadOnlyError
from telnyx_rooms_async.core.messages import Failure, Request, Response
from telnyx_rooms_async.core.secret import Secret
from telnyx_rooms_async.transport import AiohttpTransport, Stream

_READING: Final = frozenset({"GET", "HEAD"})


class ReadOnlyTransport(AiohttpTransport):
    """Sends what reads through another transport, and refuses the rest.

    It stands where every request of a client passes, so no verb and no view gets around it; a client that
    may write does not know of it.
    """

    def __init__(self, transport: AiohttpTransport) -> None:
        self._transport = transport

    def __del__(self) -> None:
        """Say nothing: whether it was closed is the other's business."""

    async def send(self, request: Request, seconds: float) -> Response | Failure:
        """Make one try at what reads.

        Raises:
            ReadOnlyError: it would change something.
        """
        if request.method not in _READING:
            raise ReadOnlyError(request.method, request.path)
        return await self._transport.send(request, seconds)

    async def open(self, url: Secret, *, offset: int, seconds: float) -> Stream | Failure:
        """Begin to read a file."""
        return await self._transport.open(url, offset=offset, seconds=seconds)

    async def close(self) -> None:
        """Close the other."""
        await self._transport.close()


def guarded(transport: AiohttpTransport, *, read_only: bool) -> AiohttpTransport:
    """Return a transport that refuses what would change something, if it is to."""
    return ReadOnlyTransport(transport) if read_only else transport
