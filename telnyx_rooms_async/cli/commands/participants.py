"""``telnyx-rooms participants``: one command per method of ``client.participants``."""

from typing import Annotated, Final

import typer

from telnyx_rooms_async import RoomParticipant
from telnyx_rooms_async.cli.options import (
    PAGE_SIZE,
    AsJson,
    BaseUrl,
    Context,
    JoinedAt,
    LeftAt,
    Limit,
    OfSession,
    PageSize,
    UpdatedAt,
    limited_page_size,
)
from telnyx_rooms_async.cli.output import show_list, show_one
from telnyx_rooms_async.cli.runner import run

group: Final = typer.Typer(
    name="participants", no_args_is_help=True, help="Participants of the sessions of all rooms."
)


@group.command("list")
def list_participants(
    *,
    session_id: OfSession = None,
    joined_at: JoinedAt = None,
    updated_at: UpdatedAt = None,
    left_at: LeftAt = None,
    context: Context = None,
    limit: Limit = None,
    page_size: PageSize = PAGE_SIZE,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """List the participants of all sessions of the account."""
    run(
        lambda client: show_list(
            client.participants.list(
                session_id=session_id,
                joined_at=joined_at,
                updated_at=updated_at,
                left_at=left_at,
                context=context,
                page_size=limited_page_size(page_size, limit),
            ),
            RoomParticipant,
            limit=limit,
            as_json=as_json,
        ),
        base_url,
    )


@group.command()
def retrieve(
    participant_id: Annotated[
        str, typer.Argument(metavar="PARTICIPANT_ID", help="The id of the participant.")
    ],
    *,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """Show one participant, with all fields."""
    run(
        lambda client: show_one(client.participants.retrieve(participant_id), as_json=as_json),
        base_url,
    )
