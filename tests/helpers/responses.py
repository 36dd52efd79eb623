"""Responses of the API as values, for tests without a connection."""

from telnyx_rooms_async import Response


def respond(status: int, body: bytes = b"", /, **headers: str) -> Response:
    """Make a response; ``_`` in a header's name stands for ``-``."""
    raw = tuple((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items())
    return Response(status, raw, body)
