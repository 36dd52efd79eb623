"""The emulated store of files, behind presigned links: it asks for no key, and serves ranges."""

from contextlib import suppress
from http import HTTPStatus

from aiohttp import web
from attrs import frozen

from telnyx_rooms_async.emulator.account import Account
from telnyx_rooms_async.emulator.media import Links, MediaFile


@frozen
class Store:
    """Where the download URLs of recordings and compositions lead."""

    _account: Account
    _links: Links

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer with a file, or with the part of it that is asked for."""
        file_id = request.match_info["file_id"]
        if not self._links.is_good(file_id, request.query, self._account.now()):
            return web.Response(status=HTTPStatus.FORBIDDEN, text="The link is not good, or no longer.\n")
        file = self._account.file(file_id)
        if file is None:
            return web.Response(status=HTTPStatus.NOT_FOUND, text="There is no such file, or no longer.\n")
        headers = {"Accept-Ranges": "bytes", "ETag": file.etag}
        part = _part(request, file)
        if part is None:
            return await _send(request, file, range(file.size), web.StreamResponse(headers=headers))
        if not part:
            headers["Content-Range"] = f"bytes */{file.size}"
            return web.Response(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=headers)
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{file.size}"
        response = web.StreamResponse(status=HTTPStatus.PARTIAL_CONTENT, headers=headers)
        return await _send(request, file, part, response)


def _part(request: web.Request, file: MediaFile) -> range | None:
    """Tell which bytes are asked for; ``None`` for all, also when the range cannot be read."""
    try:
        asked = request.http_range
    except ValueError:
        return None
    if asked == slice(None, None, 1) or request.headers.get("If-Range", file.etag) != file.etag:
        return None
    return range(file.size)[asked]


async def _send(
    request: web.Request, file: MediaFile, part: range, response: web.StreamResponse
) -> web.StreamResponse:
    response.content_type = file.content_type
    response.content_length = len(part)
    await response.prepare(request)
    stop = part.stop if file.cut_after is None else min(part.stop, part.start + file.cut_after)
    # Who asked may hang up in the middle: aiohttp would log that as our error.
    with suppress(ConnectionError):
        for piece in file.pieces(part.start, stop):
            await response.write(piece)
    if stop < part.stop and request.transport is not None:
        request.transport.close()
    return response
