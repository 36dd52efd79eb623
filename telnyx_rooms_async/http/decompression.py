"""Undo the compression of a body, within a limit. aiohttp would take a part of one for the whole."""

import zlib
from typing import Final

ACCEPTED: Final = "gzip, deflate"
_GZIP_MARK: Final = b"\x1f\x8b"
_MOST_PARTS: Final = 16
_GZIP: Final = 16 + zlib.MAX_WBITS


class PackingError(Exception):
    """The body is not packed as it says, or is not whole."""


def unpack(body: bytes, encoding: str, limit: int) -> bytes:
    """Return the body unpacked, or a little more than `limit` bytes of it when it is larger.

    Raises:
        PackingError: it is corrupt or cut off, or packed in a way that was not asked for.
    """
    match encoding.strip().lower() if body else "":
        case "" | "identity":
            return body
        case "gzip" | "x-gzip":
            return _unpack(body, _GZIP, limit)
        case "deflate":
            # Some servers leave out the frame that the standard asks for.
            framed = body[:1] and body[0] & 0x0F == zlib.DEFLATED
            return _unpack(body, zlib.MAX_WBITS if framed else -zlib.MAX_WBITS, limit)
        case _:
            raise PackingError("packed in a way that was not asked for")


def _unpack(body: bytes, wbits: int, limit: int) -> bytes:
    whole = b""
    for _ in range(_MOST_PARTS):
        unpacker = zlib.decompressobj(wbits)
        try:
            whole += unpacker.decompress(body, limit + 1 - len(whole))
        except zlib.error:
            raise PackingError("corrupt") from None
        if len(whole) > limit:
            return whole
        if not unpacker.eof:
            raise PackingError("cut off")
        body = unpacker.unused_data
        if not (wbits == _GZIP and body.startswith(_GZIP_MARK)):
            return whole
    raise PackingError("in too many parts")
