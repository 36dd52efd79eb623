"""Sessions: the meetings held in rooms, and their participants."""

from collections.abc import AsyncIterable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from attrs import evolve

from telnyx_rooms_async.core.endpoints import (
    END_SESSION,
    KICK_PARTICIPANTS,
    LIST_PARTICIPANTS,
    LIST_SESSION_PARTICIPANTS,
    LIST_SESSIONS,
    MUTE_PARTICIPANTS,
    RETRIEVE_PARTICIPANT,
    RETRIEVE_SESSION,
    UNMUTE_PARTICIPANTS,
    Endpoint,
)
from telnyx_rooms_async.core.protocol import PAGE_SIZE_MAX, build
from telnyx_rooms_async.core.requests import (
    ParticipantsBody,
    ParticipantsQuery,
    SessionParticipantsQuery,
    SessionQuery,
    SessionsQuery,
)
from telnyx_rooms_async.core.validators import UNSET, Days, ParticipantId, RoomId, SessionId
from telnyx_rooms_async.errors import NotFoundError, SessionEndedError
from telnyx_rooms_async.http.api_session import ApiSession
from telnyx_rooms_async.models import ActionResult, RoomParticipant, RoomSession
from telnyx_rooms_async.pagination import Listing

if TYPE_CHECKING:  # most programs have no bulk jobs and no reports, and do not import these
    from telnyx_rooms_async.batch.journal import Journal
    from telnyx_rooms_async.batch.operations import BatchJob, BatchProgress, BulkOperation
    from telnyx_rooms_async.reports import Attendance, Identity


class Sessions:
    """The sessions of the account: ``client.sessions``.

    Invalid arguments raise `InvalidArgumentError` before anything is sent. Unless it says otherwise, a method
    is one request, repeated on failure.

    Example:
        >>> async for session in client.sessions.list(active=True):
        ...     await client.sessions.end(session)
    """

    def __init__(self, api: ApiSession) -> None:
        self._api = api

    async def retrieve(self, session_id: SessionId, *, include_participants: bool = False) -> RoomSession:
        """Return one session.

        Args:
            session_id: a `RoomSession` or its id.
            include_participants: whether `RoomSession.participants` is filled.

        Raises:
            NotFoundError: there is no such session.

        Example:
            >>> session = await client.sessions.retrieve(session_id, include_participants=True)
            >>> [person.context for person in session.participants]
            ['Alice']

        Telnyx operation: ViewRoomSession.
        """
        query = (
            None if include_participants is False else SessionQuery(include_participants=include_participants)
        )
        return await self._api.call(build(RETRIEVE_SESSION, session_id=session_id, query=query))

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

        Not awaited: the listing makes one request per page while it is iterated. Telnyx documents no order.

        Args:
            room_id: only sessions of this room.
            created_at: a day, or a `DateFilter` with inclusive bounds.
            updated_at: a day, or a `DateFilter` with inclusive bounds.
            ended_at: a day, or a `DateFilter` with inclusive bounds.
            active: True for active sessions only, False for ended ones; None for both.
            include_participants: whether `RoomSession.participants` is filled.
            page_size: 1 to 250 sessions per request.

        Example:
            >>> [session.room_id == room_id async for session in client.sessions.list(active=True)]
            [True]

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
        """List the present and past participants of one session.

        Not awaited: the listing makes one request per page while it is iterated. Telnyx documents no order.

        Args:
            session_id: a `RoomSession` or its id.
            joined_at: a day, or a `DateFilter` with inclusive bounds.
            updated_at: a day, or a `DateFilter` with inclusive bounds.
            left_at: a day, or a `DateFilter` with inclusive bounds.
            context: only participants whose client joined with this context.
            page_size: 1 to 250 participants per request.

        Raises:
            NotFoundError: while iterating: there is no such session.

        Example:
            >>> [person.context async for person in client.sessions.participants(session_id)]
            ['Alice']

        Telnyx operation: RetrieveListRoomParticipants.
        """
        query = SessionParticipantsQuery(
            joined_at=joined_at, updated_at=updated_at, left_at=left_at, context=context, page_size=page_size
        )
        return Listing(self._api, build(LIST_SESSION_PARTICIPANTS, session_id=session_id, query=query))

    async def attendance(
        self, session_id: SessionId, *, identity: "Identity" = None, as_of: datetime | None = None
    ) -> "Attendance":
        """Return the people of a session: one request, and one for every 250 participants.

        Args:
            session_id: a `RoomSession` or its id.
            identity: how people are recognised: by default by the ``context`` of their participants; a text
                such as ``"user_id"`` names a field of a JSON ``context``; or a function of the participant.
            as_of: timezone-aware: the time until which people that have not left are present; default: now,
                by the server's clock.

        Raises:
            InvalidArgumentError: an argument is invalid.
            NotFoundError: there is no such session.

        Example:
            >>> attendance = await client.sessions.attendance(session_id)
            >>> [(attendee.identity, attendee.is_present) for attendee in attendance.attendees]
            [('Alice', True)]

        Telnyx operations: ViewRoomSession and RetrieveListRoomParticipants.
        """
        from telnyx_rooms_async.reports.attendance import attendance_of, check_arguments

        check_arguments(as_of, identity)
        session = await self.retrieve(session_id)
        participants = await self.participants(session.id).all()
        return attendance_of(
            [evolve(session, participants=tuple(participants))],
            as_of=as_of or datetime.fromtimestamp(self._api.server_now(), UTC),
            identity=identity,
        )

    async def end(self, session_id: SessionId) -> None:
        """End a session for all participants. Its room stays.

        A repeated request that finds the session ended has succeeded.

        Raises:
            SessionEndedError: it had ended before the first attempt.
            NotFoundError: there is no such session.

        Example:
            >>> await client.sessions.end(session_id)

        Telnyx operation: EndSession.
        """
        await self._api.call(build(END_SESSION, session_id=session_id))

    def end_many(
        self,
        ids: Iterable[SessionId] | AsyncIterable[SessionId],
        *,
        concurrency: int = 32,
        ordered: bool = False,
        max_failures: int | None = None,
        journal: "Journal | None" = None,
        progress: "BatchProgress | None" = None,
    ) -> "BatchJob[SessionId, None]":
        """End sessions, and yield the outcome of each, with the options of ``client.rooms.create_many``.

        `ids` are sessions or their ids. One request per session, as by `end`. A session that was in flight
        when a run with a journal died, and has ended or is gone, counts as ended by it.

        Example:
            >>> result = await client.sessions.end_many([session_id])
            >>> result.raise_for_failures()

        Telnyx operation: EndSession.
        """
        return bulk_end(self._api).run(
            ids,
            concurrency=concurrency,
            ordered=ordered,
            max_failures=max_failures,
            journal=journal,
            progress=progress,
        )

    async def kick(
        self,
        session_id: SessionId,
        participants: Literal["all"] | Iterable[ParticipantId],
        *,
        exclude: Iterable[ParticipantId] = (),
    ) -> None:
        """Remove participants from a session.

        One request, repeated only if the server certainly did not process it.

        Args:
            session_id: a `RoomSession` or its id.
            participants: participants or their ids, or ``"all"``.
            exclude: participants to leave out of ``"all"``.

        Raises:
            NotFoundError: there is no such session.
            OutcomeUnknownError: the request may have been processed.

        Example:
            >>> await client.sessions.kick(session_id, "all", exclude=[participant])

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
        """Mute participants of a session. Arguments, cost and errors are those of `kick`.

        Example:
            >>> await client.sessions.mute(session_id, [participant])

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
        """Unmute participants of a session. Arguments, cost and errors are those of `kick`.

        Example:
            >>> await client.sessions.unmute(session_id, "all")

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
        await self._api.call(build(endpoint, session_id=session_id, body=body))


class Participants:
    """The participants of all sessions of the account: ``client.participants``.

    Invalid arguments raise `InvalidArgumentError` before anything is sent.

    Example:
        >>> [person.context async for person in client.participants.list(session_id=session_id)]
        ['Alice']
    """

    def __init__(self, api: ApiSession) -> None:
        self._api = api

    async def retrieve(self, participant_id: ParticipantId) -> RoomParticipant:
        """Return one participant.

        Raises:
            NotFoundError: there is no such participant.

        Example:
            >>> (await client.participants.retrieve(participant)).context
            'Alice'

        Telnyx operation: ViewRoomParticipant.
        """
        return await self._api.call(build(RETRIEVE_PARTICIPANT, participant_id=participant_id))

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

        Not awaited: the listing makes one request per page while it is iterated. Telnyx documents no order.

        Args:
            session_id: only participants of this session.
            joined_at: a day, or a `DateFilter` with inclusive bounds.
            updated_at: a day, or a `DateFilter` with inclusive bounds.
            left_at: a day, or a `DateFilter` with inclusive bounds.
            context: only participants whose client joined with this context.
            page_size: 1 to 250 participants per request.

        Example:
            >>> [person.left_at async for person in client.participants.list(context="Alice")]
            [None]

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


def bulk_end(api: ApiSession) -> "BulkOperation[SessionId, None]":
    """Return the operation of `Sessions.end_many`, also used by `integrations.dask`."""
    from telnyx_rooms_async.batch.operations import BulkOperation

    async def end(session_id: SessionId, since: float | None) -> None:
        try:
            await api.call(build(END_SESSION, session_id=session_id))
        except (NotFoundError, SessionEndedError):
            if since is None:
                raise

    return BulkOperation(name="end_many", apply=end, api=api)
