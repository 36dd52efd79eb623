"""``recordings export``: the files of all recordings, into a folder, each once."""

import os
import re
import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Annotated, Final

import typer

from telnyx_rooms_async import (
    Listing,
    NotReadyError,
    RecordingStatus,
    RoomRecording,
    RoomsClient,
    batch,
)
from telnyx_rooms_async.cli.jobs.following import Concurrency, StopAfter, follow, summed_up
from telnyx_rooms_async.cli.jobs.progress import Tally
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
from telnyx_rooms_async.cli.recordings import DurationSecs, Status, Type
from telnyx_rooms_async.cli.running import run

_AT_ONCE: Final = 8
_ABANDONED: Final = 600
"""Seconds without a byte more: whoever wrote it is gone."""
_PART: Final = re.compile(r"\.[^/]+\.[0-9a-f]{8}\.part")
"""How what is not yet whole is named, here and by the client."""
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
    stop_after: StopAfter = None,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """Download the files of all recordings into a folder, each under the id of its recording.

    A file that is there is complete, and is not asked for again: the same command goes on where it ended.
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

        async def bring(recording: RoomRecording) -> None:
            await folder.bring(client, recording)

        outcomes = batch.stream(bring, folder.missing(listing), limit=concurrency, stop_after=stop_after)
        await follow(outcomes, tally, total=total, name=lambda recording: recording.id)

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


class _Folder:
    """A folder of recordings, each file named after its recording."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ids: set[str] = set()
        self.skipped = 0

    def open(self) -> None:
        """Make the folder if need be, see what is there, and clear away what a killed download left.

        Raises:
            ConfigurationError: it cannot be used.
        """
        with naming(str(self._path), "write to"):
            self._path.mkdir(parents=True, exist_ok=True)
            for entry in os.scandir(self._path):
                if not entry.name.startswith("."):
                    self._ids.add(Path(entry.name).stem)
                elif _PART.fullmatch(entry.name):
                    self._clear_away(entry)

    def _clear_away(self, part: os.DirEntry[str]) -> None:
        with suppress(FileNotFoundError):  # another one clears away too
            is_file = part.is_file(follow_symlinks=False)
            if is_file and part.stat(follow_symlinks=False).st_mtime < time.time() - _ABANDONED:
                Path(part).unlink()

    async def missing(self, listing: Listing[RoomRecording]) -> AsyncGenerator[RoomRecording, None]:
        """Yield the recordings that are not there."""
        async with aclosing(aiter(listing)) as recordings:
            async for recording in recordings:
                if recording.id in self._ids:
                    self.skipped += 1
                else:
                    yield recording

    async def bring(self, client: RoomsClient, recording: RoomRecording) -> None:
        """Download one file; it takes its name when it is whole.

        Raises:
            TelnyxRoomsError: it cannot be had.
            ConfigurationError: it cannot be written, nor could another.
        """
        if recording.status != RecordingStatus.COMPLETED:
            raise NotReadyError(recording.id, recording.status)
        whole = self._path / f".{recording.id}.{secrets.token_hex(4)}.part"
        with naming(str(self._path), "write to"):
            try:
                file = await client.recordings.download(recording.id, whole)
                ending = _ENDINGS.get((file.content_type or "").partition(";")[0].strip().lower(), "")
                whole.replace(self._path / f"{recording.id}{ending}")
            finally:
                whole.unlink(missing_ok=True)
