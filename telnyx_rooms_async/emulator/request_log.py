"""A request as the emulator received it. Its repr shows no secrets."""

from collections.abc import Mapping
from typing import Any, Self

from aiohttp import web
from attrs import field, frozen

from telnyx_rooms_async.serialization import parse_json


@frozen(kw_only=True)
class RecordedRequest:
    """A request as the emulator received it.

    Example:
        ``assert telnyx.requests[0].json == {"unique_name": "Weekly"}``
    """

    method: str
    path: str
    """Decoded, with the ``/v2`` of the base URL; ``/media/…`` for a file."""
    # Presigned links have secrets in the query, token refreshes in the body.
    query: tuple[tuple[str, str], ...] = field(repr=False)
    """Decoded names and values, in order."""
    headers: Mapping[str, str] = field(repr=False)
    """By lower-case name."""
    body: bytes = field(repr=False)
    target: str = field(repr=False)
    """Path and query, encoded as in the request line."""

    @classmethod
    async def read(cls, request: web.Request) -> Self:
        """Read a request to its end, and return it."""
        return cls(
            method=request.method,
            path=request.path,
            query=tuple(request.query.items()),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.read(),
            target=request.raw_path,
        )

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON may be anything
        """The body as plain data.

        Raises:
            DecodeError: the body is not JSON.
        """
        return parse_json(self.body)
