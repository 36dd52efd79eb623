"""Files that are complete under their name or not there: what the disk sees, and what it is left with."""

import asyncio
import errno
import gc
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from telnyx_rooms_async import DownloadedFile, RoomRecording, RoomsClient
from telnyx_rooms_async.atomic_write import TEMPORARY_NAME, AtomicFile, move
from tests.helpers.clocks import FakeClock
from tests.helpers.scripted_server import Reply, ScriptedServer


def written(target: Path, data: bytes = b"new") -> AtomicFile:
    """Return a file with data that is not committed yet."""
    file = AtomicFile(target)
    file.file.write(data)
    return file


def no(*_: object, **__: object) -> Any:
    """Fail as a disk does."""
    raise OSError(errno.EIO, "Input/output error")


@pytest.mark.parametrize("move_after", [False, True])
def test_data_is_on_the_disk_before_the_name_and_the_name_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, move_after: bool
) -> None:
    """A power loss at any moment leaves the old file or the new one, both complete."""
    order: list[str] = []
    sync, replace = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        size = os.fstat(descriptor).st_size
        order.append("folder" if is_folder else f"{size} bytes")
        sync(descriptor)

    def record_replace(source: Path, target: Path) -> None:
        order.append("replace")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", record_replace)
    file = written(tmp_path / "file")
    file.commit()
    if move_after:
        move(tmp_path / "file", tmp_path / "other")
    assert order == ["3 bytes", "replace", "folder", *(["replace", "folder"] if move_after else [])]


@pytest.mark.parametrize("name", ["fsync", "replace"])
def test_failed_commit_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """An error of the disk is raised, and the temporary file is removed."""
    target = tmp_path / "file"
    target.write_bytes(b"old")
    file = written(target)
    monkeypatch.setattr(os, name, no)
    with pytest.raises(OSError, match="Input/output error"):
        file.commit()
    file.discard()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"file": b"old"}


def test_folder_that_cannot_be_synchronized_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some file systems synchronize no folders: the file is there all the same."""
    sync = os.fsync

    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    written(tmp_path / "file").commit()
    assert (tmp_path / "file").read_bytes() == b"new"


def test_error_of_the_folder_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When it is not certain that the name is on the disk, that is an error."""
    file = written(tmp_path / "file")
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: no() if stat.S_ISDIR(os.fstat(fd).st_mode) else sync(fd))
    with pytest.raises(OSError, match="Input/output error"):
        file.commit()


def test_only_the_owner_can_read_a_new_file_at_any_time(tmp_path: Path) -> None:
    """Neither the temporary nor the final file can be read by others, whatever the umask."""
    mask = os.umask(0)
    try:
        file = written(tmp_path / "file")
        (temporary,) = tmp_path.iterdir()
        assert TEMPORARY_NAME.fullmatch(temporary.name)
        assert stat.S_IMODE(temporary.stat().st_mode) == 0o600
        file.commit()
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600


def test_replaced_file_keeps_the_permissions_that_its_owner_gave(tmp_path: Path) -> None:
    """Who has let others read a file goes on to."""
    target = tmp_path / "file"
    target.write_bytes(b"old")
    target.chmod(0o640)
    written(target).commit()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_temporary_name_that_is_taken_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that another process writes is neither overwritten nor removed."""
    monkeypatch.setattr(secrets, "token_hex", lambda size: "0" * 2 * size)
    other = written(tmp_path / "other", b"of another")
    with pytest.raises(FileExistsError):
        AtomicFile(tmp_path / "file")
    other.commit()
    assert (tmp_path / "other").read_bytes() == b"of another"


# --- downloads that use it ----------------------------------------------------------------------------------


def file_of(scripted_server: ScriptedServer, reply: Reply) -> None:
    """Answer with a recording, whose file is answered with this."""
    url = scripted_server.url.replace("/v2", "/store/file")
    about = b'{"data": {"id": "a", "status": "completed", "download_url": "%s"}}' % url.encode()
    scripted_server.respond_with(ScriptedServer.http(200, about), reply)


@pytest.mark.parametrize("name", ["fsync", "replace", "open"])
async def test_download_that_cannot_be_written_leaves_nothing(
    scripted_server: ScriptedServer,
    fake_clock: FakeClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    """An error of the disk at the end of a download leaves what was there."""
    file_of(scripted_server, ScriptedServer.http(200, b"x" * 3_000_000))
    target = tmp_path / "file"
    target.write_bytes(b"old")
    monkeypatch.setattr(os, name, no)
    async with RoomsClient("KEY", base_url=scripted_server.url, clock=fake_clock.clock) as client:
        with pytest.raises(OSError, match="Input/output error"):
            await client.recordings.download("a", target)
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"file": b"old"}


async def test_download_cancelled_during_the_commit_is_complete_or_not_there(
    scripted_server: ScriptedServer, fake_clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cancellation while the disk writes is raised after that, and leaves no temporary file."""
    file_of(scripted_server, ScriptedServer.http(200, b"whole"))
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
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"file": b"whole"}


async def test_large_download_is_written_in_few_steps(
    scripted_server: ScriptedServer, fake_clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pieces are collected before a thread writes them, and nothing is written in the event loop."""
    data = os.urandom(5_000_000)
    file_of(scripted_server, ScriptedServer.http(200, data))
    loop = asyncio.get_running_loop()
    run, calls = loop.run_in_executor, 0

    def run_in_executor(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        return run(*args)

    monkeypatch.setattr(loop, "run_in_executor", run_in_executor)
    async with RoomsClient("KEY", base_url=scripted_server.url, clock=fake_clock.clock) as client:
        await client.recordings.download("a", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == data
    assert calls <= 3 + 5


def test_downloads_of_one_client_in_two_event_loops_one_after_the_other() -> None:
    """Downloads that were abandoned with a loop hold no connection of the next one."""
    client = RoomsClient("KEY", base_url="http://127.0.0.1:1/v2", max_connections=1)

    async def download(data: bytes, *, is_abandoned: bool) -> None:
        scripted_server = ScriptedServer()
        server = await asyncio.start_server(scripted_server.serve, "127.0.0.1", 0)
        scripted_server.port = server.sockets[0].getsockname()[1]
        url = scripted_server.url.replace("/v2", "/store/file")
        recording = RoomRecording(id="a", status="completed", download_url=url)
        sizes = [asyncio.create_task(client.recordings.file_size(recording)) for _ in range(3)]
        scripted_server.respond_with(
            ScriptedServer.raw(b"", "hang") if is_abandoned else ScriptedServer.http(200, data)
        )
        if is_abandoned:
            while not scripted_server.requests:
                await asyncio.sleep(0)
        else:
            assert await asyncio.gather(*sizes) == [len(data)] * 3
        server.close()

    asyncio.run(download(b"", is_abandoned=True))
    asyncio.run(download(b"whole", is_abandoned=False))
    asyncio.run(client.close())


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_download_that_is_thrown_away_with_its_event_loop_leaves_no_file(tmp_path: Path) -> None:
    """A loop that is closed amid a download lets nothing be awaited: the file is removed at once."""

    async def begin() -> "asyncio.Task[DownloadedFile]":
        scripted_server = ScriptedServer()
        server = await asyncio.start_server(scripted_server.serve, "127.0.0.1", 0)
        scripted_server.port = server.sockets[0].getsockname()[1]
        file_of(
            scripted_server, ScriptedServer.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "hang")
        )
        client, arrived = RoomsClient("KEY", base_url=scripted_server.url), asyncio.Event()
        kept.extend((client, server))
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
