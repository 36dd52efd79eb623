"""``telnyx-rooms recordings``: a command for each verb of ``client.recordings``."""

from typing import Annotated, Final, TypeAlias

import typer

from telnyx_rooms_async import DurationFilter, RoomRecording, RoomsClient
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.files import Target, download_to, refuse_muddle
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
    enough,
    parse_seconds,
)
from telnyx_rooms_async.cli.output import show_done, show_list, show_one
from telnyx_rooms_async.cli.runner import run

group: Final = typer.Typer(
    name="recordings", no_args_is_help=True, help="Recordings of participants, and their files."
)

RecordingId: TypeAlias = Annotated[
    str, typer.Argument(metavar="RECORDING_ID", help="The id that Telnyx gave the recording.")
]
Status: TypeAlias = Annotated[
    str | None, typer.Option(metavar="STATUS", help="Only those that are completed, or processing.")
]
Type: TypeAlias = Annotated[
    str | None, typer.Option(metavar="TYPE", help="Only those of audio, or of video.")
]
DurationSecs: TypeAlias = Annotated[
    DurationFilter | None,
    typer.Option(
        parser=parse_seconds,
        metavar="SECONDS",
        help="As long as 90, or a range with both ends in it: 60..120, 60.., ..120.",
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

    The table tells which files are ready; --json prints their download_url, a secret for one hour.
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
                page_size=enough(page_size, limit),
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

    The table tells whether the file is ready; --json prints its download_url, a secret for one hour.
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
    """Delete all recordings that the filters select.

    One filter at least must be given. The same filters given to list show what would be deleted.
    """

    async def job(client: RoomsClient) -> None:
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
        _show_count(count, as_json=as_json)

    run(job, base_url)


def _show_count(count: int, *, as_json: bool) -> None:
    if as_json:
        output.write_json({"room_recordings": count})
    else:
        output.write_line(f"deleted {output.counted(count, 'recording')}")


@group.command()
def download(
    recording_id: RecordingId, target: Target, *, as_json: AsJson = False, base_url: BaseUrl = None
) -> None:
    """Download the file of a recording, and tell where it is.

    It is complete or not there: until then it has another name.
    """
    refuse_muddle(target, as_json=as_json)
    run(
        lambda client: download_to(client.recordings.download, recording_id, target, as_json=as_json),
        base_url,
    )
