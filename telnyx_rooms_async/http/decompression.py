"""Decompression of response bodies, up to a size. aiohttp would accept a truncated body as complete."""

import zlib
from typing import Final

ACCEPT_ENCODING: Final = "gzip, deflate"
_GZIP_MAGIC: Final = b"\x1f\x8b"
_MAX_MEMBERS: Final = 16
_GZIP_WBITS: Final = 16 + zlib.MAX_WBITS


class DecompressionError(Exception):
    """The body is not compressed as its header says, or is truncated."""


def decompress(body: bytes, encoding: str, limit: int) -> bytes:
    """Return the decompressed body, or a little more than `limit` bytes of a larger one.

    Raises:
        DecompressionError: it is corrupt or truncated, or has an encoding that was not accepted.
    """
    match encoding.strip().lower() if body else "":
        case "" | "identity":
            return body
        case "gzip" | "x-gzip":
            return _decompress(body, _GZIP_WBITS, limit)
        case "deflate":
            # Some servers leave out the zlib header that the standard asks for.
            has_header = body[:1] and body[0] & 0x0F == zlib.DEFLATED
            return _decompress(body, zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS, limit)
        case _:
            raise DecompressionError("in a content encoding that was not accepted")


def _decompress(body: bytes, wbits: int, limit: int) -> bytes:
    result = b""
    for _ in range(_MAX_MEMBERS):
        decompressor = zlib.decompressobj(wbits)
        try:
            result += decompressor.decompress(body, limit + 1 - len(result))
        except zlib.error:
            raise DecompressionError("corrupt") from None
        if len(result) > limit:
            return result
        if not decompressor.eof:
            raise DecompressionError("cut off")
        body = decompressor.unused_data
        if not (wbits == _GZIP_WBITS and body.startswith(_GZIP_MAGIC)):
            return result
    raise DecompressionError("in too many parts")
