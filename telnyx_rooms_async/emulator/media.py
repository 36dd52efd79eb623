"""Files of recordings and compositions, their presigned links, and range requests.

The content of a file follows from its id and is generated while it is read: a file of any size takes
neither memory nor disk. It cannot be played.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from http import HTTPStatus
from typing import Final, TypeAlias

from aiohttp import web
from attrs import define, field, frozen, setters
from yarl import URL

LinkFactory: TypeAlias = Callable[[str], str]
"""Returns the presigned URL of a file, by its id."""

_LINK_SECONDS: Final = 3600
_CHUNK_SIZE: Final = 64 * 1024


@define(kw_only=True)
class MediaFile:
    """Generated content of a recording or composition.

    Example:
        >>> file = telnyx.media(recording.id)
        >>> len(bytes(file)) == file.size
        True
    """

    id: str = field(on_setattr=setters.frozen)
    """Id of the recording or composition."""
    content_type: str
    """``"video/webm"``, for example."""
    size: int
    """Size in bytes; can be set."""
    cut_after: int | None = None
    """Close the connection after this many bytes of each response; can be set."""

    @property
    def etag(self) -> str:
        """Strong ETag, which changes with the size."""
        return f'"{hashlib.sha256(f"{self.id}/{self.size}".encode()).hexdigest()[:32]}"'

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Generate the bytes from `start` up to but not including `stop`, in chunks of up to 64 KiB."""
        stop = self.size if stop is None else min(stop, self.size)
        while start < stop:
            number, offset = divmod(start, _CHUNK_SIZE)
            chunk = hashlib.shake_128(f"{self.id}/{number}".encode()).digest(_CHUNK_SIZE)
            piece = chunk[offset : offset + stop - start]
            yield piece
            start += len(piece)

    def __bytes__(self) -> bytes:
        return b"".join(self.pieces())


@frozen
class PresignedLinks:
    """Creates links that need no API key, and verifies them."""

    _key: bytes = field(factory=lambda: secrets.token_bytes(32), repr=False, init=False)

    def create(self, origin: URL, now: datetime, file_id: str) -> str:
        """Return a link to a file that is valid for one hour."""
        expires = str(int(now.timestamp()) + _LINK_SECONDS)
        query = {"expires": expires, "signature": self._sign(file_id, expires)}
        return str(origin / "media" / file_id % query)

    def is_valid(self, file_id: str, query: Mapping[str, str], now: datetime) -> bool:
        """Return whether the query of a link was created here for this file, and has not expired."""
        expires, signature = query.get("expires", ""), query.get("signature", "")
        is_signed = hmac.compare_digest(self._sign(file_id, expires).encode(), signature.encode())
        return is_signed and now.timestamp() < int(expires)

    def _sign(self, file_id: str, expires: str) -> str:
        return hmac.new(self._key, f"{file_id}/{expires}".encode(), "sha256").hexdigest()


async def send_file(request: web.Request, file: MediaFile) -> web.StreamResponse:
    """Answer with a file, or with the range of it that the request asks for."""
    response = web.StreamResponse(headers={"Accept-Ranges": "bytes", "ETag": file.etag})
    part = range(file.size)
    with suppress(ValueError):  # a range that is not valid is ignored
        requested = request.http_range
        is_same_file = request.headers.get("If-Range", file.etag) == file.etag
        if requested != slice(None, None, 1) and is_same_file:
            part = part[requested]
            if not part:
                headers = {**response.headers, "Content-Range": f"bytes */{file.size}"}
                return web.Response(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=headers)
            response.headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{file.size}"
            response.set_status(HTTPStatus.PARTIAL_CONTENT)
    response.content_type = file.content_type
    response.content_length = len(part)
    await response.prepare(request)
    stop = part.stop if file.cut_after is None else min(part.stop, part.start + file.cut_after)
    # aiohttp would log it as an error of the server if the client closes the connection before the end.
    with suppress(ConnectionError):
        for piece in file.pieces(part.start, stop):
            await response.write(piece)
    if stop < part.stop and request.transport is not None:
        request.transport.close()
    return response
