"""``telnyx-rooms participants``: one command per method of ``client.participants``."""

from collections.abc import Awaitable
from typing import Annotated, Final, Unpack

from telnyx_rooms_async import Listing, RoomParticipant, RoomsClient
from telnyx_rooms_async.cli.options import OfSession, ParticipantQuery, argument
from telnyx_rooms_async.cli.runner import command, command_group

app: Final = command_group(help="Participants of the sessions of all rooms.")


class Query(ParticipantQuery, total=False):
    """Options of a list of participants of all sessions."""

    session_id: OfSession


@command(app, "list")
def list_participants(client: RoomsClient, **query: Unpack[Query]) -> Listing[RoomParticipant]:
    """List the participants of all sessions of the account."""
    return client.participants.list(**query)


@command(app)
def retrieve(
    client: RoomsClient,
    participant_id: Annotated[str, argument("PARTICIPANT_ID", "The id of the participant.")],
) -> Awaitable[RoomParticipant]:
    """Show one participant, with all fields."""
    return client.participants.retrieve(participant_id)
