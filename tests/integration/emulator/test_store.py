"""Files behind presigned links, as the emulator serves them."""

import hashlib
import tracemalloc
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import ClientSession

from telnyx_rooms_async.emulator import Emulator, MediaFile
from telnyx_rooms_async.emulator.media import PresignedLinks
from tests.helpers.clocks import FakeClock
from tests.helpers.http_client import HttpClient


@pytest.fixture
async def url(api: HttpClient, telnyx: Emulator, room_id: str, time: FakeClock) -> str:
    """Record a picture of ten seconds, and get its link."""
    alice = telnyx.join(room_id)
    time.advance(seconds=10)
    telnyx.leave(alice.id)
    time.advance(seconds=5)
    (recording,) = (await api.get("room_recordings", {"filter[type]": "video"})).data
    link: str = recording["download_url"]
    return link


@pytest.fixture
def file(telnyx: Emulator, url: str) -> MediaFile:
    """What the link leads to."""
    return telnyx.media(url.rpartition("/")[2].partition("?")[0])


@pytest.fixture
async def stranger() -> AsyncIterator[ClientSession]:
    """Somebody without a key."""
    async with ClientSession() as session:
        yield session


async def test_a_file_is_served_to_whoever_has_its_link(
    telnyx: Emulator, stranger: ClientSession, url: str, file: MediaFile
) -> None:
    """No key is needed, the bytes are those that the test can compare, and the request is recorded."""
    async with stranger.get(url) as response:
        assert (response.status, response.content_type) == (200, "video/webm")
        assert response.headers["Content-Length"] == str(file.size) == "300000"
        assert (response.headers["ETag"], response.headers["Accept-Ranges"]) == (file.etag, "bytes")
        assert await response.read() == bytes(file)
    assert telnyx.requests[-1].path == f"/media/{file.id}"
    assert "authorization" not in telnyx.requests[-1].headers
    assert "signature" not in repr(telnyx.requests[-1])


async def test_a_key_that_is_sent_to_the_store_is_noticed(
    telnyx: Emulator, stranger: ClientSession, url: str
) -> None:
    """A test can prove that the key stays at home: it would be in the recorded request."""
    await stranger.get(url, headers={"Authorization": "Bearer KEY"})
    assert telnyx.requests[-1].headers["authorization"] == "Bearer KEY"


async def test_sound_is_of_another_type(api: HttpClient, telnyx: Emulator, url: str) -> None:
    """A file says what it is."""
    (audio,) = (await api.get("room_recordings", {"filter[type]": "audio"})).ids
    assert (telnyx.media(audio).content_type, telnyx.media(audio).size) == ("audio/ogg", 140_000)


async def test_a_link_lasts_for_an_hour(stranger: ClientSession, url: str, time: FakeClock) -> None:
    """It is good to the last second, and then a 403."""
    time.advance(seconds=3599)
    assert (await stranger.get(url)).status == 200
    time.advance(seconds=1)
    assert (await stranger.get(url)).status == 403


async def test_a_link_is_good_for_nothing_else(
    api: HttpClient, stranger: ClientSession, url: str, file: MediaFile
) -> None:
    """Another file, a later end or another signature is a 403."""
    (audio,) = (await api.get("room_recordings", {"filter[type]": "audio"})).ids
    base = url.partition("?")[0]
    for forged in (base, url.replace(file.id, audio), url.replace("expires=", "expires=9"), url + "0"):
        assert (await stranger.get(forged)).status == 403
    assert (await stranger.get(base + "?expires=never&signature=%C3%A4")).status == 403


async def test_a_deleted_file(api: HttpClient, stranger: ClientSession, url: str, file: MediaFile) -> None:
    """The link outlives the file, and leads nowhere."""
    await api.delete(f"room_recordings/{file.id}")
    assert (await stranger.get(url)).status == 404


PARTS = {
    "bytes=0-9": (0, 10),
    "bytes=65530-65545": (65530, 65546),
    "bytes=299990-": (299990, 300000),
    "bytes=299990-400000": (299990, 300000),
    "bytes=-5": (299995, 300000),
}


@pytest.mark.parametrize(("asked", "part"), PARTS.items())
async def test_a_part_of_a_file(
    stranger: ClientSession, url: str, file: MediaFile, asked: str, part: tuple[int, int]
) -> None:
    """A range is a 206 that says which part of how much it is."""
    start, stop = part
    async with stranger.get(url, headers={"Range": asked}) as response:
        assert (response.status, response.content_length) == (206, stop - start)
        assert response.headers["Content-Range"] == f"bytes {start}-{stop - 1}/300000"
        assert response.headers["ETag"] == file.etag
        assert await response.read() == bytes(file)[start:stop]


async def test_a_part_beyond_the_end(stranger: ClientSession, url: str) -> None:
    """A range that begins after the end is a 416 that says how much there is."""
    async with stranger.get(url, headers={"Range": "bytes=300000-"}) as response:
        assert (response.status, response.headers["Content-Range"]) == (416, "bytes */300000")


@pytest.mark.parametrize(
    "headers", [{"Range": "bytes=5-2"}, {"Range": "lines=1-2"}, {"Range": "bytes=0-9", "If-Range": '"old"'}]
)
async def test_a_range_that_does_not_count(
    stranger: ClientSession, url: str, headers: dict[str, str]
) -> None:
    """What cannot be read, or is meant for another content, gets the whole."""
    async with stranger.get(url, headers=headers) as response:
        assert (response.status, response.content_length) == (200, 300000)


async def test_a_range_of_this_content(stranger: ClientSession, url: str, file: MediaFile) -> None:
    """If-Range with the right tag lets the range count."""
    async with stranger.get(url, headers={"Range": "bytes=0-9", "If-Range": file.etag}) as response:
        assert (response.status, response.content_length) == (206, 10)


async def test_a_file_as_large_as_you_like(
    api: HttpClient, stranger: ClientSession, url: str, file: MediaFile
) -> None:
    """A test sets the size; what is not read is not made, and the recording tells the size too."""
    tag = file.etag
    file.size = 5_000_000_000
    assert file.etag != tag
    async with stranger.get(url, headers={"Range": "bytes=4999999990-"}) as response:
        assert response.headers["Content-Range"] == "bytes 4999999990-4999999999/5000000000"
        assert len(await response.read()) == 10
    assert (await api.get(f"room_recordings/{file.id}")).data["size_mb"] == 5000.0


def test_bytes_are_made_as_they_are_read() -> None:
    """Reading a large file piece by piece takes the memory of a few pieces, and gives the same each time."""
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


async def test_a_download_that_is_cut(stranger: ClientSession, url: str, file: MediaFile) -> None:
    """A test has the store hang up early: the length was promised and does not come."""
    file.cut_after = 100_000
    async with stranger.get(url) as response:
        assert response.content_length == 300_000
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
    async with stranger.get(url, headers={"Range": "bytes=250000-"}) as response:
        assert await response.read() == bytes(file)[250_000:]


async def test_a_download_that_is_given_up(
    stranger: ClientSession, url: str, file: MediaFile, caplog: pytest.LogCaptureFixture
) -> None:
    """Who hangs up in the middle does the store no harm."""
    whole, file.size = bytes(file), 5_000_000_000
    async with stranger.get(url) as response:
        await response.content.readexactly(1_000_000)
    file.size = len(whole)
    async with stranger.get(url) as response:
        assert await response.read() == whole
    assert [record for record in caplog.records if record.name.startswith("aiohttp")] == []


def test_links_keep_their_key() -> None:
    """What signs links is in no repr."""
    assert repr(PresignedLinks()) == "PresignedLinks()"
