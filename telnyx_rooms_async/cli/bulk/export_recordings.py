"""``recordings export``: download the files of all recordings into a folder."""

import asyncio
import errno
import os
import reprlib
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final

import typer

from telnyx_rooms_async import (
    InvalidArgumentError,
    NotReadyError,
    RecordingStatus,
    RoomRecording,
    RoomsClient,
    batch,
)
from telnyx_rooms_async.atomic_write import TEMPORARY_NAME, move, temporary_path
from telnyx_rooms_async.cli.bulk.job import BulkJob, Concurrency, MaxFailures, Outcomes, Summary
from telnyx_rooms_async.cli.commands.recordings import DurationSecs, Status, Type
from telnyx_rooms_async.cli.files import file_errors
from telnyx_rooms_async.cli.options import (
    AsJson,
    BaseUrl,
    EndedAt,
    OfParticipant,
    OfRoom,
    OfSession,
    StartedAt,
)
from telnyx_rooms_async.cli.output import counted
from telnyx_rooms_async.cli.progress import JobProgress

_CONCURRENCY: Final = 8
_NOT_A_FILE_NAME: Final = "the id of the recording cannot be used as a file name"
_ABANDONED: Final = 3600
"""Seconds since the last write to a temporary file. A running download writes more often."""
_SUFFIXES: Final = {
    "audio/mp4": ".m4a",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
    "audio/wav": ".wav",
    "audio/webm": ".webm",
    "video/mp4": ".mp4",
    "video/webm": ".webm",
    "video/x-matroska": ".mkv",
}


def export_recordings(
    directory: Annotated[str, typer.Argument(metavar="DIR", help="The folder. It is created if needed.")],
    *,
    room_id: OfRoom = None,
    session_id: OfSession = None,
    participant_id: OfParticipant = None,
    status: Status = None,
    type: Type = None,  # noqa: A002 - the API's name for it
    started_at: StartedAt = None,
    ended_at: EndedAt = None,
    duration_secs: DurationSecs = None,
    concurrency: Concurrency = _CONCURRENCY,
    max_failures: MaxFailures = None,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """Download the files of all recordings.

    Files are named by the id of the recording. Complete files are not downloaded again, so the same command
    continues after an interruption. A recording that is not completed counts as failed: --status completed
    leaves it out.
    """
    progress = JobProgress("listing recordings")
    folder = _Folder(Path(directory))
    progress.skipped = lambda: folder.skipped

    async def start(client: RoomsClient) -> Outcomes[RoomRecording, bool]:
        folder.open()
        listing = client.recordings.list(
            room_id=room_id,
            session_id=session_id,
            participant_id=participant_id,
            status=status,
            type=type,
            started_at=started_at,
            ended_at=ended_at,
            duration_secs=duration_secs,
        )
        progress.total = await listing.count()

        async def download(recording: RoomRecording) -> bool:
            return await folder.download(client, recording)

        return batch.stream(download, listing, limit=concurrency, max_failures=max_failures)

    def on_done(_recording: RoomRecording, is_new: bool) -> None:  # noqa: FBT001 - called with the outcome
        if not is_new:
            progress.done -= 1
            folder.skipped += 1

    def summarize() -> Summary:
        skipped = f", {folder.skipped} skipped" if folder.skipped else ""
        failed = f", {progress.failed} failed" if progress.failed else ""
        sentence = f"downloaded {counted(progress.done, 'recording')} to {directory}{skipped}{failed}"
        counts = {"downloaded": progress.done, "skipped": folder.skipped, "failed": progress.failed}
        return Summary(sentence, counts)

    BulkJob(progress=progress, start=start, label=_label, on_done=on_done, summarize=summarize).run(
        base_url, as_json=as_json
    )


def _label(recording: RoomRecording) -> str:
    return recording.id if recording.id.isprintable() else reprlib.repr(recording.id)


class _Folder:
    """Folder of recordings, with one file per recording."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sizes: dict[str, int] = {}
        """Sizes of the existing files by name."""
        self.skipped = 0
        """Recordings that were downloaded before."""

    def open(self) -> None:
        """Create the folder if needed, list its files, and remove abandoned temporary files.

        Raises:
            ConfigurationError: the folder cannot be used.
        """
        with file_errors(str(self._path), "write to"):
            self._path.mkdir(parents=True, exist_ok=True)
            for entry in os.scandir(self._path):
                if TEMPORARY_NAME.fullmatch(entry.name):
                    _remove_abandoned(entry)
                elif entry.is_file():
                    with suppress(FileNotFoundError):  # removed meanwhile
                        self._sizes[entry.name] = entry.stat().st_size

    async def download(self, client: RoomsClient, recording: RoomRecording) -> bool:
        """Download a file unless it is complete, and return whether it was downloaded.

        Raises:
            TelnyxRoomsError: it cannot be downloaded.
            ConfigurationError: no file can be written.
        """
        if recording.status != RecordingStatus.COMPLETED:
            raise NotReadyError(recording.id, recording.status)
        if recording.id.startswith(".") or Path(recording.id).suffix in _SUFFIXES.values():
            raise InvalidArgumentError((_NOT_A_FILE_NAME,))
        if await self._is_complete(client, recording):
            return False
        temporary = temporary_path(self._path)
        with file_errors(str(self._path), "write to"):
            try:
                file = await client.recordings.download(recording.id, temporary)
                suffix = _SUFFIXES.get((file.content_type or "").partition(";")[0].strip().lower(), "")
                await asyncio.to_thread(_rename, temporary, f"{recording.id}{suffix}")
            finally:
                await asyncio.to_thread(temporary.unlink, missing_ok=True)
        return True

    async def _is_complete(self, client: RoomsClient, recording: RoomRecording) -> bool:
        names = (f"{recording.id}{suffix}" for suffix in ("", *_SUFFIXES.values()))
        sizes = [self._sizes[name] for name in names if name in self._sizes]
        return bool(sizes) and await client.recordings.file_size(recording) in (None, *sizes)


def _remove_abandoned(entry: os.DirEntry[str]) -> None:
    with suppress(FileNotFoundError):  # another run removes it too
        is_file = entry.is_file(follow_symlinks=False)
        if is_file and entry.stat(follow_symlinks=False).st_mtime < time.time() - _ABANDONED:
            Path(entry).unlink()


def _rename(temporary: Path, name: str) -> None:
    try:
        move(temporary, temporary.with_name(name))
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise InvalidArgumentError((_NOT_A_FILE_NAME,)) from None
