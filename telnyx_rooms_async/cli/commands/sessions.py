"""``telnyx-rooms sessions``: one command per method of ``client.sessions``."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Final, TypedDict, Unpack

import typer

from telnyx_rooms_async import Listing, RoomParticipant, RoomsClient, RoomSession
from telnyx_rooms_async.cli.commands.reports import session_attendance
from telnyx_rooms_async.cli.display import Result
from telnyx_rooms_async.cli.options import (
    IncludeParticipants,
    OfRoom,
    ParticipantQuery,
    SessionId,
    SessionQuery,
    argument,
    flag,
    option,
)
from telnyx_rooms_async.cli.runner import command, command_group

app: Final = command_group(help="Sessions of all rooms, and actions on their participants.")


class Query(SessionQuery, total=False):
    """Options of a list of sessions of all rooms."""

    room_id: OfRoom


class Selection(TypedDict, total=False):
    """Participants that an action applies to."""

    participants: Annotated[list[str], argument("PARTICIPANT_ID", "Ids of participants.")]
    everyone: Annotated[bool, flag("--all", "All participants of the session.")]
    exclude: Annotated[list[str], option("ID", "With --all: except this participant. Repeatable.")]


@command(app, "list")
def list_sessions(client: RoomsClient, **query: Unpack[Query]) -> Listing[RoomSession]:
    """List the sessions of all rooms of the account."""
    return client.sessions.list(**query)


@command(app)
def retrieve(
    client: RoomsClient, session_id: SessionId, *, include_participants: IncludeParticipants = False
) -> Awaitable[RoomSession]:
    """Show one session, with all its fields."""
    return client.sessions.retrieve(session_id, include_participants=include_participants)


@command(app, omit="session_id")
def participants(
    client: RoomsClient, session_id: SessionId, **query: Unpack[ParticipantQuery]
) -> Listing[RoomParticipant]:
    """List the participants of one session, past and present."""
    return client.sessions.participants(session_id, **query)


@command(app)
async def end(client: RoomsClient, session_id: SessionId) -> Result:
    """End a session, and disconnect its participants.

    The room is not deleted.
    """
    await client.sessions.end(session_id)
    return Result(f"ended {session_id}")


@command(app)
async def kick(client: RoomsClient, session_id: SessionId, **selection: Unpack[Selection]) -> Result:
    """Disconnect participants from a session."""
    return await _act(client.sessions.kick, "kicked", session_id, **selection)


@command(app)
async def mute(client: RoomsClient, session_id: SessionId, **selection: Unpack[Selection]) -> Result:
    """Mute participants of a session."""
    return await _act(client.sessions.mute, "muted", session_id, **selection)


@command(app)
async def unmute(client: RoomsClient, session_id: SessionId, **selection: Unpack[Selection]) -> Result:
    """Unmute participants of a session."""
    return await _act(client.sessions.unmute, "unmuted", session_id, **selection)


async def _act(
    method: Callable[..., Awaitable[None]],
    participle: str,
    session_id: str,
    *,
    participants: Sequence[str] = (),
    everyone: bool = False,
    exclude: Sequence[str] = (),
) -> Result:
    if participants and everyone:
        raise typer.BadParameter("ids of participants and --all cannot be combined")
    if not participants and not everyone:
        raise typer.BadParameter("pass ids of participants, or --all")
    if exclude and not everyone:
        raise typer.BadParameter("--exclude can only be used with --all")
    await method(session_id, participants or "all", exclude=exclude)
    excepted = f" except {', '.join(exclude)}" if exclude else ""
    return Result(f"{participle} {', '.join(participants or ['all'])}{excepted}")


command(app, "attendance")(session_attendance)
