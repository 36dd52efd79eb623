"""Files that are complete under their final name or not there."""

import errno
import os
import secrets
import stat
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from telnyx_rooms_async.atomic_write import TEMPORARY_NAME, AtomicFile, move


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
