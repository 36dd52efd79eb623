"""``telnyx-rooms recordings``: one command per method of ``client.recordings``."""

from collections.abc import Awaitable
from typing import Annotated, Final, TypeAlias, Unpack

import typer

from telnyx_rooms_async import Listing, RoomRecording, RoomsClient
from telnyx_rooms_async.cli.files import Target, download
from telnyx_rooms_async.cli.options import PAGE_SIZE, AsJson, BaseUrl, PageSize, RecordingFilters
from telnyx_rooms_async.cli.output import Result, counted
from telnyx_rooms_async.cli.runner import api_command

group: Final = typer.Typer(
    name="recordings", no_args_is_help=True, help="Recordings of participants, and their files."
)

RecordingId: TypeAlias = Annotated[
    str, typer.Argument(metavar="RECORDING_ID", help="The id of the recording.")
]


@api_command(group, "list")
def list_recordings(
    client: RoomsClient, *, page_size: PageSize = PAGE_SIZE, **filters: Unpack[RecordingFilters]
) -> Listing[RoomRecording]:
    """List the recordings of the account.

    The table shows which files are ready. --json prints the download_url, a secret valid for one hour.
    """
    return client.recordings.list(page_size=page_size, **filters)


@api_command(group)
def retrieve(client: RoomsClient, recording_id: RecordingId) -> Awaitable[RoomRecording]:
    """Show one recording, with all its fields.

    The table shows whether the file is ready. --json prints the download_url, a secret valid for one hour.
    """
    return client.recordings.retrieve(recording_id)


@api_command(group)
async def delete(client: RoomsClient, recording_id: RecordingId) -> Result:
    """Delete a recording and its file."""
    await client.recordings.delete(recording_id)
    return Result(f"deleted {recording_id}")


@api_command(group)
async def delete_matching(client: RoomsClient, **filters: Unpack[RecordingFilters]) -> Result:
    """Delete all recordings that match the filters.

    At least one filter is required. The command list with the same filters shows what would be deleted.
    """
    count = await client.recordings.delete_matching(**filters)
    return Result(f"deleted {counted(count, 'recording')}", {"room_recordings": count})


@group.command("download")
def download_recording(
    recording_id: RecordingId, target: Target, *, as_json: AsJson = False, base_url: BaseUrl = None
) -> None:
    """Download the file of a recording.

    The file appears under its name when it is complete.
    """
    download("recordings", recording_id, target, as_json=as_json, base_url=base_url)
