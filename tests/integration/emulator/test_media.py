"""Files of recordings behind presigned links, as the emulator serves them."""

import hashlib
import tracemalloc

import aiohttp
import pytest
from aiohttp import ClientSession

from telnyx_rooms_async.emulator import Emulator, MediaFile
from tests.helpers.clocks import FakeClock
from tests.helpers.http_client import HttpClient


@pytest.fixture
def file(telnyx: Emulator, link: str) -> MediaFile:
    return telnyx.media(link.rpartition("/")[2].partition("?")[0])


async def test_file_is_served_without_a_key_until_it_is_deleted(
    telnyx: Emulator, api: HttpClient, keyless_http: ClientSession, link: str, file: MediaFile
) -> None:
    async with keyless_http.get(link) as response:
        assert (response.status, response.content_type) == (200, "video/webm")
        assert response.headers["Content-Length"] == str(file.size) == "300000"
        assert (response.headers["ETag"], response.headers["Accept-Ranges"]) == (file.etag, "bytes")
        assert await response.read() == bytes(file)
    assert telnyx.requests[-1].path == f"/media/{file.id}"
    assert "signature" not in repr(telnyx.requests[-1])
    (audio,) = (await api.get("room_recordings", {"filter[type]": "audio"})).ids
    assert (telnyx.media(audio).content_type, telnyx.media(audio).size) == ("audio/ogg", 140_000)
    await api.delete(f"room_recordings/{file.id}")
    assert (await keyless_http.get(link)).status == 404


async def test_link_expires_after_an_hour(keyless_http: ClientSession, link: str, clock: FakeClock) -> None:
    clock.advance(seconds=3599)
    assert (await keyless_http.get(link)).status == 200
    clock.advance(seconds=1)
    assert (await keyless_http.get(link)).status == 403


async def test_forged_links_are_refused(
    api: HttpClient, keyless_http: ClientSession, link: str, file: MediaFile
) -> None:
    (audio,) = (await api.get("room_recordings", {"filter[type]": "audio"})).ids
    base = link.partition("?")[0]
    for forged in (
        base,
        link.replace(file.id, audio),
        link.replace("expires=", "expires=9"),
        link + "0",
        base + "?expires=never&signature=%C3%A4",
    ):
        assert (await keyless_http.get(forged)).status == 403


@pytest.mark.parametrize(
    ("header", "start", "stop"),
    [
        ("bytes=65530-65545", 65530, 65546),
        ("bytes=299990-", 299990, 300000),
        ("bytes=299990-400000", 299990, 300000),
        ("bytes=-5", 299995, 300000),
    ],
)
async def test_ranges_are_served(
    keyless_http: ClientSession, link: str, file: MediaFile, *, header: str, start: int, stop: int
) -> None:
    async with keyless_http.get(link, headers={"Range": header, "If-Range": file.etag}) as response:
        assert (response.status, response.content_length) == (206, stop - start)
        assert response.headers["Content-Range"] == f"bytes {start}-{stop - 1}/300000"
        assert response.headers["ETag"] == file.etag
        assert await response.read() == bytes(file)[start:stop]
    async with keyless_http.get(link, headers={"Range": "bytes=300000-"}) as response:
        assert (response.status, response.headers["Content-Range"]) == (416, "bytes */300000")


@pytest.mark.parametrize(
    "headers",
    [{"Range": "bytes=5-2"}, {"Range": "bytes=0-9", "If-Range": '"old"'}],
    ids=["reversed", "other content"],
)
async def test_whole_file_is_served_for_other_ranges(
    keyless_http: ClientSession, link: str, headers: dict[str, str]
) -> None:
    async with keyless_http.get(link, headers=headers) as response:
        assert (response.status, response.content_length) == (200, 300000)


def test_content_is_generated_in_pieces() -> None:
    file = MediaFile(id="a", content_type="video/mp4", size=20_000_000)
    tracemalloc.start()
    digest = hashlib.sha256()
    for piece in file.pieces():
        digest.update(piece)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000
    assert digest.digest() == hashlib.sha256(bytes(file)).digest()
    assert b"".join(file.pieces(100, 200)) == bytes(file)[100:200]


async def test_download_can_be_cut_and_its_size_can_be_set(
    api: HttpClient, keyless_http: ClientSession, link: str, file: MediaFile
) -> None:
    file.cut_after = 100_000
    async with keyless_http.get(link) as response:
        assert response.content_length == 300_000
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
    async with keyless_http.get(link, headers={"Range": "bytes=250000-"}) as response:
        assert await response.read() == bytes(file)[250_000:]
    etag, file.size = file.etag, 5_000_000_000
    assert file.etag != etag
    async with keyless_http.get(link, headers={"Range": "bytes=4999999990-"}) as response:
        assert response.headers["Content-Range"] == "bytes 4999999990-4999999999/5000000000"
        assert len(await response.read()) == 10
    assert (await api.get(f"room_recordings/{file.id}")).data["size_mb"] == 5000.0


async def test_client_may_close_the_connection_during_a_download(
    keyless_http: ClientSession, link: str, file: MediaFile, caplog: pytest.LogCaptureFixture
) -> None:
    content, file.size = bytes(file), 5_000_000_000
    async with keyless_http.get(link) as response:
        await response.content.readexactly(1_000_000)
    file.size = len(content)
    async with keyless_http.get(link) as response:
        assert await response.read() == content
    assert [record for record in caplog.records if record.name.startswith("aiohttp")] == []
