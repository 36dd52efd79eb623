"""``telnyx-rooms compositions``: one command per method of ``client.compositions``."""

from typing import Annotated, Final, TypeAlias

import typer

from telnyx_rooms_async import UNSET, RoomComposition, UnsetType, VideoRegion
from telnyx_rooms_async.cli.files import Target, download_to, refuse_stdout_conflicts
from telnyx_rooms_async.cli.options import (
    PAGE_SIZE,
    TIMEOUT,
    AsJson,
    BaseUrl,
    CreatedAt,
    Limit,
    OfSession,
    PageSize,
    SessionId,
    Timeout,
    WebhookEventFailoverUrl,
    WebhookEventUrl,
    WebhookTimeoutSecs,
    limited_page_size,
    unset_if_none,
)
from telnyx_rooms_async.cli.output import show_awaited, show_done, show_list, show_one
from telnyx_rooms_async.cli.regions import NamedRegion, parse_region
from telnyx_rooms_async.cli.runner import run

group: Final = typer.Typer(
    name="compositions", no_args_is_help=True, help="Videos composed from the recordings of a session."
)

CompositionId: TypeAlias = Annotated[
    str, typer.Argument(metavar="COMPOSITION_ID", help="The id of the composition.")
]
Regions: TypeAlias = Annotated[
    list[NamedRegion] | None,
    typer.Option(
        "--region",
        parser=parse_region,
        metavar="REGION",
        help="A region of the video: see above. At most two.",
    ),
]


@group.command()
def create(
    session_id: SessionId,
    *,
    video_layout: Regions = None,
    silent: Annotated[
        bool, typer.Option("--silent", help="Without sound. Default: all audio of the session.")
    ] = False,
    format: Annotated[  # noqa: A002 - the API's name for it
        str | None, typer.Option(metavar="FORMAT", help="Format of the file: mp4.")
    ] = None,
    resolution: Annotated[
        str | None, typer.Option(metavar="WIDTHxHEIGHT", help="Resolution of the video. Default: 1280x720.")
    ] = None,
    webhook_event_url: WebhookEventUrl = None,
    webhook_event_failover_url: WebhookEventFailoverUrl = None,
    webhook_timeout_secs: WebhookTimeoutSecs = None,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """Request a video of a session, and show the composition.

    Telnyx composes it in the background: see wait. By default all videos share the whole picture. One or two
    regions divide it:

    \b
      --region left:width=640,height=720,sources=ID
      --region right:x=640,width=640,height=720,sources=ID+ID

    A region has a name and any of x, y, z, width, height, columns, rows and sources: ids of video recordings.
    By default it shows all of them.
    """  # noqa: D301 - not a backslash, but Click's mark of lines that are not to be filled
    layout = _layout(video_layout)
    run(
        lambda client: show_one(
            client.compositions.create(
                session_id,
                video_layout=layout,
                audio_sources=None if silent else ("*",),
                format=unset_if_none(format),
                resolution=unset_if_none(resolution),
                webhook_event_url=unset_if_none(webhook_event_url),
                webhook_event_failover_url=unset_if_none(webhook_event_failover_url),
                webhook_timeout_secs=unset_if_none(webhook_timeout_secs),
            ),
            as_json=as_json,
        ),
        base_url,
    )


def _layout(regions: list[NamedRegion] | None) -> dict[str, VideoRegion] | UnsetType:
    layout = dict(regions or ())
    if len(layout) < len(regions or ()):
        raise typer.BadParameter("two regions have the same name")
    return layout or UNSET


@group.command("list")
def list_compositions(
    *,
    session_id: OfSession = None,
    status: Annotated[
        str | None,
        typer.Option(metavar="STATUS", help="Filter by status: enqueued, processing or completed."),
    ] = None,
    created_at: CreatedAt = None,
    limit: Limit = None,
    page_size: PageSize = PAGE_SIZE,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """List the compositions of the account.

    The table shows which files are ready. --json prints the download_url, a secret valid for one hour.
    """
    run(
        lambda client: show_list(
            client.compositions.list(
                session_id=session_id,
                status=status,
                created_at=created_at,
                page_size=limited_page_size(page_size, limit),
            ),
            RoomComposition,
            limit=limit,
            as_json=as_json,
        ),
        base_url,
    )


@group.command()
def retrieve(composition_id: CompositionId, *, as_json: AsJson = False, base_url: BaseUrl = None) -> None:
    """Show one composition, with all its fields.

    The table shows whether the file is ready. --json prints the download_url, a secret valid for one hour.
    """
    run(lambda client: show_one(client.compositions.retrieve(composition_id), as_json=as_json), base_url)


@group.command()
def delete(composition_id: CompositionId, *, as_json: AsJson = False, base_url: BaseUrl = None) -> None:
    """Delete a composition and its file.

    The recordings are not deleted.
    """
    run(
        lambda client: show_done(
            client.compositions.delete(composition_id), f"deleted {composition_id}", as_json=as_json
        ),
        base_url,
    )


@group.command()
def wait(
    composition_id: CompositionId,
    *,
    timeout: Timeout = TIMEOUT,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """Wait for the end of a composition, and show it.

    Check its status: Telnyx does not document a status for failure.
    """
    run(
        lambda client: show_awaited(
            client.compositions.wait(composition_id, timeout=timeout), timeout=timeout, as_json=as_json
        ),
        base_url,
    )


@group.command()
def download(
    composition_id: CompositionId, target: Target, *, as_json: AsJson = False, base_url: BaseUrl = None
) -> None:
    """Download the file of a composition.

    The file appears under its name when it is complete.
    """
    refuse_stdout_conflicts(target, as_json=as_json)
    run(
        lambda client: download_to(client.compositions.download, composition_id, target, as_json=as_json),
        base_url,
    )
