"""``telnyx-rooms compositions``: one command per method of ``client.compositions``."""

from collections.abc import Awaitable
from typing import Annotated, Final, TypeAlias, TypedDict, Unpack

import typer

from telnyx_rooms_async import UNSET, Listing, RoomComposition, RoomsClient
from telnyx_rooms_async.cli.display import Result
from telnyx_rooms_async.cli.options import (
    TIMEOUT,
    CreatedAt,
    NamedRegion,
    OfSession,
    PageSize,
    SessionId,
    Target,
    Timeout,
    WebhookFields,
    argument,
    flag,
    option,
    parse_region,
)
from telnyx_rooms_async.cli.runner import command, command_group, download

app: Final = command_group(help="Videos composed from the recordings of a session.")

CompositionId: TypeAlias = Annotated[str, argument("COMPOSITION_ID", "The id of the composition.")]
Regions: TypeAlias = Annotated[
    list[NamedRegion] | None,
    option("REGION", "A region of the video: see above. At most two.", "--region", parser=parse_region),
]


class Query(TypedDict, total=False):
    """Options of a list of compositions."""

    session_id: OfSession
    status: Annotated[str, option("STATUS", "Filter by status: enqueued, processing or completed.")]
    created_at: CreatedAt
    page_size: PageSize


class Fields(WebhookFields, total=False):
    """Options for the fields of a composition."""

    format: Annotated[str, option("FORMAT", "Format of the file: mp4.")]
    resolution: Annotated[str, option("WIDTHxHEIGHT", "Resolution of the video. Default: 1280x720.")]


@command(app)
def create(
    client: RoomsClient,
    session_id: SessionId,
    *,
    video_layout: Regions = None,
    silent: Annotated[bool, flag("--silent", "Without sound. Default: all audio of the session.")] = False,
    **fields: Unpack[Fields],
) -> Awaitable[RoomComposition]:
    """Request a video of a session, and show the composition.

    Telnyx composes it in the background: see wait. By default all videos share the whole picture. One or two
    regions divide it:

    \b
      --region left:width=640,height=720,sources=ID
      --region right:x=640,width=640,height=720,sources=ID+ID

    A region has a name and any of x, y, z, width, height, columns, rows and sources: ids of video recordings.
    By default it shows all of them.
    """  # noqa: D301 - not a backslash, but Click's mark of lines that are not to be filled
    layout = dict(video_layout or ())
    if len(layout) < len(video_layout or ()):
        raise typer.BadParameter("two regions have the same name")
    audio_sources = None if silent else ("*",)
    return client.compositions.create(
        session_id, video_layout=layout or UNSET, audio_sources=audio_sources, **fields
    )


@command(app, "list")
def list_compositions(client: RoomsClient, **query: Unpack[Query]) -> Listing[RoomComposition]:
    """List the compositions of the account.

    The table shows which files are ready. --json prints the download_url, a secret valid for one hour.
    """
    return client.compositions.list(**query)


@command(app)
def retrieve(client: RoomsClient, composition_id: CompositionId) -> Awaitable[RoomComposition]:
    """Show one composition, with all its fields.

    The table shows whether the file is ready. --json prints the download_url, a secret valid for one hour.
    """
    return client.compositions.retrieve(composition_id)


@command(app)
async def delete(client: RoomsClient, composition_id: CompositionId) -> Result:
    """Delete a composition and its file.

    The recordings are not deleted.
    """
    await client.compositions.delete(composition_id)
    return Result(f"deleted {composition_id}")


@command(app)
def wait(
    client: RoomsClient, composition_id: CompositionId, *, timeout: Timeout = TIMEOUT
) -> Awaitable[RoomComposition]:
    """Wait for the end of a composition, and show it.

    Check its status: Telnyx does not document a status for failure.
    """
    return client.compositions.wait(composition_id, timeout=timeout)


@command(app, "download")
def download_composition(
    client: RoomsClient, composition_id: CompositionId, target: Target
) -> Awaitable[Result | None]:
    """Download the file of a composition.

    The file appears under its name when it is complete.
    """
    return download(client.compositions.download, composition_id, target)
