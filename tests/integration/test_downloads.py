"""Downloads, from a scripted store: cuts, expiry, wrong parts, and what is left on the disk."""

import asyncio
import io
import json
import os
import stat
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aioresponses import aioresponses

from telnyx_rooms_async import (
    APIResponseValidationError,
    APITimeoutError,
    Attempt,
    ClientClosedError,
    ConnectError,
    ConnectionLostError,
    DownloadedFile,
    InternalServerError,
    InvalidArgumentError,
    MalformedResponseError,
    NotFoundError,
    NotReadyError,
    PermissionDeniedError,
    ResponseTooLargeError,
    RoomsClient,
    UnexpectedRedirectError,
)
from tests.helpers.clocks import FakeClock
from tests.helpers.scripted_server import Reply, ScriptedServer

FILE = bytes(range(256)) * 400
ETAG = '"v1"'


def recording(scripted_server: ScriptedServer, **fields: object) -> Reply:
    """Answer with a recording whose file is on the same server."""
    url = scripted_server.url.replace("/v2", "/store/file.webm?signature=CANARY")
    about = {"id": "a-recording", "status": "completed", "download_url": url, **fields}
    return ScriptedServer.http(200, json.dumps({"data": about}).encode())


def whole(data: bytes = FILE) -> Reply:
    """Answer with the whole file."""
    return ScriptedServer.http(200, data, ETag=ETAG, Content_Type="video/webm")


def part(start: int, *, stop: int | None = None, total: int = len(FILE), etag: str = ETAG) -> Reply:
    """Answer with the rest of the file from `start`, and cut it off before `stop`."""
    body = FILE[start:]
    reply = ScriptedServer.http(206, body, ETag=etag, Content_Range=f"bytes {start}-{total - 1}/{total}")
    if stop is None:
        return reply
    return ScriptedServer.raw(reply.data[: len(reply.data) - len(body) + stop - start])


def cut(stop: int) -> Reply:
    """Answer with the beginning of the file."""
    reply = whole().data
    return ScriptedServer.raw(reply[: len(reply) - len(FILE) + stop])


def ranges(scripted_server: ScriptedServer) -> list[str | None]:
    """List the ranges that the store was asked for."""
    heads = [request.decode("latin-1").lower() for request in scripted_server.requests]
    asked = [head.partition("\r\nrange: ")[2].partition("\r\n")[0] for head in heads if " /store/" in head]
    return [each or None for each in asked]


@pytest.fixture
def client(scripted_server: ScriptedServer, fake_clock: FakeClock) -> RoomsClient:
    """A client that never really sleeps."""
    return RoomsClient("KEY0123", base_url=scripted_server.url, clock=fake_clock.clock)


async def fetch(client: RoomsClient, target: str | os.PathLike[str] | io.BytesIO) -> DownloadedFile:
    """Download the recording, and close the client."""
    async with client:
        return await client.recordings.download("a-recording", target)


async def test_a_file_comes_to_a_path(
    client: RoomsClient, scripted_server: ScriptedServer, tmp_path: Path
) -> None:
    """A file takes two requests; the store is sent no key, and nothing else is left beside the file."""
    scripted_server.respond_with(recording(scripted_server), whole())
    target = tmp_path / "file.webm"
    target.write_bytes(b"an older one")
    got = await fetch(client, target)
    assert got == DownloadedFile(path=target, size=len(FILE), content_type="video/webm")
    assert target.read_bytes() == FILE
    assert [each.name for each in tmp_path.iterdir()] == ["file.webm"]
    api, store = scripted_server.requests
    assert b"Authorization: Bearer KEY0123" in api
    assert b"KEY0123" not in store
    assert b"authorization" not in store.lower()
    assert ranges(scripted_server) == [None]


async def test_a_file_comes_to_a_writer(client: RoomsClient, scripted_server: ScriptedServer) -> None:
    """A binary writer gets the bytes and stays open; progress tells what is there and what will be."""
    scripted_server.respond_with(recording(scripted_server), whole())
    steps: list[tuple[int, int | None]] = []
    target = io.BytesIO()
    async with client:
        got = await client.compositions.download(
            "a-composition", target, progress=lambda done, total: steps.append((done, total))
        )
    assert got == DownloadedFile(path=None, size=len(FILE), content_type="video/webm")
    assert target.getvalue() == FILE
    assert steps[-1] == (len(FILE), len(FILE))
    assert [done for done, _ in steps] == sorted({done for done, _ in steps})


async def test_three_cuts_and_an_expiry(
    client: RoomsClient, scripted_server: ScriptedServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that is cut three times, with a link that expires in between, comes whole all the same."""
    scripted_server.respond_with(
        recording(scripted_server),
        cut(1_000),
        part(1_000, stop=50_000),
        ScriptedServer.http(403, b"<Error><Code>AccessDenied</Code></Error>"),
        recording(scripted_server),
        part(50_000, stop=90_000),
        part(90_000),
    )
    got = await fetch(client, tmp_path / "file.webm")
    assert got.size == len(FILE)
    assert (tmp_path / "file.webm").read_bytes() == FILE
    assert ranges(scripted_server) == [
        None,
        "bytes=1000-",
        "bytes=50000-",
        "bytes=50000-",
        "bytes=90000-",
    ]
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 4
    assert "CANARY" not in caplog.text


async def test_a_store_that_knows_no_ranges(client: RoomsClient, scripted_server: ScriptedServer) -> None:
    """When the store begins anew after a cut, what is there already is passed over."""
    scripted_server.respond_with(recording(scripted_server), cut(70_000), whole())
    target = io.BytesIO()
    await fetch(client, target)
    assert target.getvalue() == FILE


async def test_a_file_of_unknown_length(client: RoomsClient, scripted_server: ScriptedServer) -> None:
    """A file in chunks is whole at the last chunk."""
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(FILE), FILE)
    scripted_server.respond_with(
        recording(scripted_server),
        ScriptedServer.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body),
    )
    steps: list[int | None] = []
    target = io.BytesIO()
    async with client:
        await client.recordings.download("a", target, progress=lambda _, total: steps.append(total))
    assert target.getvalue() == FILE
    assert set(steps) == {None}


async def test_a_file_that_is_empty(
    client: RoomsClient, scripted_server: ScriptedServer, tmp_path: Path
) -> None:
    """An empty file is a file."""
    scripted_server.respond_with(recording(scripted_server), whole(b""))
    assert (await fetch(client, tmp_path / "file.webm")).size == 0
    assert (tmp_path / "file.webm").read_bytes() == b""


FAILURES: dict[str, tuple[list[Reply], type[Exception], int]] = {
    "cut without progress": ([ScriptedServer.raw(b"")], ConnectionLostError, 3),
    "failing": ([ScriptedServer.http(500)], InternalServerError, 3),
    "no link is good": ([ScriptedServer.http(403)], PermissionDeniedError, 1),
    "gone": ([ScriptedServer.http(404)], NotFoundError, 1),
    "redirected": ([ScriptedServer.http(302, Location="http://example.com")], UnexpectedRedirectError, 1),
    "another part": ([cut(10), part(5)], MalformedResponseError, 2),
    "another file": ([cut(10), part(10, etag='"v2"')], MalformedResponseError, 2),
    "another length": ([cut(10), part(10, total=7)], MalformedResponseError, 2),
    "a part without a range": ([cut(10), ScriptedServer.http(206, FILE[10:])], MalformedResponseError, 2),
    "garbage": ([ScriptedServer.raw(b"garbage\r\n\r\n")], MalformedResponseError, 1),
}


@pytest.mark.parametrize(("replies", "kind", "requests"), FAILURES.values(), ids=FAILURES)
async def test_a_failed_download_leaves_nothing(
    client: RoomsClient,
    scripted_server: ScriptedServer,
    tmp_path: Path,
    *,
    replies: list[Reply],
    kind: type[Exception],
    requests: int,
) -> None:
    """A download that cannot be done raises, leaves the disk as it was, and does not show its link."""
    scripted_server.respond_with(recording(scripted_server), *replies)
    target = tmp_path / "file.webm"
    target.write_bytes(b"an older one")
    with pytest.raises(kind) as caught:
        await fetch(client, target)
    assert [each.name for each in tmp_path.iterdir()] == ["file.webm"]
    assert target.read_bytes() == b"an older one"
    assert len(ranges(scripted_server)) == requests
    assert "CANARY" not in f"{caught.value!r} {caught.value} {vars(caught.value)}"


async def test_a_store_that_stalls(
    scripted_server: ScriptedServer, fake_clock: FakeClock, tmp_path: Path
) -> None:
    """A piece that does not come in the time of an attempt is a timeout; it is tried again from there."""
    stalled = cut(10)
    scripted_server.respond_with(recording(scripted_server), Reply(stalled.data, "hang"), Reply(b"", "hang"))
    client = RoomsClient("KEY", base_url=scripted_server.url, clock=fake_clock.clock, attempt_timeout=0.1)
    with pytest.raises(APITimeoutError) as caught:
        await fetch(client, tmp_path / "file.webm")
    assert ranges(scripted_server) == [None, "bytes=10-", "bytes=10-"]
    assert "CANARY" not in str(caught.value)


async def test_a_store_that_is_not_there(
    client: RoomsClient, scripted_server: ScriptedServer, tmp_path: Path
) -> None:
    """A store that cannot be reached is a ConnectError without the link in it."""
    scripted_server.respond_with(
        recording(scripted_server, download_url="https://nowhere.invalid/file?signature=CANARY")
    )
    with pytest.raises(ConnectError) as caught:
        await fetch(client, tmp_path / "file.webm")
    assert "CANARY" not in f"{caught.value!r} {caught.value} {caught.value.attempts}"


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "processing", "download_url": None},
        {"download_url": None},
        {"status": "processing"},
        {"status": None},
    ],
    ids=["processing", "no link", "a link too early", "no status"],
)
async def test_what_is_not_ready(
    client: RoomsClient, scripted_server: ScriptedServer, tmp_path: Path, fields: dict[str, object]
) -> None:
    """Before it is completed there is no file, and that is told."""
    scripted_server.respond_with(recording(scripted_server, **fields))
    with pytest.raises(NotReadyError) as caught:
        await fetch(client, tmp_path / "file.webm")
    assert caught.value.id == "a-recording"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url",
    [
        "not a url",
        "ftp://example.com/x",
        "http://[::1/x",
        "http://[::1]x/x",
        "https://a b/x",
        "http://127.0.0.1/\0",
        "http://127.0.0.1/\x7f",
        "http://127.0.0.1\\@example.com/x",
    ],
)
async def test_a_link_that_is_none(
    client: RoomsClient, scripted_server: ScriptedServer, tmp_path: Path, url: str
) -> None:
    """A link that is no URL is an unreadable answer, and is not shown."""
    scripted_server.respond_with(recording(scripted_server, download_url=url))
    with pytest.raises(APIResponseValidationError) as caught:
        await fetch(client, tmp_path / "file.webm")
    assert url not in str(caught.value)


async def test_targets_that_are_none(
    client: RoomsClient, scripted_server: ScriptedServer, tmp_path: Path
) -> None:
    """What cannot take a file is refused before anything is sent; a missing folder is the system's error."""
    for target in (7, None, tmp_path):
        with pytest.raises(InvalidArgumentError, match="target must be a"):
            await client.recordings.download("a-recording", target)  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(FileNotFoundError):
        await fetch(client, tmp_path / "nowhere" / "file.webm")
    assert scripted_server.requests == []


async def test_a_full_disk(client: RoomsClient, scripted_server: ScriptedServer, tmp_path: Path) -> None:
    """An error of the writer is raised as it is: it is not the network's."""

    class Full(io.BytesIO):
        def write(self, _: object, /) -> int:
            raise OSError(28, "No space left on device")

    scripted_server.respond_with(recording(scripted_server), whole())
    with pytest.raises(OSError, match="No space left") as caught:
        await fetch(client, Full())
    assert type(caught.value) is OSError
    assert len(scripted_server.requests) == 2


async def test_a_cancelled_download_leaves_nothing(
    client: RoomsClient, scripted_server: ScriptedServer, tmp_path: Path
) -> None:
    """Cancellation passes untouched, closes the connection, and takes the partial file away."""
    scripted_server.respond_with(recording(scripted_server), Reply(cut(1_000).data, "hang"))
    arrived = asyncio.Event()
    async with client:
        call = asyncio.create_task(
            client.recordings.download(
                "a-recording", tmp_path / "file.webm", progress=lambda _done, _total: arrived.set()
            )
        )
        await arrived.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert list(tmp_path.iterdir()) == []


async def test_closing_ends_a_download(
    scripted_server: ScriptedServer, fake_clock: FakeClock, tmp_path: Path
) -> None:
    """A download on its way ends with ClientClosedError, not as if it were cancelled, and leaves no file."""
    scripted_server.respond_with(recording(scripted_server), Reply(b"", "hang"))
    client = RoomsClient("KEY", base_url=scripted_server.url, clock=fake_clock.clock)
    download = asyncio.create_task(client.recordings.download("a-recording", tmp_path / "file.webm"))
    while len(scripted_server.requests) < 2:
        await asyncio.sleep(0)
    await client.close()
    with pytest.raises(ClientClosedError):
        await download
    assert list(tmp_path.iterdir()) == []


async def test_a_link_that_is_never_good_is_given_up(
    client: RoomsClient, scripted_server: ScriptedServer, tmp_path: Path
) -> None:
    """When the fresh link is refused as well, the download ends: it does not ask for ever."""
    scripted_server.respond_with(
        recording(scripted_server),
        cut(10),
        ScriptedServer.http(403),
        recording(scripted_server),
        ScriptedServer.http(403),
        recording(scripted_server),
    )
    with pytest.raises(PermissionDeniedError):
        await fetch(client, tmp_path / "file.webm")
    assert ranges(scripted_server) == [None, "bytes=10-", "bytes=10-"]


UNTOLD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nETag: " + ETAG.encode() + b"\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """Write one chunk."""
    return b"%x\r\n%s\r\n" % (len(data), data)


async def test_a_file_of_unknown_length_is_resumed(
    client: RoomsClient, scripted_server: ScriptedServer
) -> None:
    """A cut in a file whose length was not told is resumed too, and the length learnt from the part."""
    scripted_server.respond_with(
        recording(scripted_server), ScriptedServer.raw(UNTOLD + chunk(FILE[:1_000])), part(1_000)
    )
    target = io.BytesIO()
    await fetch(client, target)
    assert target.getvalue() == FILE


async def test_a_file_of_unknown_length_that_was_whole(
    client: RoomsClient, scripted_server: ScriptedServer
) -> None:
    """When only the last chunk was lost, the store says that there is nothing beyond."""
    beyond = ScriptedServer.http(416, Content_Range=f"bytes */{len(FILE)}")
    scripted_server.respond_with(recording(scripted_server), ScriptedServer.raw(UNTOLD + chunk(FILE)), beyond)
    target = io.BytesIO()
    await fetch(client, target)
    assert target.getvalue() == FILE


async def test_another_shorter_file_is_no_end(client: RoomsClient, scripted_server: ScriptedServer) -> None:
    """A store that begins anew with less than is there already has not sent the same file."""
    other = ScriptedServer.raw(UNTOLD + chunk(b"other") + b"0\r\n\r\n", "keep")
    scripted_server.respond_with(
        recording(scripted_server), ScriptedServer.raw(UNTOLD + chunk(FILE[:1_000])), other
    )
    with pytest.raises(ConnectionLostError):
        await fetch(client, io.BytesIO())


async def test_a_part_shorter_than_asked(client: RoomsClient, scripted_server: ScriptedServer) -> None:
    """The length is checked: a part that ends early is asked for again from there."""
    short = ScriptedServer.http(206, FILE[10:50], ETag=ETAG, Content_Range=f"bytes 10-49/{len(FILE)}")
    scripted_server.respond_with(recording(scripted_server), cut(10), short, part(50))
    target = io.BytesIO()
    await fetch(client, target)
    assert target.getvalue() == FILE


async def test_writers_of_every_manner(client: RoomsClient, scripted_server: ScriptedServer) -> None:
    """A writer may take its bytes asynchronously, or a few at a time: all arrive."""
    taken = bytearray()

    class Slow:
        def write(self, data: bytes, /) -> int:
            taken.extend(data[:7_000])
            return min(7_000, len(data))

    class Asynchronous:
        async def write(self, data: bytes, /) -> None:
            taken.extend(data)

    async with client:
        for writer in (Slow(), Asynchronous()):
            scripted_server.respond_with(recording(scripted_server), whole())
            taken.clear()
            await client.recordings.download("a-recording", writer)
            assert bytes(taken) == FILE
        with pytest.raises(InvalidArgumentError, match="binary mode"):
            await client.recordings.download("a-recording", io.StringIO())  # type: ignore[arg-type]  # wrong on purpose


async def test_what_a_writer_says_is_not_taken_for_a_count(
    client: RoomsClient, scripted_server: ScriptedServer
) -> None:
    """A writer may return what it likes: only the number of a part means that a part was taken."""
    said: list[object] = [True, False, "1", 2.5, -1, 2**40, None]
    async with client:
        for each in said:
            taken = bytearray()

            class Chatty:
                def write(self, data: bytes, /, taken: bytearray = taken, each: object = each) -> object:
                    taken.extend(data)
                    return each

            scripted_server.respond_with(recording(scripted_server), whole())
            await client.recordings.download("a-recording", Chatty())
            assert bytes(taken) == FILE


class Raw(io.RawIOBase):
    """A raw file that takes some bytes, and then nothing for now."""

    def __init__(self, then: int | None) -> None:
        self.then = then
        self.size = 0

    def write(self, data: Any, /) -> int | None:
        """Take ten bytes at first."""
        if self.size:
            return self.then
        self.size = 10
        return 10


@pytest.mark.parametrize("then", [0, None])
async def test_a_writer_that_takes_nothing_is_an_error(
    client: RoomsClient, scripted_server: ScriptedServer, then: int | None
) -> None:
    """A raw file that would block ends the download: it neither hangs nor leaves out what was not taken."""
    scripted_server.respond_with(recording(scripted_server), whole())
    async with client, asyncio.timeout(10):
        with pytest.raises(BlockingIOError, match="the writer accepts no more bytes"):
            await client.recordings.download("a-recording", Raw(then))


async def test_every_attempt_at_a_file_is_told(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    """The hook sees each request to the store, the good one too, and apart from those to the API."""
    attempts: list[Attempt] = []
    scripted_server.respond_with(
        recording(scripted_server), cut(1_000), ScriptedServer.http(503), part(1_000)
    )
    client = RoomsClient(
        "KEY", base_url=scripted_server.url, clock=fake_clock.clock, on_attempt=attempts.append
    )
    await fetch(client, io.BytesIO())
    assert [(each.operation, each.template, each.number, each.status) for each in attempts] == [
        ("ViewRoomRecording", "/room_recordings/{room_recording_id}", 1, 200),
        ("download", "{download_url}", 1, None),
        ("download", "{download_url}", 2, 503),
        ("download", "{download_url}", 3, 206),
    ]
    assert [each.failure for each in attempts] == [None, "lost", None, None]
    assert [each.wait is None for each in attempts] == [True, False, False, True]


async def test_what_is_no_file_is_not_replaced(
    client: RoomsClient, scripted_server: ScriptedServer, tmp_path: Path
) -> None:
    """A pipe or a device is refused, a link is followed, and a path that is none is told."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    async with client:
        for target in (tmp_path / "pipe", "/dev/null", tmp_path / "a\0b"):
            with pytest.raises(InvalidArgumentError, match="target must be"):
                await client.recordings.download("a-recording", target)
        assert scripted_server.requests == []
        scripted_server.respond_with(recording(scripted_server), whole())
        await client.recordings.download("a-recording", tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == FILE


async def test_cancelling_at_any_moment_leaves_nothing(
    client: RoomsClient, scripted_server: ScriptedServer, tmp_path: Path
) -> None:
    """However early a download is cancelled, no partial file stays."""
    scripted_server.respond_with(recording(scripted_server))
    async with client:
        for turns in range(12):
            call = asyncio.create_task(client.recordings.download("a-recording", tmp_path / "file"))
            for _ in range(turns):
                await asyncio.sleep(0)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
    assert list(tmp_path.iterdir()) == []


async def test_a_borrowed_session_keeps_its_header_from_the_store(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    """A header that a lent session has for all its requests is not sent to the store."""
    scripted_server.respond_with(recording(scripted_server), whole())
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer CANARY"}) as session:
        client = RoomsClient("KEY", base_url=scripted_server.url, session=session, clock=fake_clock.clock)
        await client.recordings.download("a-recording", io.BytesIO())
    assert b"authorization" not in scripted_server.requests[-1].lower()


async def test_closing_ends_a_download_under_way(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    """A download that is amid its file when the client is closed ends with that, and does not hang."""
    scripted_server.respond_with(recording(scripted_server), Reply(cut(1_000).data, "hang"))
    client = RoomsClient("KEY", base_url=scripted_server.url, clock=fake_clock.clock, attempt_timeout=0.2)
    begun = asyncio.Event()
    call = asyncio.create_task(
        client.recordings.download("a", io.BytesIO(), progress=lambda _done, _total: begun.set())
    )
    await begun.wait()
    await client.close()
    with pytest.raises(ClientClosedError):
        await call


@pytest.mark.usefixtures("patched_aioresponses")
async def test_a_link_without_tls_is_refused_by_a_client_with_tls() -> None:
    """Whoever reads the network would have the file and the link. The link is not shown."""
    about = {"id": "a", "status": "completed", "download_url": "http://store.test/CANARY"}
    with aioresponses() as api:
        api.get("https://api.test/v2/room_recordings/a", payload={"data": about})
        async with RoomsClient("KEY0123", base_url="https://api.test/v2") as client:
            with pytest.raises(APIResponseValidationError, match="expected an https:// URL") as caught:
                await client.recordings.download("a", io.BytesIO())
    assert "CANARY" not in repr(caught.value)


@pytest.mark.parametrize("limit", [len(FILE), len(FILE) - 1])
async def test_a_file_larger_than_max_bytes_is_refused(
    client: RoomsClient, scripted_server: ScriptedServer, tmp_path: Path, limit: int
) -> None:
    """The limit is checked against the length that the store announces, and nothing is left on the disk."""
    scripted_server.respond_with(recording(scripted_server), whole())
    async with client:
        if limit < len(FILE):
            with pytest.raises(ResponseTooLargeError, match="larger than max_bytes"):
                await client.recordings.download("a-recording", tmp_path / "file.webm", max_bytes=limit)
            assert list(tmp_path.iterdir()) == []
        else:
            file = await client.recordings.download("a-recording", tmp_path / "file.webm", max_bytes=limit)
            assert file.size == limit


async def test_a_resumed_download_names_the_version_of_the_file(
    client: RoomsClient, scripted_server: ScriptedServer
) -> None:
    """`If-Range` lets a store that has another file by now send it whole."""
    scripted_server.respond_with(recording(scripted_server), cut(1000), part(1000))
    target = io.BytesIO()
    await fetch(client, target)
    assert target.getvalue() == FILE
    assert b'if-range: "v1"' in scripted_server.requests[2].lower()


async def test_a_file_is_private_and_on_the_disk_before_it_has_its_name(
    client: RoomsClient, scripted_server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data is synchronized before the rename, the folder after it; only the owner can read the file."""
    order: list[str] = []
    sync, replace = os.fsync, Path.replace

    def watched_sync(descriptor: int) -> None:
        order.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        sync(descriptor)

    def watched_replace(self: Path, target: Path) -> Path:
        order.append("replace")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", watched_sync)
    monkeypatch.setattr(Path, "replace", watched_replace)
    scripted_server.respond_with(recording(scripted_server), whole())
    target = tmp_path / ("a" * 255)
    await fetch(client, target)
    assert order == ["file", "replace", "folder"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
