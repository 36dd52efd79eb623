"""Participants of sessions, present and past."""

from telnyx_rooms_async.core.endpoints import LIST_PARTICIPANTS, RETRIEVE_PARTICIPANT
from telnyx_rooms_async.core.protocol import build
from telnyx_rooms_async.core.requests import PAGE_SIZE_MAX, Days, ParticipantsQuery
from telnyx_rooms_async.core.validators import ParticipantId, SessionId
from telnyx_rooms_async.http.api_session import ApiSession
from telnyx_rooms_async.models import RoomParticipant
from telnyx_rooms_async.pagination import Listing


class Participants:
    """The participants of all sessions of the account: ``client.participants``.

    Example:
        >>> async def contexts(client, session):
        ...     return [p.context async for p in client.participants.list(session_id=session)]
    """

    def __init__(self, api: ApiSession) -> None:
        self._api = api

    async def retrieve(self, participant_id: ParticipantId) -> RoomParticipant:
        """Return one participant.

        One request, repeated on failure.

        Args:
            participant_id: a `RoomParticipant` or its id.

        Raises:
            InvalidArgumentError: `participant_id` is not an id; nothing was sent.
            NotFoundError: there is no such participant.

        Telnyx operation: ViewRoomParticipant.
        """
        return await self._api.call(build(RETRIEVE_PARTICIPANT, room_participant_id=participant_id))

    def list(
        self,
        *,
        session_id: SessionId | None = None,
        joined_at: Days = None,
        updated_at: Days = None,
        left_at: Days = None,
        context: str | None = None,
        page_size: int = PAGE_SIZE_MAX,
    ) -> Listing[RoomParticipant]:
        """List the participants of all sessions of the account.

        Not awaited, and nothing is sent before the listing is iterated: then one request per page, repeated
        on failure. Telnyx documents no order.

        Args:
            session_id: only participants of this session.
            joined_at: a day, or a `DateFilter` with inclusive bounds.
            updated_at: a day, or a `DateFilter` with inclusive bounds.
            left_at: a day, or a `DateFilter` with inclusive bounds.
            context: only participants whose client joined with exactly this context.
            page_size: 1 to 250 participants per request.

        Raises:
            InvalidArgumentError: an argument is invalid; nothing was sent.

        Telnyx operation: ListRoomParticipants.
        """
        query = ParticipantsQuery(
            session_id=session_id,
            joined_at=joined_at,
            updated_at=updated_at,
            left_at=left_at,
            context=context,
            page_size=page_size,
        )
        return Listing(self._api, build(LIST_PARTICIPANTS, query=query))
