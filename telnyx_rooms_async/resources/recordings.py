"""Recordings: an audio and a video file for each participant of a recorded session."""

import os
from typing import cast

from telnyx_rooms_async.core.endpoints import (
    DELETE_RECORDING,
    DELETE_RECORDINGS,
    LIST_RECORDINGS,
    RETRIEVE_RECORDING,
)
from telnyx_rooms_async.core.protocol import PAGE_SIZE_MAX, build
from telnyx_rooms_async.core.requests import RecordingsFilter, RecordingsQuery
from telnyx_rooms_async.core.validators import (
    Days,
    DurationFilter,
    ParticipantId,
    RecordingId,
    RoomId,
    SessionId,
    short_repr,
)
from telnyx_rooms_async.errors import InvalidArgumentError
from telnyx_rooms_async.http.api_session import ApiSession
from telnyx_rooms_async.models import RoomRecording
from telnyx_rooms_async.pagination import Listing
from telnyx_rooms_async.resources.downloads import Progress, Writer, download, file_size
from telnyx_rooms_async.resources.results import DownloadedFile


class Recordings:
    """The recordings of the account: ``client.recordings``.

    Invalid arguments raise `InvalidArgumentError` before anything is sent. Unless it says otherwise, a method
    is one request, repeated on failure.

    Example:
        >>> async for recording in client.recordings.list(status="completed", type="video"):
        ...     await client.recordings.download(recording, f"{recording.id}.webm")
        DownloadedFile(...)
    """

    def __init__(self, api: ApiSession) -> None:
        self._api = api

    async def retrieve(self, recording_id: RecordingId) -> RoomRecording:
        """Return one recording.

        Raises:
            NotFoundError: there is no such recording.

        Example:
            >>> (await client.recordings.retrieve(recording)).status
            'completed'

        Telnyx operation: ViewRoomRecording.
        """
        return await self._api.call(build(RETRIEVE_RECORDING, recording_id=recording_id))

    def list(
        self,
        *,
        room_id: RoomId | None = None,
        session_id: SessionId | None = None,
        participant_id: ParticipantId | None = None,
        status: str | None = None,
        type: str | None = None,  # noqa: A002 - the API's name for it
        started_at: Days = None,
        ended_at: Days = None,
        duration_secs: DurationFilter | None = None,
        page_size: int = PAGE_SIZE_MAX,
    ) -> Listing[RoomRecording]:
        """List the recordings of the account.

        Not awaited: the listing makes one request per page while it is iterated. Telnyx documents no order.

        Args:
            room_id: only recordings of this room.
            session_id: only recordings of this session.
            participant_id: only recordings of this participant.
            status: ``"completed"`` or ``"processing"``: see `RecordingStatus`.
            type: ``"audio"`` or ``"video"``: see `RecordingType`.
            started_at: a day, or a `DateFilter` with inclusive bounds.
            ended_at: a day, or a `DateFilter` with inclusive bounds.
            duration_secs: a `DurationFilter` with inclusive bounds.
            page_size: 1 to 250 recordings per request.

        Example:
            >>> [recording.type async for recording in client.recordings.list(type="video")]
            ['video']

        Telnyx operation: ListRoomRecordings.
        """
        query = RecordingsQuery(
            room_id=room_id,
            session_id=session_id,
            participant_id=participant_id,
            status=status,
            type=type,
            started_at=started_at,
            ended_at=ended_at,
            duration_secs=duration_secs,
            page_size=page_size,
        )
        return Listing(self._api, build(LIST_RECORDINGS, query=query))

    async def download(
        self,
        recording_id: RecordingId,
        target: str | os.PathLike[str] | Writer,
        *,
        progress: Progress | None = None,
        max_bytes: int | None = None,
    ) -> DownloadedFile:
        """Download the file of a recording to a path or a binary writer.

        Two requests. A lost connection is resumed where it broke off, an expired link is renewed; retries are
        paid for from the retry budget. The whole download has no time limit, but the store must send at least
        1024 bytes a second on average over each `timeout` of the client, and every piece within
        `attempt_timeout`. Memory use is constant. The API key is never sent to the store.

        A path is written under a temporary name in the same folder, readable by its owner only, and renamed
        when the file is complete and synced to disk, so that a failure leaves nothing.

        Args:
            recording_id: a `RoomRecording` or its id.
            target: an existing file is replaced. A writer is called in this thread, and not closed.
            progress: called after each piece with the received bytes, and with the size of the file, or None
                if the store does not state it. May be async.
            max_bytes: the largest size that is accepted; None for no limit.

        Raises:
            NotReadyError: the recording is not completed.
            NotFoundError: there is no such recording.
            APIConnectionError: the store cannot be reached, closes connections without sending a byte, or is
                too slow (`APITimeoutError`).
            APIResponseValidationError: the link is not a URL, or http:// while the API is https://.
            ResponseTooLargeError: the file is larger than `max_bytes`.
            MalformedResponseError: the store sent another file than at first.
            OSError: the path cannot be written.

        Example:
            >>> file = await client.recordings.download(recording, "meeting.webm")
            >>> file.size == os.path.getsize("meeting.webm")
            True

        Telnyx operation: ViewRoomRecording.
        """
        call = build(RETRIEVE_RECORDING, recording_id=recording_id)
        return await download(self._api, call, target, progress=progress, max_bytes=max_bytes)

    async def file_size(self, recording: RoomRecording) -> int | None:
        """Return the exact size of the file in bytes, without a download: `RoomRecording.size_mb` is rounded.

        None if the store does not state it. One request to the store, and one to Telnyx if the link of the
        recording has expired.

        Raises:
            InvalidArgumentError: the argument is not a `RoomRecording`.
            NotReadyError: the recording is not completed.
            NotFoundError: there is no such recording.
            APIConnectionError: the store cannot be reached.

        Example:
            >>> await client.recordings.file_size(recording)
            1300000

        Telnyx operation: ViewRoomRecording.
        """
        if not isinstance(cast("object", recording), RoomRecording):
            raise InvalidArgumentError((f"recording must be a RoomRecording, got {short_repr(recording)}",))
        call = build(RETRIEVE_RECORDING, recording_id=recording.id)
        return await file_size(self._api, call, recording)

    async def delete(self, recording_id: RecordingId) -> None:
        """Delete a recording and its file.

        A repeated request that finds the recording gone has succeeded.

        Raises:
            NotFoundError: there was no such recording at the first attempt.

        Example:
            >>> await client.recordings.delete(recording)

        Telnyx operation: DeleteRoomRecording.
        """
        await self._api.call(build(DELETE_RECORDING, recording_id=recording_id))

    async def delete_matching(
        self,
        *,
        room_id: RoomId | None = None,
        session_id: SessionId | None = None,
        participant_id: ParticipantId | None = None,
        status: str | None = None,
        type: str | None = None,  # noqa: A002 - the API's name for it
        started_at: Days = None,
        ended_at: Days = None,
        duration_secs: DurationFilter | None = None,
    ) -> int:
        """Delete all recordings that match the filters of `list`, and return their number.

        One request, repeated only if the server certainly did not process it. At least one filter is
        required: Telnyx does not document what a request without filters deletes.

        Raises:
            InvalidArgumentError: there is no filter, or one is invalid; nothing was sent.
            OutcomeUnknownError: the request may have been processed.

        Example:
            >>> await client.recordings.delete_matching(type="audio")
            1

        Telnyx operation: DeleteRoomRecordings.
        """
        query = RecordingsFilter(
            room_id=room_id,
            session_id=session_id,
            participant_id=participant_id,
            status=status,
            type=type,
            started_at=started_at,
            ended_at=ended_at,
            duration_secs=duration_secs,
        )
        call = build(DELETE_RECORDINGS, query=query)
        if not call.request.query:
            raise InvalidArgumentError(("at least one filter must be given: this deletes all that match",))
        return (await self._api.call(call)).room_recordings or 0
