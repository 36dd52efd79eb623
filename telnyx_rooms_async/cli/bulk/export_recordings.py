"""``recordings export``: the files of all recordings, into a folder, each once."""

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
from telnyx_rooms_async.cli.bulk.job import Concurrency, StopAfter, follow, summed_up
from telnyx_rooms_async.cli.progress import Tally
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
from telnyx_rooms_async.cli.paths import naming
from telnyx_rooms_async.cli.commands.recordings import DurationSecs, Status, Type
from telnyx_rooms_async.cli.runner import run

_AT_ONCE: Final = 8
_CANNOT_BE_A_NAME: Final = "the id of the recording cannot be the name of a file"
_ABANDONED: Final = 3600
"""Seconds without a byte more: a download that is not gone writes a chunk more often."""
_ENDINGS: Final = {
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
    directory: Annotated[
        str, typer.Argument(metavar="DIR", help="The folder; it is made if it is not there.")
    ],
    *,
    room_id: OfRoom = None,
    session_id: OfSession = None,
    participant_id: OfParticipant = None,
    status: Status = None,
    type: Type = None,  # noqa: A002 - the API's name for it
    started_at: StartedAt = None,
    ended_at: EndedAt = None,
    duration_secs: DurationSecs = None,
    concurrency: Concurrency = _AT_ONCE,
    max_failures: StopAfter = None,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """Download the files of all recordings into a folder, each under the id of its recording.

    A file that is there and has its full size is not downloaded again: the same command goes on where it
    ended.
    A recording that is not completed counts as failed, unless --status completed leaves it out.
    """
    tally = Tally()
    folder = _Folder(Path(directory))

    async def job(client: RoomsClient) -> None:
        folder.open()
        tally.rate_limit = lambda: client.rate_limit
        tally.skipped = lambda: folder.skipped
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
        total = await listing.count()

        async def bring(recording: RoomRecording) -> bool:
            return await folder.bring(client, recording)

        def done(_: RoomRecording, is_new: bool) -> None:  # noqa: FBT001 - as `follow` calls it
            if not is_new:
                tally.done -= 1
                folder.skipped += 1

        outcomes = batch.stream(bring, listing, limit=concurrency, max_failures=max_failures)
        await follow(outcomes, tally, total=total, name=_label, done=done)

    def sentence() -> str:
        skipped = f", {tally.skipped()} were there" if tally.skipped() else ""
        failed = f", {tally.failed} failed" if tally.failed else ""
        return f"downloaded {counted(tally.done, 'recording')} to {directory}{skipped}{failed}"

    with summed_up(
        tally,
        sentence,
        lambda: {"downloaded": tally.done, "skipped": tally.skipped(), "failed": tally.failed},
        as_json=as_json,
    ):
        run(job, base_url, on_attempt=tally.attempt)


def _label(recording: RoomRecording) -> str:
    return recording.id if recording.id.isprintable() else reprlib.repr(recording.id)


class _Folder:
    """A folder of recordings, each file named after its recording."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sizes: dict[str, int] = {}
        """Bytes of the files that are there, by their names."""
        self.skipped = 0

    def open(self) -> None:
        """Make the folder if need be, see what is there, and clear away what a killed download left.

        Raises:
            ConfigurationError: it cannot be used.
        """
        with naming(str(self._path), "write to"):
            self._path.mkdir(parents=True, exist_ok=True)
            for entry in os.scandir(self._path):
                if TEMPORARY_NAME.fullmatch(entry.name):
                    self._clear_away(entry)
                elif entry.is_file():
                    with suppress(FileNotFoundError):  # removed meanwhile
                        self._sizes[entry.name] = entry.stat().st_size

    def _clear_away(self, part: os.DirEntry[str]) -> None:
        with suppress(FileNotFoundError):  # another one clears away too
            is_file = part.is_file(follow_symlinks=False)
            if is_file and part.stat(follow_symlinks=False).st_mtime < time.time() - _ABANDONED:
                Path(part).unlink()

    async def bring(self, client: RoomsClient, recording: RoomRecording) -> bool:
        """Download one file, unless it is there with its full size, and return whether that was necessary.

        Raises:
            TelnyxRoomsError: it cannot be had.
            ConfigurationError: it cannot be written, nor could another.
        """
        if recording.status != RecordingStatus.COMPLETED:
            raise NotReadyError(recording.id, recording.status)
        if recording.id.startswith(".") or Path(recording.id).suffix in _ENDINGS.values():
            raise InvalidArgumentError((_CANNOT_BE_A_NAME,))
        if await self._is_there(client, recording):
            return False
        part = temporary_path(self._path)
        with naming(str(self._path), "write to"):
            try:
                file = await client.recordings.download(recording.id, part)
                ending = _ENDINGS.get((file.content_type or "").partition(";")[0].strip().lower(), "")
                await asyncio.to_thread(_name, part, f"{recording.id}{ending}")
            finally:
                await asyncio.to_thread(part.unlink, missing_ok=True)
        return True

    async def _is_there(self, client: RoomsClient, recording: RoomRecording) -> bool:
        names = (f"{recording.id}{ending}" for ending in ("", *_ENDINGS.values()))
        sizes = [self._sizes[name] for name in names if name in self._sizes]
        return bool(sizes) and await client.recordings.file_size(recording) in (None, *sizes)


def _name(part: Path, name: str) -> None:
    try:
        move(part, part.with_name(name))
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise InvalidArgumentError((_CANNOT_BE_A_NAME,)) from None
