"""Files that are complete under their final name, or not there, also after a power loss."""

import errno
import os
import re
import secrets
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

TEMPORARY_NAME: Final = re.compile(r"\.telnyx-rooms-[0-9a-f]{16}\.part")
"""Matches the names of temporary files, and no name that another program would choose."""
_SYNC_NOT_SUPPORTED: Final = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES})


def temporary_path(folder: Path) -> Path:
    """Return a new path in a folder. The name is short, so that the final name can have any length."""
    return folder / f".telnyx-rooms-{secrets.token_hex(8)}.part"


class AtomicFile:
    """File with a temporary name in the folder of its target, until `commit` renames it to the target.

    As a context manager, it is committed at the end of a block that succeeds. Only its owner can read it. The
    target is a regular file, or does not exist; a symbolic link is replaced, not followed. All methods block,
    and raise `OSError`.
    """

    _file: BinaryIO
    _is_pending = False
    """Whether the temporary file may exist."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._path = temporary_path(target.parent)

    def __enter__(self) -> BinaryIO:
        return self.open()

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        try:
            if error_type is None:
                self.commit()
        finally:
            self.discard()

    def open(self) -> BinaryIO:
        """Create the temporary file, and return it to be written to."""
        self._file = open(self._path, "xb", opener=_open_private)  # noqa: SIM115 - `commit` and `discard` close it
        self._is_pending = True
        return self._file

    def commit(self) -> None:
        """Write the data to the disk, replace the target, and write the new name to the disk.

        After an error it is not certain that the target was replaced, and `discard` must still be called.
        """
        self._file.flush()
        if sys.platform != "win32":
            # The file keeps the permissions of the target, if that belongs to the same owner and group.
            with suppress(FileNotFoundError):
                old, new = self._target.stat(), os.fstat(self._file.fileno())
                if (old.st_uid, old.st_gid) == (new.st_uid, new.st_gid):
                    os.fchmod(self._file.fileno(), stat.S_IMODE(old.st_mode) & 0o777)
        os.fsync(self._file.fileno())
        self._file.close()
        self._path.replace(self._target)
        self._is_pending = False
        _sync_folder(self._target.parent)

    def discard(self) -> None:
        """Remove the temporary file, if it exists. The target is not changed."""
        if self._is_pending:
            with suppress(OSError):  # the data is not needed
                self._file.close()
            self._path.unlink(missing_ok=True)
            self._is_pending = False


def move(source: Path, target: Path) -> None:
    """Rename a complete file within its folder, and write the new name to the disk."""
    source.replace(target)
    _sync_folder(target.parent)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync_folder(folder: Path) -> None:
    """Write the names in a folder to the disk, where the system supports that."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # Windows, or a folder that can be written to but not listed
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _SYNC_NOT_SUPPORTED:
            raise
    finally:
        os.close(descriptor)
