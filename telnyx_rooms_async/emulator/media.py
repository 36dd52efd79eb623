"""The files of recordings and compositions, and the links that open them for an hour. No HTTP.

The bytes follow from the id, are made as they are read, and cannot be played: a file of any size costs
no memory and no disk.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from attrs import define, field, frozen, setters
from yarl import URL

LINK_LASTS: Final = 3600
"""Seconds."""
_CHUNK: Final = 64 * 1024


@define(kw_only=True)
class MediaFile:
    """A file of the emulated store. ``bytes(file)`` is all of it, `pieces` brings it piece by piece."""

    id: str = field(on_setattr=setters.frozen)
    """That of its recording or composition."""
    content_type: str
    size: int
    """Bytes; set it to have a file as large as you like."""
    cut_after: int | None = None
    """Set it to have the store hang up after so many bytes of every answer."""

    @property
    def etag(self) -> str:
        """What names this content: another size is another content."""
        return f'"{hashlib.sha256(f"{self.id}/{self.size}".encode()).hexdigest()[:32]}"'

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Make the bytes from `start` to before `stop`, a piece at a time."""
        stop = self.size if stop is None else min(stop, self.size)
        while start < stop:
            number, skip = divmod(start, _CHUNK)
            chunk = hashlib.shake_128(f"{self.id}/{number}".encode()).digest(_CHUNK)
            piece = chunk[skip : skip + stop - start]
            yield piece
            start += len(piece)

    def __bytes__(self) -> bytes:
        return b"".join(self.pieces())


@frozen
class Links:
    """Makes links that are their own key, and knows them again."""

    _key: bytes = field(factory=lambda: secrets.token_bytes(32), repr=False, init=False)

    def make(self, origin: URL, now: datetime, file_id: str) -> str:
        """Make a link that is good for an hour from now."""
        expires = int(now.timestamp()) + LINK_LASTS
        query = {"expires": str(expires), "signature": self._sign(file_id, str(expires))}
        return str(origin / "media" / file_id % query)

    def is_good(self, file_id: str, query: Mapping[str, str], now: datetime) -> bool:
        """Tell whether a link was made here, for this file, less than an hour ago."""
        expires, signature = query.get("expires", ""), query.get("signature", "")
        known = hmac.compare_digest(self._sign(file_id, expires).encode(), signature.encode())
        return known and now.timestamp() < int(expires)

    def _sign(self, file_id: str, expires: str) -> str:
        return hmac.new(self._key, f"{file_id}/{expires}".encode(), "sha256").hexdigest()
