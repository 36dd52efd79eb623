"""``telnyx-rooms sessions``: one command per method of ``client.sessions``."""

from typing import Annotated, Final, Literal, NamedTuple, TypeAlias

import typer

from telnyx_rooms_async import RoomParticipant, RoomSession
from telnyx_rooms_async.cli.options import (
    PAGE_SIZE,
    Active,
    AsJson,
    BaseUrl,
    Context,
    CreatedAt,
    EndedAt,
    IncludeParticipants,
    JoinedAt,
    LeftAt,
    Limit,
    OfRoom,
    PageSize,
    SessionId,
    UpdatedAt,
    limited_page_size,
)
from telnyx_rooms_async.cli.output import show_done, show_list, show_one
from telnyx_rooms_async.cli.runner import run

group: Final = typer.Typer(
    name="sessions", no_args_is_help=True, help="Sessions of all rooms, and actions on their participants."
)

Participants: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(metavar="PARTICIPANT_ID", help="Ids of participants."),
]
Everyone: TypeAlias = Annotated[bool, typer.Option("--all", help="All participants of the session.")]
Exclude: TypeAlias = Annotated[
    list[str] | None, typer.Option(metavar="ID", help="With --all: except this participant. Repeatable.")
]


@group.command("list")
def list_sessions(
    *,
    room_id: OfRoom = None,
    created_at: CreatedAt = None,
    updated_at: UpdatedAt = None,
    ended_at: EndedAt = None,
    active: Active = None,
    include_participants: IncludeParticipants = False,
    limit: Limit = None,
    page_size: PageSize = PAGE_SIZE,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """List the sessions of all rooms of the account."""
    run(
        lambda client: show_list(
            client.sessions.list(
                room_id=room_id,
                created_at=created_at,
                updated_at=updated_at,
                ended_at=ended_at,
                active=active,
                include_participants=include_participants,
                page_size=limited_page_size(page_size, limit),
            ),
            RoomSession,
            limit=limit,
            as_json=as_json,
        ),
        base_url,
    )


@group.command()
def retrieve(
    session_id: SessionId,
    *,
    include_participants: IncludeParticipants = False,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """Show one session, with all its fields."""
    run(
        lambda client: show_one(
            client.sessions.retrieve(session_id, include_participants=include_participants),
            as_json=as_json,
        ),
        base_url,
    )


@group.command()
def participants(
    session_id: SessionId,
    *,
    joined_at: JoinedAt = None,
    updated_at: UpdatedAt = None,
    left_at: LeftAt = None,
    context: Context = None,
    limit: Limit = None,
    page_size: PageSize = PAGE_SIZE,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """List the participants of one session, past and present."""
    run(
        lambda client: show_list(
            client.sessions.participants(
                session_id,
                joined_at=joined_at,
                updated_at=updated_at,
                left_at=left_at,
                context=context,
                page_size=limited_page_size(page_size, limit),
            ),
            RoomParticipant,
            omit="session_id",
            limit=limit,
            as_json=as_json,
        ),
        base_url,
    )


@group.command()
def end(session_id: SessionId, *, as_json: AsJson = False, base_url: BaseUrl = None) -> None:
    """End a session, and disconnect its participants.

    The room is not deleted.
    """
    run(
        lambda client: show_done(client.sessions.end(session_id), f"ended {session_id}", as_json=as_json),
        base_url,
    )


# --- actions on participants ------------------------------------------------------------------------------


class _Selection(NamedTuple):
    """Participants that an action applies to."""

    participants: Literal["all"] | tuple[str, ...]
    exclude: tuple[str, ...]

    def __str__(self) -> str:
        exclude = f" except {', '.join(self.exclude)}" if self.exclude else ""
        return f"all{exclude}" if self.participants == "all" else ", ".join(self.participants)


def _selection(ids: list[str] | None, exclude: list[str] | None, *, everyone: bool) -> _Selection:
    if ids and everyone:
        raise typer.BadParameter("ids of participants and --all cannot be combined")
    if not ids and not everyone:
        raise typer.BadParameter("pass ids of participants, or --all")
    if exclude and not everyone:
        raise typer.BadParameter("--exclude can only be used with --all")
    return _Selection("all" if everyone else tuple(ids or ()), tuple(exclude or ()))


@group.command()
def kick(
    session_id: SessionId,
    participants: Participants = None,
    *,
    everyone: Everyone = False,
    exclude: Exclude = None,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """Disconnect participants from a session."""
    selection = _selection(participants, exclude, everyone=everyone)
    run(
        lambda client: show_done(
            client.sessions.kick(session_id, selection.participants, exclude=selection.exclude),
            f"kicked {selection}",
            as_json=as_json,
        ),
        base_url,
    )


@group.command()
def mute(
    session_id: SessionId,
    participants: Participants = None,
    *,
    everyone: Everyone = False,
    exclude: Exclude = None,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """Mute participants of a session."""
    selection = _selection(participants, exclude, everyone=everyone)
    run(
        lambda client: show_done(
            client.sessions.mute(session_id, selection.participants, exclude=selection.exclude),
            f"muted {selection}",
            as_json=as_json,
        ),
        base_url,
    )


@group.command()
def unmute(
    session_id: SessionId,
    participants: Participants = None,
    *,
    everyone: Everyone = False,
    exclude: Exclude = None,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """Unmute participants of a session."""
    selection = _selection(participants, exclude, everyone=everyone)
    run(
        lambda client: show_done(
            client.sessions.unmute(session_id, selection.participants, exclude=selection.exclude),
            f"unmuted {selection}",
            as_json=as_json,
        ),
        base_url,
    )
