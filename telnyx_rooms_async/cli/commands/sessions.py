"""``telnyx-rooms sessions`` and ``telnyx-rooms participants``: one command per method of the client."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final, TypedDict, Unpack

import typer

from telnyx_rooms_async import Listing, RoomParticipant, RoomsClient, RoomSession
from telnyx_rooms_async.cli.display import Result
from telnyx_rooms_async.cli.options import (
    PAGE_SIZE,
    IncludeParticipants,
    OfRoom,
    OfSession,
    PageSize,
    ParticipantFilters,
    SessionFilters,
    SessionId,
)
from telnyx_rooms_async.cli.runner import api_command

group: Final = typer.Typer(
    name="sessions", no_args_is_help=True, help="Sessions of all rooms, and actions on their participants."
)
participants_group: Final = typer.Typer(
    name="participants", no_args_is_help=True, help="Participants of the sessions of all rooms."
)


class Filters(SessionFilters, total=False):
    """Options that select sessions of all rooms."""

    room_id: OfRoom


class AllParticipantFilters(ParticipantFilters, total=False):
    """Options that select participants of all sessions."""

    session_id: OfSession


class Selection(TypedDict, total=False):
    """Participants that an action applies to."""

    participants: Annotated[list[str], typer.Argument(metavar="PARTICIPANT_ID", help="Ids of participants.")]
    everyone: Annotated[bool, typer.Option("--all", help="All participants of the session.")]
    exclude: Annotated[
        list[str], typer.Option(metavar="ID", help="With --all: except this participant. Repeatable.")
    ]


@api_command(group, "list")
def list_sessions(
    client: RoomsClient,
    *,
    include_participants: IncludeParticipants = False,
    page_size: PageSize = PAGE_SIZE,
    **filters: Unpack[Filters],
) -> Listing[RoomSession]:
    """List the sessions of all rooms of the account."""
    return client.sessions.list(include_participants=include_participants, page_size=page_size, **filters)


@api_command(group)
def retrieve(
    client: RoomsClient, session_id: SessionId, *, include_participants: IncludeParticipants = False
) -> Awaitable[RoomSession]:
    """Show one session, with all its fields."""
    return client.sessions.retrieve(session_id, include_participants=include_participants)


@api_command(group, omit="session_id")
def participants(
    client: RoomsClient,
    session_id: SessionId,
    *,
    page_size: PageSize = PAGE_SIZE,
    **filters: Unpack[ParticipantFilters],
) -> Listing[RoomParticipant]:
    """List the participants of one session, past and present."""
    return client.sessions.participants(session_id, page_size=page_size, **filters)


@api_command(group)
async def end(client: RoomsClient, session_id: SessionId) -> Result:
    """End a session, and disconnect its participants.

    The room is not deleted.
    """
    await client.sessions.end(session_id)
    return Result(f"ended {session_id}")


@api_command(group)
async def kick(client: RoomsClient, session_id: SessionId, **selection: Unpack[Selection]) -> Result:
    """Disconnect participants from a session."""
    return await _act(client.sessions.kick, "kicked", session_id, **selection)


@api_command(group)
async def mute(client: RoomsClient, session_id: SessionId, **selection: Unpack[Selection]) -> Result:
    """Mute participants of a session."""
    return await _act(client.sessions.mute, "muted", session_id, **selection)


@api_command(group)
async def unmute(client: RoomsClient, session_id: SessionId, **selection: Unpack[Selection]) -> Result:
    """Unmute participants of a session."""
    return await _act(client.sessions.unmute, "unmuted", session_id, **selection)


async def _act(
    method: Callable[..., Awaitable[None]], participle: str, session_id: str, **selection: Unpack[Selection]
) -> Result:
    ids, exclude = selection.get("participants"), selection.get("exclude")
    everyone = selection.get("everyone", False)
    if ids and everyone:
        raise typer.BadParameter("ids of participants and --all cannot be combined")
    if not ids and not everyone:
        raise typer.BadParameter("pass ids of participants, or --all")
    if exclude and not everyone:
        raise typer.BadParameter("--exclude can only be used with --all")
    await method(session_id, ids or "all", exclude=exclude or ())
    excepted = f" except {', '.join(exclude)}" if exclude else ""
    return Result(f"{participle} {', '.join(ids or ['all'])}{excepted}")


@api_command(participants_group, "list")
def list_participants(
    client: RoomsClient, *, page_size: PageSize = PAGE_SIZE, **filters: Unpack[AllParticipantFilters]
) -> Listing[RoomParticipant]:
    """List the participants of all sessions of the account."""
    return client.participants.list(page_size=page_size, **filters)


@api_command(participants_group, "retrieve")
def retrieve_participant(
    client: RoomsClient,
    participant_id: Annotated[
        str, typer.Argument(metavar="PARTICIPANT_ID", help="The id of the participant.")
    ],
) -> Awaitable[RoomParticipant]:
    """Show one participant, with all fields."""
    return client.participants.retrieve(participant_id)
