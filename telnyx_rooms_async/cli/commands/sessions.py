"""``telnyx-rooms sessions``: a command for each verb of ``client.sessions``."""

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
    enough,
)
from telnyx_rooms_async.cli.output import show_done, show_list, show_one
from telnyx_rooms_async.cli.runner import run

group: Final = typer.Typer(
    name="sessions", no_args_is_help=True, help="Sessions of all rooms, and those who are in them."
)

Participants: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(metavar="PARTICIPANT_ID", help="Whom: the ids that Telnyx gave them."),
]
Everyone: TypeAlias = Annotated[bool, typer.Option("--all", help="All who are in the session.")]
Exclude: TypeAlias = Annotated[
    list[str] | None, typer.Option(metavar="ID", help="With --all: but not this one. Repeatable.")
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
                page_size=enough(page_size, limit),
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
    """List who is or was in one session."""
    run(
        lambda client: show_list(
            client.sessions.participants(
                session_id,
                joined_at=joined_at,
                updated_at=updated_at,
                left_at=left_at,
                context=context,
                page_size=enough(page_size, limit),
            ),
            RoomParticipant,
            of="session_id",
            limit=limit,
            as_json=as_json,
        ),
        base_url,
    )


@group.command()
def end(session_id: SessionId, *, as_json: AsJson = False, base_url: BaseUrl = None) -> None:
    """End a session: everyone in it is sent out.

    Its room stays.
    """
    run(
        lambda client: show_done(client.sessions.end(session_id), f"ended {session_id}", as_json=as_json),
        base_url,
    )


# --- those who are in one -----------------------------------------------------------------------------------


class _Whom(NamedTuple):
    """Whom an action is for."""

    participants: Literal["all"] | tuple[str, ...]
    exclude: tuple[str, ...]

    def __str__(self) -> str:
        but = f" but {', '.join(self.exclude)}" if self.exclude else ""
        return f"all{but}" if self.participants == "all" else ", ".join(self.participants)


def _whom(named: list[str] | None, everyone: bool, exclude: list[str] | None) -> _Whom:  # noqa: FBT001 - three alike
    if named and everyone:
        raise typer.BadParameter("--all and the ids of participants contradict each other")
    if not named and not everyone:
        raise typer.BadParameter("name participants by their ids, or give --all")
    if exclude and not everyone:
        raise typer.BadParameter("--exclude is for --all")
    return _Whom("all" if everyone else tuple(named or ()), tuple(exclude or ()))


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
    """Send participants out of a session."""
    whom = _whom(participants, everyone, exclude)
    run(
        lambda client: show_done(
            client.sessions.kick(session_id, whom.participants, exclude=whom.exclude),
            f"kicked {whom}",
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
    whom = _whom(participants, everyone, exclude)
    run(
        lambda client: show_done(
            client.sessions.mute(session_id, whom.participants, exclude=whom.exclude),
            f"muted {whom}",
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
    whom = _whom(participants, everyone, exclude)
    run(
        lambda client: show_done(
            client.sessions.unmute(session_id, whom.participants, exclude=whom.exclude),
            f"unmuted {whom}",
            as_json=as_json,
        ),
        base_url,
    )
