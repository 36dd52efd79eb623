"""Atomic files, and downloads that use them."""

import asyncio
import errno
import gc
import os
import secrets
import stat
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest

from telnyx_rooms_async import DownloadedFile, RoomRecording, RoomsClient
from telnyx_rooms_async.atomic_write import TEMPORARY_NAME, AtomicFile, move
from tests.helpers.clocks import FakeClock, wait_until
from tests.helpers.raw_server import running
from tests.helpers.scripted_server import Reply, ScriptedServer


def uncommitted(target: Path, data: bytes = b"new") -> AtomicFile:
    file = AtomicFile(target)
    file.open().write(data)
    return file


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def raise_io_error(*_: object, **__: object) -> Any:
    raise OSError(errno.EIO, "Input/output error")


def test_data_is_synced_before_the_rename_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    sync, replace = os.fsync, os.replace

    def record_fsync(descriptor: int) -> None:
        status = os.fstat(descriptor)
        order.append("folder" if stat.S_ISDIR(status.st_mode) else f"{status.st_size} bytes")
        sync(descriptor)

    def record_replace(source: Path, target: Path) -> None:
        order.append("replace")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(os, "replace", record_replace)
    uncommitted(tmp_path / "file").commit()
    move(tmp_path / "file", tmp_path / "other")
    assert order == ["3 bytes", "replace", "folder", "replace", "folder"]


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_failed_commit_leaves_only_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    (tmp_path / "file").write_bytes(b"old")
    file = uncommitted(tmp_path / "file")
    monkeypatch.setattr(os, function, raise_io_error)
    with pytest.raises(OSError, match="Input/output error"):
        file.commit()
    file.discard()
    assert contents(tmp_path) == {"file": b"old"}


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EIO])
def test_only_a_file_system_that_cannot_sync_folders_may_fail_to_do_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    sync = os.fsync

    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="Input/output error") if number == errno.EIO else nullcontext():
        uncommitted(tmp_path / "file").commit()
    assert contents(tmp_path) == {"file": b"new"}


@pytest.mark.parametrize("mode", [None, 0o640])
def test_new_file_is_private_and_a_replaced_file_keeps_its_permissions(
    tmp_path: Path, mode: int | None
) -> None:
    target = tmp_path / "file"
    mask = os.umask(0)
    try:
        file = uncommitted(target)
        (temporary,) = tmp_path.iterdir()
        assert TEMPORARY_NAME.fullmatch(temporary.name)
        assert stat.S_IMODE(temporary.stat().st_mode) == 0o600
        if mode is not None:
            target.touch()
            target.chmod(mode)
        file.commit()
    finally:
        os.umask(mask)
    assert stat.S_IMODE(target.stat().st_mode) == (mode or 0o600)


def test_temporary_file_of_another_process_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "token_hex", lambda size: "0" * 2 * size)
    other = uncommitted(tmp_path / "other", b"of another")
    with pytest.raises(FileExistsError):
        AtomicFile(tmp_path / "file").open()
    other.commit()
    assert contents(tmp_path) == {"other": b"of another"}


# --- downloads ---------------------------------------------------------------------------------------------


def serve_recording(scripted_server: ScriptedServer, reply: Reply) -> None:
    """Respond with a recording, and to the request for its file with `reply`."""
    url = scripted_server.url.replace("/v2", "/store/file")
    about = b'{"data": {"id": "a", "status": "completed", "download_url": "%s"}}' % url.encode()
    scripted_server.respond_with(ScriptedServer.http(200, about), reply)


@pytest.mark.parametrize("name", ["fsync", "replace", "open"])
async def test_failed_write_of_a_download_leaves_only_the_old_file(
    scripted_server: ScriptedServer,
    fake_clock: FakeClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    serve_recording(scripted_server, ScriptedServer.http(200, b"x" * 3_000_000))
    target = tmp_path / "file"
    target.write_bytes(b"old")
    monkeypatch.setattr(os, name, raise_io_error)
    async with RoomsClient("KEY", base_url=scripted_server.url, clock=fake_clock.clock) as client:
        with pytest.raises(OSError, match="Input/output error"):
            await client.recordings.download("a", target)
    monkeypatch.undo()
    assert contents(tmp_path) == {"file": b"old"}


async def test_download_cancelled_during_the_commit_is_complete(
    scripted_server: ScriptedServer, fake_clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve_recording(scripted_server, ScriptedServer.http(200, b"whole"))
    loop, started, sync = asyncio.get_running_loop(), asyncio.Event(), os.fsync

    def fsync(descriptor: int) -> None:
        loop.call_soon_threadsafe(started.set)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    async with RoomsClient("KEY", base_url=scripted_server.url, clock=fake_clock.clock) as client:
        call = asyncio.create_task(client.recordings.download("a", tmp_path / "file"))
        await started.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert contents(tmp_path) == {"file": b"whole"}


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
        scripted_server = ScriptedServer()
        scripted_server.bind()
        await scripted_server.listen()
        serve_recording(
            scripted_server, ScriptedServer.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "hang")
        )
        client, arrived = RoomsClient("KEY", base_url=scripted_server.url), asyncio.Event()
        kept.extend((client, scripted_server))
        target = tmp_path / "file"
        download = client.recordings.download("a", target, progress=lambda *_: arrived.set())
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
