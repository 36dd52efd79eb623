"""``telnyx-rooms recordings``: one command per method of ``client.recordings``, and ``export``."""

import asyncio
import errno
import os
import time
from collections.abc import Awaitable
from contextlib import aclosing, suppress
from functools import partial
from pathlib import Path
from typing import Annotated, Final, TypeAlias, Unpack

from telnyx_rooms_async import (
    InvalidArgumentError,
    Listing,
    NotReadyError,
    RecordingStatus,
    RoomRecording,
    RoomsClient,
    batch,
)
from telnyx_rooms_async.atomic_write import TEMPORARY_NAME, move, temporary_path
from telnyx_rooms_async.cli import options
from telnyx_rooms_async.cli.bulk_job import JobProgress, Outcomes, run_job
from telnyx_rooms_async.cli.display import Result
from telnyx_rooms_async.cli.output import counted, file_errors
from telnyx_rooms_async.cli.runner import command, command_group, download

app: Final = command_group(help="Recordings of participants, and their files.")

RecordingId: TypeAlias = Annotated[str, options.argument("RECORDING_ID", "The id of the recording.")]
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


class Query(options.RecordingFilters, total=False):
    """Options of a list of recordings."""

    page_size: options.PageSize


@command(app, "list")
def list_recordings(client: RoomsClient, **query: Unpack[Query]) -> Listing[RoomRecording]:
    """List the recordings of the account.

    The table shows which files are ready. --json prints the download_url, a secret valid for one hour.
    """
    return client.recordings.list(**query)


@command(app)
def retrieve(client: RoomsClient, recording_id: RecordingId) -> Awaitable[RoomRecording]:
    """Show one recording, with all its fields.

    The table shows whether the file is ready. --json prints the download_url, a secret valid for one hour.
    """
    return client.recordings.retrieve(recording_id)


@command(app)
async def delete(client: RoomsClient, recording_id: RecordingId) -> Result:
    """Delete a recording and its file."""
    await client.recordings.delete(recording_id)
    return Result(f"deleted {recording_id}")


@command(app)
async def delete_matching(client: RoomsClient, **filters: Unpack[options.RecordingFilters]) -> Result:
    """Delete all recordings that match the filters.

    At least one filter is required. The command list with the same filters shows what would be deleted.
    """
    count = await client.recordings.delete_matching(**filters)
    return Result(f"deleted {counted(count, 'recording')}", {"room_recordings": count})


@command(app, "download")
def download_recording(
    client: RoomsClient, recording_id: RecordingId, target: options.Target
) -> Awaitable[Result | None]:
    """Download the file of a recording.

    The file appears under its name when it is complete.
    """
    return download(client.recordings.download, recording_id, target)


# --- export -------------------------------------------------------------------------------------------------


@command(app, "export")
def export_recordings(
    directory: Annotated[str, options.argument("DIR", "The folder. It is created if needed.")],
    *,
    concurrency: options.Concurrency = _CONCURRENCY,
    max_failures: options.MaxFailures | None = None,
    **filters: Unpack[options.RecordingFilters],
) -> None:
    """Download the files of all recordings.

    Files are named by the id of the recording. Complete files are not downloaded again, so the same command
    continues after an interruption. A recording that is not completed counts as failed: --status completed
    leaves it out.
    """
    folder = Path(directory)
    skipped = 0
    progress = JobProgress("listing recordings", skipped=lambda: skipped)

    async def start(client: RoomsClient) -> Outcomes[RoomRecording, bool]:
        nonlocal skipped
        sizes = _prepare(folder)
        listing = client.recordings.list(**filters)
        progress.total = await listing.count()
        download_to_folder = partial(_download, client, folder, sizes)
        stream = batch.stream(download_to_folder, listing, concurrency=concurrency, max_failures=max_failures)
        async with aclosing(stream) as outcomes:
            async for outcome in outcomes:
                if isinstance(outcome, batch.Done) and not outcome.value:
                    skipped += 1
                else:
                    yield outcome

    def summarize() -> Result:
        downloaded = f"downloaded {counted(progress.done, 'recording')} to {directory}"
        also = f"{skipped} skipped" if skipped else ""
        return progress.result(downloaded, also, downloaded=progress.done, skipped=skipped)

    run_job(start, progress, label=lambda recording: recording.id, summarize=summarize)


def _prepare(folder: Path) -> dict[str, int]:
    """Create a folder if needed, remove abandoned temporary files, and return the sizes of the others."""
    sizes: dict[str, int] = {}
    with file_errors(str(folder), "write to"):
        folder.mkdir(parents=True, exist_ok=True)
        for entry in os.scandir(folder):
            with suppress(FileNotFoundError):  # another run may remove files too
                is_temporary = TEMPORARY_NAME.fullmatch(entry.name)
                if not entry.is_file(follow_symlinks=not is_temporary):
                    continue
                status = entry.stat(follow_symlinks=not is_temporary)
                if not is_temporary:
                    sizes[entry.name] = status.st_size
                elif status.st_mtime < time.time() - _ABANDONED:
                    Path(entry).unlink()
    return sizes


async def _download(
    client: RoomsClient, folder: Path, sizes: dict[str, int], recording: RoomRecording
) -> bool:
    """Download a file unless it is complete, and return whether it was downloaded."""
    if recording.status != RecordingStatus.COMPLETED:
        raise NotReadyError(recording.id, recording.status)
    if recording.id.startswith(".") or Path(recording.id).suffix in _SUFFIXES.values():
        raise InvalidArgumentError((_NOT_A_FILE_NAME,))
    names = [f"{recording.id}{suffix}" for suffix in ("", *_SUFFIXES.values())]
    present = [sizes[name] for name in names if name in sizes]
    if present and await client.recordings.file_size(recording) in (None, *present):
        return False
    temporary = temporary_path(folder)
    with file_errors(str(folder), "write to"):
        try:
            file = await client.recordings.download(recording.id, temporary)
            suffix = _SUFFIXES.get((file.content_type or "").partition(";")[0].strip().lower(), "")
            await asyncio.to_thread(move, temporary, folder / f"{recording.id}{suffix}")
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                raise InvalidArgumentError((_NOT_A_FILE_NAME,)) from None
            raise
        finally:
            await asyncio.to_thread(temporary.unlink, missing_ok=True)
    return True
