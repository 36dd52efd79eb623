"""Downloads from a scripted store: lost connections, expired links, wrong parts, paths and writers."""

import asyncio
import errno
import gc
import io
import json
import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp
import pytest
from aioresponses import aioresponses

from telnyx_rooms_async import (
    APIResponseValidationError,
    Attempt,
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
    RetryPolicy,
    RoomRecording,
    RoomsClient,
    UnexpectedRedirectError,
)
from telnyx_rooms_async.resources.downloads import Progress
from tests.helpers.clocks import FakeClock, wait_until
from tests.helpers.raw_server import running
from tests.helpers.scripted_server import Reply, ScriptedServer

FILE = bytes(range(256)) * 400
ETAG = '"v1"'
CHUNKED_HEAD = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nETag: "v1"\r\n\r\n'
Store: TypeAlias = Callable[..., None]


def recording(server: ScriptedServer, **fields: object) -> Reply:
    url = server.url.replace("/v2", "/store/file.webm?signature=CANARY")
    item = {"id": "a-recording", "status": "completed", "download_url": url, **fields}
    return ScriptedServer.http(200, json.dumps({"data": item}).encode())


def complete(data: bytes = FILE) -> Reply:
    return ScriptedServer.http(200, data, ETag=ETAG, Content_Type="video/webm")


def part(
    start: int,
    *,
    stop: int | None = None,
    lost_at: int | None = None,
    total: int = len(FILE),
    etag: str = ETAG,
) -> Reply:
    """Return a part of the file; with `lost_at` its connection is lost."""
    stop = len(FILE) if stop is None else stop
    body = FILE[start:stop]
    last = total - 1 if stop == len(FILE) else stop - 1
    reply = ScriptedServer.http(206, body, ETag=etag, Content_Range=f"bytes {start}-{last}/{total}")
    if lost_at is None:
        return reply
    return ScriptedServer.raw(reply.data[: len(reply.data) - len(body) + lost_at - start])


def lost(at: int) -> Reply:
    reply = complete().data
    return ScriptedServer.raw(reply[: len(reply) - len(FILE) + at])


def chunked(data: bytes, *, is_complete: bool) -> Reply:
    end = b"0\r\n\r\n" if is_complete else b""
    body = CHUNKED_HEAD + b"%x\r\n%s\r\n" % (len(data), data) + end
    return ScriptedServer.raw(body, "keep" if is_complete else "close")


def ranges(server: ScriptedServer) -> list[str | None]:
    """Return the Range headers of the requests to the store."""
    heads = [request.decode("latin-1").lower() for request in server.requests]
    values = [head.partition("\r\nrange: ")[2].partition("\r\n")[0] for head in heads if " /store/" in head]
    return [value or None for value in values]


@pytest.fixture
def client(scripted_server: ScriptedServer, fake_clock: FakeClock) -> RoomsClient:
    return RoomsClient("KEY0123", base_url=scripted_server.url, clock=fake_clock.clock)


@pytest.fixture
def store(scripted_server: ScriptedServer) -> Store:
    """Return a function that sets the responses of the store, after that of the API."""

    def respond(*replies: Reply, **fields: object) -> None:
        scripted_server.respond_with(recording(scripted_server, **fields), *replies)

    return respond


async def download(client: RoomsClient, target: str | os.PathLike[str] | io.BytesIO) -> DownloadedFile:
    async with client:
        return await client.recordings.download("a-recording", target)


@pytest.mark.parametrize("data", [FILE, b""], ids=["bytes", "empty"])
async def test_file_replaces_the_path_and_key_and_headers_stay_with_the_api(
    scripted_server: ScriptedServer, store: Store, tmp_path: Path, data: bytes
) -> None:
    store(complete(data))
    headers = {"X-Gateway-Key": "KEY0123"}
    client = RoomsClient(
        "KEY0123", base_url=scripted_server.url, default_headers=headers, user_agent_suffix="my-app/1.2"
    )
    target = tmp_path / ("a" * 255)
    target.write_bytes(b"an older one")
    file = await download(client, target)
    assert file == DownloadedFile(path=target, size=len(data), content_type="video/webm")
    assert target.read_bytes() == data
    assert list(tmp_path.iterdir()) == [target]
    api_request, store_request = scripted_server.requests
    assert b"Authorization: Bearer KEY0123" in api_request
    assert b"X-Gateway-Key: KEY0123" in api_request
    assert b"my-app/1.2\r\n" in store_request
    assert b"KEY0123" not in store_request
    assert b"authorization" not in store_request.lower()


@pytest.mark.parametrize("size", [len(FILE), None])
async def test_file_is_written_to_a_writer_with_progress(
    client: RoomsClient, store: Store, size: int | None
) -> None:
    store(complete() if size else chunked(FILE, is_complete=True))
    steps: list[tuple[int, int | None]] = []
    target = io.BytesIO()
    async with client:
        file = await client.compositions.download(
            "a-composition", target, progress=lambda received, total: steps.append((received, total))
        )
    assert (file.path, file.size) == (None, len(FILE))
    assert target.getvalue() == FILE
    assert steps[-1] == (len(FILE), size)
    assert [received for received, _ in steps] == sorted({received for received, _ in steps})


async def test_lost_connections_are_resumed_and_an_expired_link_is_renewed(
    client: RoomsClient,
    scripted_server: ScriptedServer,
    store: Store,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store(
        lost(1_000),
        part(1_000, lost_at=50_000),
        ScriptedServer.http(403, b"<Error><Code>AccessDenied</Code></Error>"),
        recording(scripted_server),
        part(50_000, lost_at=90_000),
        part(90_000),
    )
    assert (await download(client, tmp_path / "file.webm")).size == len(FILE)
    assert (tmp_path / "file.webm").read_bytes() == FILE
    starts = (1_000, 50_000, 50_000, 90_000)
    assert ranges(scripted_server) == [None, *(f"bytes={start}-" for start in starts)]
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 4
    assert "CANARY" not in caplog.text


@pytest.mark.parametrize(
    "replies",
    [
        (lost(70_000), complete()),
        (lost(10), part(10, stop=50), part(50)),
        (chunked(FILE[:1_000], is_complete=False), part(1_000)),
        (chunked(FILE, is_complete=False), ScriptedServer.http(416, Content_Range=f"bytes */{len(FILE)}")),
    ],
    ids=["the store ignores ranges", "a part is too short", "unknown size", "unknown size, lost at the end"],
)
async def test_file_is_complete_after_these_responses(
    client: RoomsClient, store: Store, replies: tuple[Reply, ...]
) -> None:
    store(*replies)
    target = io.BytesIO()
    await download(client, target)
    assert target.getvalue() == FILE


async def test_retries_of_a_download_that_succeeds_cost_no_budget(
    scripted_server: ScriptedServer, store: Store, fake_clock: FakeClock
) -> None:
    policy, small = RetryPolicy(budget=14), complete(bytes(100))
    async with RoomsClient(
        "KEY", base_url=scripted_server.url, clock=fake_clock.clock, retry=policy
    ) as client:
        for _ in range(3):
            store(ScriptedServer.raw(small.data[:-50]), small)
            assert (await client.recordings.download("a-recording", io.BytesIO())).size == 100


FAILURES: dict[str, tuple[tuple[Reply, ...], type[Exception], int]] = {
    "no byte": ((ScriptedServer.raw(b""),), ConnectionLostError, 3),
    "500": ((ScriptedServer.http(500),), InternalServerError, 3),
    "403": ((ScriptedServer.http(403),), PermissionDeniedError, 1),
    "404": ((ScriptedServer.http(404),), NotFoundError, 1),
    "redirect": ((ScriptedServer.http(302, Location="http://example.com"),), UnexpectedRedirectError, 1),
    "other part": ((lost(10), part(5)), MalformedResponseError, 2),
    "later part": ((lost(10), part(20)), MalformedResponseError, 2),
    "other size of the whole file": ((lost(10), complete(FILE + b"more")), MalformedResponseError, 2),
    "other size": ((lost(10), part(10, total=7)), MalformedResponseError, 2),
    "part without a range": ((lost(10), ScriptedServer.http(206, FILE[10:])), MalformedResponseError, 2),
    "shorter file of unknown size": (
        (chunked(FILE[:1_000], is_complete=False), chunked(b"other", is_complete=True)),
        ConnectionLostError,
        3,
    ),
    "not HTTP": ((ScriptedServer.raw(b"garbage\r\n\r\n"),), MalformedResponseError, 1),
}


@pytest.mark.parametrize(("replies", "error", "requests"), FAILURES.values(), ids=FAILURES)
async def test_failed_download_leaves_the_old_file(
    client: RoomsClient,
    scripted_server: ScriptedServer,
    store: Store,
    tmp_path: Path,
    *,
    replies: tuple[Reply, ...],
    error: type[Exception],
    requests: int,
) -> None:
    store(*replies)
    target = tmp_path / "file.webm"
    target.write_bytes(b"an older one")
    with pytest.raises(error) as caught:
        await download(client, target)
    assert [path.name for path in tmp_path.iterdir()] == ["file.webm"]
    assert target.read_bytes() == b"an older one"
    assert len(ranges(scripted_server)) == requests
    assert "CANARY" not in f"{caught.value!r} {caught.value} {vars(caught.value)}"


async def test_renewed_link_that_is_rejected_ends_the_download(
    client: RoomsClient, scripted_server: ScriptedServer, store: Store
) -> None:
    rejected = ScriptedServer.http(403)
    store(lost(10), rejected, recording(scripted_server), rejected, recording(scripted_server))
    with pytest.raises(PermissionDeniedError):
        await download(client, io.BytesIO())
    assert ranges(scripted_server) == [None, "bytes=10-", "bytes=10-"]


async def test_unreachable_store_is_a_connect_error_without_the_link(
    client: RoomsClient, store: Store
) -> None:
    store(download_url="https://nowhere.invalid/file?signature=CANARY")
    with pytest.raises(ConnectError) as caught:
        await download(client, io.BytesIO())
    assert "CANARY" not in f"{caught.value!r} {caught.value} {caught.value.attempts}"


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "processing", "download_url": None},
        {"download_url": None},
        {"status": "processing"},
        {"status": None},
    ],
    ids=str,
)
async def test_unfinished_recording_has_no_file(
    client: RoomsClient, store: Store, tmp_path: Path, fields: dict[str, object]
) -> None:
    store(**fields)
    with pytest.raises(NotReadyError) as caught:
        await download(client, tmp_path / "file.webm")
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
async def test_invalid_link_is_refused_and_not_shown(client: RoomsClient, store: Store, url: str) -> None:
    store(download_url=url)
    with pytest.raises(APIResponseValidationError) as caught:
        await download(client, io.BytesIO())
    assert url not in str(caught.value)


@pytest.mark.usefixtures("patched_aioresponses")
async def test_http_link_is_refused_by_an_https_client() -> None:
    item = {"id": "a", "status": "completed", "download_url": "http://store.test/CANARY"}
    with aioresponses() as api:
        api.get("https://api.test/v2/room_recordings/a", payload={"data": item})
        async with RoomsClient("KEY0123", base_url="https://api.test/v2") as client:
            with pytest.raises(APIResponseValidationError, match="expected an https:// URL") as caught:
                await client.recordings.download("a", io.BytesIO())
    assert "CANARY" not in repr(caught.value)


async def test_headers_of_a_borrowed_session_are_not_sent_to_the_store(
    scripted_server: ScriptedServer, store: Store
) -> None:
    store(complete())
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer CANARY"}) as session:
        client = RoomsClient("KEY", base_url=scripted_server.url, session=session)
        await client.recordings.download("a-recording", io.BytesIO())
    assert b"authorization" not in scripted_server.requests[-1].lower()


async def test_file_larger_than_max_bytes_is_refused(
    client: RoomsClient, store: Store, tmp_path: Path
) -> None:
    target = tmp_path / "file.webm"
    async with client:
        store(complete())
        with pytest.raises(ResponseTooLargeError, match="larger than max_bytes"):
            await client.recordings.download("a-recording", target, max_bytes=len(FILE) - 1)
        assert list(tmp_path.iterdir()) == []
        store(complete())
        file = await client.recordings.download("a-recording", target, max_bytes=len(FILE))
    assert file.size == len(FILE)


async def test_every_attempt_is_reported(
    scripted_server: ScriptedServer, store: Store, fake_clock: FakeClock
) -> None:
    attempts: list[Attempt] = []
    store(lost(1_000), ScriptedServer.http(503), part(1_000))
    client = RoomsClient(
        "KEY", base_url=scripted_server.url, clock=fake_clock.clock, on_attempt=attempts.append
    )
    await download(client, io.BytesIO())
    assert [(attempt.operation, attempt.number, attempt.status, attempt.failure) for attempt in attempts] == [
        ("ViewRoomRecording", 1, 200, None),
        ("download", 1, None, "lost"),
        ("download", 2, 503, None),
        ("download", 3, 206, None),
    ]
    assert {attempt.template for attempt in attempts[1:]} == {"{download_url}"}
    assert [attempt.wait is None for attempt in attempts] == [True, False, False, True]


# --- paths --------------------------------------------------------------------------------------------------


async def test_invalid_target_or_option_is_refused_before_a_request(
    client: RoomsClient, scripted_server: ScriptedServer, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    targets: list[Any] = [7, None, io.StringIO(), tmp_path, tmp_path / "pipe", "/dev/null", tmp_path / "a\0b"]
    for target in targets:
        with pytest.raises(InvalidArgumentError, match="target must be "):
            await client.recordings.download("a-recording", target)
    options: list[dict[str, Any]] = [{"max_bytes": -1}, {"max_bytes": "1"}, {"progress": 7}, {"progress": ""}]
    for option in options:
        with pytest.raises(InvalidArgumentError, match=f"^{next(iter(option))} must be "):
            await client.recordings.download("a-recording", io.BytesIO(), **option)
    with pytest.raises(FileNotFoundError):
        await download(client, tmp_path / "nowhere" / "file.webm")
    assert scripted_server.requests == []


async def test_links_are_followed(client: RoomsClient, store: Store, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real")
    store(complete())
    await download(client, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == FILE


def raise_io_error(*_: object, **__: object) -> Any:
    raise OSError(errno.EIO, "Input/output error")


@pytest.mark.parametrize("name", ["fsync", "replace", "open"])
async def test_failed_write_leaves_only_the_old_file(
    client: RoomsClient, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    store(complete(b"x" * 3_000_000))
    target = tmp_path / "file"
    target.write_bytes(b"old")
    monkeypatch.setattr(os, name, raise_io_error)
    with pytest.raises(OSError, match="Input/output error"):
        await download(client, target)
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == [target]
    assert target.read_bytes() == b"old"


# --- writers ------------------------------------------------------------------------------------------------


async def test_writers_may_be_async_and_may_write_a_part(client: RoomsClient, store: Store) -> None:
    received = bytearray()

    class PartialWriter:
        def write(self, data: bytes, /) -> int:
            received.extend(data[:7_000])
            return min(7_000, len(data))

    class AsyncWriter:
        async def write(self, data: bytes, /) -> None:
            received.extend(data)

    class OtherWriter:
        """Returns what is no number of bytes, which means all."""

        def __init__(self, result: object) -> None:
            self.result = result

        def write(self, data: bytes, /) -> Any:
            received.extend(data)
            return self.result

    results: tuple[object, ...] = (True, False, "1", 2.5, -1, 2**40, None)
    writers: list[Any] = [PartialWriter(), AsyncWriter(), *map(OtherWriter, results)]
    async with client:
        for writer in writers:
            store(complete())
            received.clear()
            await client.recordings.download("a-recording", writer)
            assert bytes(received) == FILE


@pytest.mark.parametrize("result", [0, None])
async def test_raw_writer_that_accepts_no_bytes_is_an_error(
    client: RoomsClient, store: Store, result: int | None
) -> None:
    class Writer(io.RawIOBase):
        results: Any = iter([10])

        def write(self, _: Any, /) -> int | None:
            return next(self.results, result)

    store(complete())
    async with client, asyncio.timeout(60):
        with pytest.raises(BlockingIOError, match="the writer accepts no more bytes"):
            await client.recordings.download("a-recording", Writer())


async def test_error_of_the_writer_is_raised_unchanged(
    client: RoomsClient, scripted_server: ScriptedServer, store: Store
) -> None:
    class FullWriter(io.BytesIO):
        def write(self, _: object, /) -> int:
            raise OSError(28, "No space left on device")

    store(complete())
    with pytest.raises(OSError, match="No space left") as caught:
        await download(client, FullWriter())
    assert type(caught.value) is OSError
    assert len(scripted_server.requests) == 2


# --- progress -----------------------------------------------------------------------------------------------


async def test_progress_hooks_of_every_kind_are_awaited(client: RoomsClient, store: Store) -> None:
    seen: list[str] = []

    async def hook(_done: int, _total: int | None, name: str = "function") -> None:
        await asyncio.sleep(0)
        seen.append(name)

    class Hook:
        async def __call__(self, _done: int, _total: int | None) -> None:
            await hook(0, None, "object")

    hooks: list[Progress] = [
        hook,
        Hook(),
        partial(hook, name="partial"),
        lambda done, total: hook(done, total, "lambda"),
        lambda _done, _total: seen.append("plain"),
    ]
    async with client:
        for progress in hooks:
            store(complete())
            await client.recordings.download("a-recording", io.BytesIO(), progress=progress)
    assert list(dict.fromkeys(seen)) == ["function", "object", "partial", "lambda", "plain"]


async def test_error_of_an_async_progress_hook_ends_the_download(
    client: RoomsClient, store: Store, tmp_path: Path
) -> None:
    async def hook(_done: int, _total: int | None) -> None:
        raise LookupError("no bar")

    store(complete())
    async with client:
        with pytest.raises(LookupError, match="no bar"):
            await client.recordings.download("a-recording", tmp_path / "film", progress=hook)
    assert list(tmp_path.iterdir()) == []


# --- cancellation and the end of event loops ----------------------------------------------------------------


@pytest.mark.parametrize("turns", [*range(12), None])
async def test_download_cancelled_at_any_moment_leaves_no_file(
    client: RoomsClient, store: Store, tmp_path: Path, turns: int | None
) -> None:
    store(Reply(lost(1_000).data, "hang"))
    has_received = asyncio.Event()
    call = client.recordings.download(
        "a-recording", tmp_path / "file", progress=lambda *_: has_received.set()
    )
    async with client:
        task = asyncio.create_task(call)
        for _ in range(turns or 0):
            await asyncio.sleep(0)
        if turns is None:
            await has_received.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert list(tmp_path.iterdir()) == []


async def test_download_cancelled_during_the_commit_is_complete(
    client: RoomsClient, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(complete())
    loop, started, sync = asyncio.get_running_loop(), asyncio.Event(), os.fsync

    def fsync(descriptor: int) -> None:
        loop.call_soon_threadsafe(started.set)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    async with client:
        call = asyncio.create_task(client.recordings.download("a-recording", tmp_path / "file"))
        await started.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == FILE


def test_abandoned_downloads_of_a_closed_event_loop_hold_no_connection() -> None:
    client = RoomsClient("KEY", base_url="http://127.0.0.1:1/v2", max_connections=1)

    async def download(data: bytes, *, is_abandoned: bool) -> None:
        reply = ScriptedServer.raw(b"", "hang") if is_abandoned else ScriptedServer.http(200, data)
        async with running(ScriptedServer(script=[reply])) as server:
            url = server.url.replace("/v2", "/store/file")
            recording = RoomRecording(id="a", status="completed", download_url=url)
            sizes = [asyncio.create_task(client.recordings.file_size(recording)) for _ in range(3)]
            if is_abandoned:
                await wait_until(lambda: bool(server.requests))
            else:
                assert await asyncio.gather(*sizes) == [len(data)] * 3

    asyncio.run(download(b"", is_abandoned=True))
    asyncio.run(download(b"whole", is_abandoned=False))
    asyncio.run(client.close())


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_download_destroyed_with_its_event_loop_leaves_no_file(tmp_path: Path) -> None:
    async def begin() -> "asyncio.Task[DownloadedFile]":
        server = ScriptedServer()
        server.bind()
        await server.listen()
        server.respond_with(recording(server), Reply(lost(1_000).data, "hang"))
        client, arrived = RoomsClient("KEY", base_url=server.url), asyncio.Event()
        kept.extend((client, server))
        download = client.recordings.download("a", tmp_path / "file", progress=lambda *_: arrived.set())
        task = asyncio.create_task(download)
        await arrived.wait()
        return task

    kept: list[object] = []
    loop = asyncio.new_event_loop()
    task = loop.run_until_complete(begin())
    loop.close()
    assert list(tmp_path.iterdir())
    coroutine: Any = task.get_coro()
    with suppress(RuntimeError):  # aiohttp has no loop to close its connection in
        coroutine.close()
    assert list(tmp_path.iterdir()) == []
    kept.clear()
    del task, coroutine
    gc.collect()
