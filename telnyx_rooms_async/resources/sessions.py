"""Sessions: the meetings held in rooms, and what can be done to those who are in one."""

from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from typing import Literal

from attrs import evolve

from telnyx_rooms_async import batch
from telnyx_rooms_async.batch.journal import Journal
from telnyx_rooms_async.batch.operations import BulkOperation
from telnyx_rooms_async.core.endpoints import (
    END_SESSION,
    KICK_PARTICIPANTS,
    LIST_SESSION_PARTICIPANTS,
    LIST_SESSIONS,
    MUTE_PARTICIPANTS,
    RETRIEVE_SESSION,
    UNMUTE_PARTICIPANTS,
    Endpoint,
)
from telnyx_rooms_async.core.protocol import build
from telnyx_rooms_async.core.requests import (
    PAGE_SIZE_MAX,
    Days,
    ParticipantsBody,
    SessionParticipantsQuery,
    SessionQuery,
    SessionsQuery,
)
from telnyx_rooms_async.core.validators import UNSET, ParticipantId, RoomId, SessionId
from telnyx_rooms_async.errors import SessionEndedError
from telnyx_rooms_async.http.api_session import ApiSession
from telnyx_rooms_async.models import ActionResult, RoomParticipant, RoomSession
from telnyx_rooms_async.pagination import Listing


class Sessions:
    """``client.sessions``."""

    def __init__(self, api: ApiSession) -> None:
        self._api = api

    async def retrieve(self, session_id: SessionId, *, include_participants: bool = False) -> RoomSession:
        """Return one session.

        One request, repeated on failure.

        Args:
            session_id: the id that Telnyx gave the session, or the session.
            include_participants: whether `RoomSession.participants` is filled.

        Raises:
            InvalidArgumentError: not an id; nothing was sent.
            NotFoundError: there is no such session.

        Telnyx operation: ViewRoomSession.
        """
        query = (
            None if include_participants is False else SessionQuery(include_participants=include_participants)
        )
        return await self._api.call(build(RETRIEVE_SESSION, room_session_id=session_id, query=query))

    def participants(
        self,
        session_id: SessionId,
        *,
        joined_at: Days = None,
        updated_at: Days = None,
        left_at: Days = None,
        context: str | None = None,
        page_size: int = PAGE_SIZE_MAX,
    ) -> Listing[RoomParticipant]:
        """List who is or was in one session.

        Not awaited: nothing is sent before the listing is iterated; then one request a page, repeated
        on failure. Telnyx documents no order.

        Args:
            session_id: the id that Telnyx gave the session, or the session.
            joined_at: a day, or a `DateFilter` with both ends included.
            updated_at: likewise.
            left_at: likewise.
            context: only those whose client said exactly this of itself.
            page_size: 1 to 250 participants a request.

        Raises:
            InvalidArgumentError: a filter or the size is wrong, or not an id; nothing was sent.
            NotFoundError: while iterating: there is no such session.

        Telnyx operation: RetrieveListRoomParticipants.
        """
        query = SessionParticipantsQuery(
            joined_at=joined_at, updated_at=updated_at, left_at=left_at, context=context, page_size=page_size
        )
        return Listing(self._api, build(LIST_SESSION_PARTICIPANTS, room_session_id=session_id, query=query))

    async def end(self, session_id: SessionId) -> None:
        """End a session: everyone in it is sent out. Its room stays.

        One request, repeated on failure: a further attempt that finds it ended has succeeded.

        Raises:
            InvalidArgumentError: not an id; nothing was sent.
            SessionEndedError: it had ended before the first attempt.
            NotFoundError: there is no such session.

        Telnyx operation: EndSession.
        """
        await _end(self._api, session_id)

    def end_many(
        self,
        ids: Iterable[SessionId] | AsyncIterable[SessionId],
        *,
        limit: int = 32,
        ordered: bool = False,
        max_failures: int | None = None,
        journal: Journal | None = None,
    ) -> AsyncGenerator[batch.Outcome[SessionId, None], None]:
        """End sessions, and yield what came of each.

        Not awaited; one request a session, repeated on failure. With a journal, a session that was in
        flight when a run died and has ended has been ended.
        Arguments and errors are those of `client.rooms.create_many` and of `end`.

        Telnyx operation: EndSession.
        """
        many = bulk_end(self._api)
        return many.run(ids, limit=limit, ordered=ordered, max_failures=max_failures, journal=journal)

    async def kick(
        self,
        session_id: SessionId,
        participants: Literal["all"] | Iterable[ParticipantId],
        *,
        exclude: Iterable[ParticipantId] = (),
    ) -> None:
        """Send participants out of a session.

        One request; repeated only when the server certainly did not act on the first.

        Args:
            session_id: the id that Telnyx gave the session, or the session.
            participants: participants or their ids, in any iterable, or ``"all"``.
            exclude: ids of those who are left alone, when all are meant.

        Raises:
            InvalidArgumentError: no ids; nothing was sent.
            NotFoundError: there is no such session.
            OutcomeUnknownError: it may have been carried out.

        Telnyx operation: KickParticipantInSession.
        """
        await self._act(KICK_PARTICIPANTS, session_id, participants, exclude)

    async def mute(
        self,
        session_id: SessionId,
        participants: Literal["all"] | Iterable[ParticipantId],
        *,
        exclude: Iterable[ParticipantId] = (),
    ) -> None:
        """Mute participants of a session; arguments, cost and errors are those of `kick`.

        Telnyx operation: MuteParticipantInSession.
        """
        await self._act(MUTE_PARTICIPANTS, session_id, participants, exclude)

    async def unmute(
        self,
        session_id: SessionId,
        participants: Literal["all"] | Iterable[ParticipantId],
        *,
        exclude: Iterable[ParticipantId] = (),
    ) -> None:
        """Unmute participants of a session; arguments, cost and errors are those of `kick`.

        Telnyx operation: UnmuteParticipantInSession.
        """
        await self._act(UNMUTE_PARTICIPANTS, session_id, participants, exclude)

    async def _act(
        self,
        endpoint: Endpoint[ActionResult],
        session_id: SessionId,
        participants: Literal["all"] | Iterable[ParticipantId],
        exclude: Iterable[ParticipantId],
    ) -> None:
        body = ParticipantsBody(participants=participants, exclude=exclude)
        if isinstance(body.exclude, tuple) and not body.exclude:
            body = evolve(body, exclude=UNSET)
        await self._api.call(build(endpoint, room_session_id=session_id, body=body))

    def list(
        self,
        *,
        room_id: RoomId | None = None,
        created_at: Days = None,
        updated_at: Days = None,
        ended_at: Days = None,
        active: bool | None = None,
        include_participants: bool = False,
        page_size: int = PAGE_SIZE_MAX,
    ) -> Listing[RoomSession]:
        """List the sessions of all rooms of the account.

        Not awaited: nothing is sent before the listing is iterated; then one request a page, repeated
        on failure. Telnyx documents no order.

        Args:
            room_id: only those of one room.
            created_at: a day, or a `DateFilter` with both ends included.
            updated_at: likewise.
            ended_at: likewise.
            active: only those going on, or only those that ended; ``None`` for both.
            include_participants: whether `RoomSession.participants` is filled.
            page_size: 1 to 250 sessions a request.

        Raises:
            InvalidArgumentError: a filter or the size is wrong; nothing was sent.

        Telnyx operation: ListRoomSessions.
        """
        query = SessionsQuery(
            room_id=room_id,
            created_at=created_at,
            updated_at=updated_at,
            ended_at=ended_at,
            active=active,
            include_participants=include_participants,
            page_size=page_size,
        )
        return Listing(self._api, build(LIST_SESSIONS, query=query))


def bulk_end(api: ApiSession) -> BulkOperation[SessionId, None]:
    """Say how one of many sessions is ended."""

    async def one(session_id: SessionId, since: float | None) -> None:
        try:
            await _end(api, session_id)
        except SessionEndedError:
            if since is None:
                raise

    return BulkOperation(name="end_many", act=one, api=api)


async def _end(api: ApiSession, session_id: SessionId) -> None:
    await api.call(build(END_SESSION, room_session_id=session_id))
