"""``telnyx-rooms compositions``: a command for each verb of ``client.compositions``."""

from typing import Annotated, Final, TypeAlias

import typer

from telnyx_rooms_async import UNSET, RoomComposition, UnsetType, VideoRegion
from telnyx_rooms_async.cli.files import Target, download_to, refuse_muddle
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
    enough,
    given,
)
from telnyx_rooms_async.cli.output import show_done, show_list, show_one, show_when_there
from telnyx_rooms_async.cli.regions import NamedRegion, parse_region
from telnyx_rooms_async.cli.runner import run

group: Final = typer.Typer(
    name="compositions", no_args_is_help=True, help="Videos composed of the recordings of a session."
)

CompositionId: TypeAlias = Annotated[
    str, typer.Argument(metavar="COMPOSITION_ID", help="The id that Telnyx gave the composition.")
]
Regions: TypeAlias = Annotated[
    list[NamedRegion] | None,
    typer.Option(
        "--region", parser=parse_region, metavar="REGION", help="Where pictures go: see above. Twice at most."
    ),
]


@group.command()
def create(
    session_id: SessionId,
    *,
    video_layout: Regions = None,
    silent: Annotated[
        bool, typer.Option("--silent", help="Without sound; all sound of the session unless given.")
    ] = False,
    format: Annotated[  # noqa: A002 - the API's name for it
        str | None, typer.Option(metavar="FORMAT", help="Of the file: mp4.")
    ] = None,
    resolution: Annotated[
        str | None, typer.Option(metavar="WIDTHxHEIGHT", help="Of the video; 1280x720 unless given.")
    ] = None,
    webhook_event_url: WebhookEventUrl = None,
    webhook_event_failover_url: WebhookEventFailoverUrl = None,
    webhook_timeout_secs: WebhookTimeoutSecs = None,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """Ask for a video of a session, and show what is known of it.

    It is made in the background: see wait. All pictures fill the whole, unless one or two regions are given:

    \b
      --region left:width=640,height=720,sources=ID
      --region right:x=640,width=640,height=720,sources=ID+ID

    A region has a name and any of x, y, z, width, height, columns, rows and sources: ids of video recordings,
    all unless given.
    """  # noqa: D301 - not a backslash, but Click's mark of lines that are not to be filled
    layout = _layout(video_layout)
    run(
        lambda client: show_one(
            client.compositions.create(
                session_id,
                video_layout=layout,
                audio_sources=None if silent else ("*",),
                format=given(format),
                resolution=given(resolution),
                webhook_event_url=given(webhook_event_url),
                webhook_event_failover_url=given(webhook_event_failover_url),
                webhook_timeout_secs=given(webhook_timeout_secs),
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
        typer.Option(metavar="STATUS", help="Only those that are enqueued, processing or completed."),
    ] = None,
    created_at: CreatedAt = None,
    limit: Limit = None,
    page_size: PageSize = PAGE_SIZE,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """List the compositions of the account.

    The table tells which files are ready; --json prints their download_url, a secret for one hour.
    """
    run(
        lambda client: show_list(
            client.compositions.list(
                session_id=session_id,
                status=status,
                created_at=created_at,
                page_size=enough(page_size, limit),
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

    The table tells whether the file is ready; --json prints its download_url, a secret for one hour.
    """
    run(lambda client: show_one(client.compositions.retrieve(composition_id), as_json=as_json), base_url)


@group.command()
def delete(composition_id: CompositionId, *, as_json: AsJson = False, base_url: BaseUrl = None) -> None:
    """Delete a composition and its file.

    The recordings stay.
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
    """Wait until a composition is done, and show it.

    Telnyx documents no status of failure: look whether it is completed.
    """
    run(
        lambda client: show_when_there(
            client.compositions.wait(composition_id, timeout=timeout), seconds=timeout, as_json=as_json
        ),
        base_url,
    )


@group.command()
def download(
    composition_id: CompositionId, target: Target, *, as_json: AsJson = False, base_url: BaseUrl = None
) -> None:
    """Download the file of a composition, and tell where it is.

    It is complete or not there: until then it has another name.
    """
    refuse_muddle(target, as_json=as_json)
    run(
        lambda client: download_to(client.compositions.download, composition_id, target, as_json=as_json),
        base_url,
    )
