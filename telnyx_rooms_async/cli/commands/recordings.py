"""``telnyx-rooms recordings``: one command per method of ``client.recordings``."""

from typing import Annotated, Final, TypeAlias

import typer

from telnyx_rooms_async import DurationFilter, RoomRecording, RoomsClient
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.files import Target, download_to, refuse_stdout_conflicts
from telnyx_rooms_async.cli.options import (
    PAGE_SIZE,
    AsJson,
    BaseUrl,
    EndedAt,
    Limit,
    OfParticipant,
    OfRoom,
    OfSession,
    PageSize,
    StartedAt,
    limited_page_size,
    parse_seconds,
)
from telnyx_rooms_async.cli.output import show_done, show_list, show_one
from telnyx_rooms_async.cli.runner import run

group: Final = typer.Typer(
    name="recordings", no_args_is_help=True, help="Recordings of participants, and their files."
)

RecordingId: TypeAlias = Annotated[
    str, typer.Argument(metavar="RECORDING_ID", help="The id of the recording.")
]
Status: TypeAlias = Annotated[
    str | None, typer.Option(metavar="STATUS", help="Filter by status: completed or processing.")
]
Type: TypeAlias = Annotated[str | None, typer.Option(metavar="TYPE", help="Filter by type: audio or video.")]
DurationSecs: TypeAlias = Annotated[
    DurationFilter | None,
    typer.Option(
        parser=parse_seconds,
        metavar="SECONDS",
        help="Filter by duration: 90, or an inclusive range: 60..120, 60.., ..120.",
    ),
]


@group.command("list")
def list_recordings(
    *,
    room_id: OfRoom = None,
    session_id: OfSession = None,
    participant_id: OfParticipant = None,
    status: Status = None,
    type: Type = None,  # noqa: A002 - the API's name for it
    started_at: StartedAt = None,
    ended_at: EndedAt = None,
    duration_secs: DurationSecs = None,
    limit: Limit = None,
    page_size: PageSize = PAGE_SIZE,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """List the recordings of the account.

    The table shows which files are ready. --json prints the download_url, a secret valid for one hour.
    """
    run(
        lambda client: show_list(
            client.recordings.list(
                room_id=room_id,
                session_id=session_id,
                participant_id=participant_id,
                status=status,
                type=type,
                started_at=started_at,
                ended_at=ended_at,
                duration_secs=duration_secs,
                page_size=limited_page_size(page_size, limit),
            ),
            RoomRecording,
            limit=limit,
            as_json=as_json,
        ),
        base_url,
    )


@group.command()
def retrieve(recording_id: RecordingId, *, as_json: AsJson = False, base_url: BaseUrl = None) -> None:
    """Show one recording, with all its fields.

    The table shows whether the file is ready. --json prints the download_url, a secret valid for one hour.
    """
    run(lambda client: show_one(client.recordings.retrieve(recording_id), as_json=as_json), base_url)


@group.command()
def delete(recording_id: RecordingId, *, as_json: AsJson = False, base_url: BaseUrl = None) -> None:
    """Delete a recording and its file."""
    run(
        lambda client: show_done(
            client.recordings.delete(recording_id), f"deleted {recording_id}", as_json=as_json
        ),
        base_url,
    )


@group.command()
def delete_matching(
    *,
    room_id: OfRoom = None,
    session_id: OfSession = None,
    participant_id: OfParticipant = None,
    status: Status = None,
    type: Type = None,  # noqa: A002 - the API's name for it
    started_at: StartedAt = None,
    ended_at: EndedAt = None,
    duration_secs: DurationSecs = None,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """Delete all recordings that match the filters.

    At least one filter is required. The command list with the same filters shows what would be deleted.
    """

    async def delete_all(client: RoomsClient) -> None:
        count = await client.recordings.delete_matching(
            room_id=room_id,
            session_id=session_id,
            participant_id=participant_id,
            status=status,
            type=type,
            started_at=started_at,
            ended_at=ended_at,
            duration_secs=duration_secs,
        )
        sentence = f"deleted {output.counted(count, 'recording')}"
        output.write_result(sentence, {"room_recordings": count}, as_json=as_json)

    run(delete_all, base_url)


@group.command()
def download(
    recording_id: RecordingId, target: Target, *, as_json: AsJson = False, base_url: BaseUrl = None
) -> None:
    """Download the file of a recording.

    The file appears under its name when it is complete.
    """
    refuse_stdout_conflicts(target, as_json=as_json)
    run(
        lambda client: download_to(client.recordings.download, recording_id, target, as_json=as_json),
        base_url,
    )
