"""A request as it arrived at the emulator. What may be a secret in it is not in its repr."""

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from telnyx_rooms_async.core.codec import parse


@frozen(kw_only=True)
class RecordedRequest:
    """A request as it arrived."""

    method: str
    path: str
    """Decoded, with the ``/v2`` of the base URL; ``/media/…`` for a file."""
    # Presigned links are in queries, refresh tokens in bodies.
    query: tuple[tuple[str, str], ...] = field(repr=False)
    """Decoded names and values, in their order."""
    headers: Mapping[str, str] = field(repr=False)
    """Under lower-case names."""
    body: bytes = field(repr=False)
    target: str = field(repr=False)
    """The path and the query as they stood in the request line."""

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON may be anything
        """The body as plain data.

        Raises:
            DecodeError: it is not JSON.
        """
        return parse(self.body)
