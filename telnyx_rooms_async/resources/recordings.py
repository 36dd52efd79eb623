"""Recordings: a file of sound and one of picture for each participant of a recorded session."""

import os

from telnyx_rooms_async.core.endpoints import (
    DELETE_RECORDING,
    DELETE_RECORDINGS,
    LIST_RECORDINGS,
    RETRIEVE_RECORDING,
)
from telnyx_rooms_async.core.protocol import build
from telnyx_rooms_async.core.requests import PAGE_SIZE_MAX, Days, RecordingsFilter, RecordingsQuery
from telnyx_rooms_async.core.validators import DurationFilter, ParticipantId, RecordingId, RoomId, SessionId
from telnyx_rooms_async.errors import InvalidArgumentError
from telnyx_rooms_async.http.api_session import ApiSession
from telnyx_rooms_async.models import RoomRecording
from telnyx_rooms_async.pagination import Listing
from telnyx_rooms_async.resources.downloads import DownloadedFile, Progress, Writer, download, file_size


class Recordings:
    """``client.recordings``."""

    def __init__(self, api: ApiSession) -> None:
        self._api = api

    async def retrieve(self, recording_id: RecordingId) -> RoomRecording:
        """Return one recording.

        One request, repeated on failure.

        Raises:
            InvalidArgumentError: not an id; nothing was sent.
            NotFoundError: there is no such recording, or no longer.

        Telnyx operation: ViewRoomRecording.
        """
        return await self._api.call(build(RETRIEVE_RECORDING, room_recording_id=recording_id))

    async def download(
        self,
        recording_id: RecordingId,
        target: str | os.PathLike[str] | Writer,
        *,
        progress: Progress | None = None,
        max_bytes: int | None = None,
    ) -> DownloadedFile:
        """Bring the file of a recording to a path or a binary writer.

        Two requests; a cut is resumed where it happened, and an expired link is asked for anew. The time
        of the whole has no limit, but the store must make progress: in each `timeout` of the client it
        must bring at least 1024 bytes a second on average, and no piece may take longer than an
        `attempt_timeout`. Repetitions are paid from the client's retry budget. Memory stays flat. The API
        key is never sent to the store. A path is written under a temporary name in its folder, readable by
        its owner only, and takes its name when the length is right and all of it is on the disk, so a
        failure leaves nothing.

        Args:
            recording_id: the id that Telnyx gave the recording, or the recording.
            target: where to; a file that is there is replaced. A writer is written to in this thread,
                and not closed.
            progress: called after each piece with the bytes that are there, and those that there will
                be (``None`` when the store does not say); awaited if it is async.
            max_bytes: how large the file may be; without limit unless given.

        Raises:
            InvalidArgumentError: not an id, no target, or another argument is wrong; nothing was sent.
            NotReadyError: the recording is not completed.
            NotFoundError: there is no such recording, or no longer.
            APIConnectionError: the store could not be reached, kept cutting without a byte more, or is too
                slow (`APITimeoutError`).
            APIResponseValidationError: the link is no URL, or an ``http://`` one of an ``https://`` API.
            ResponseTooLargeError: the file is larger than `max_bytes`.
            MalformedResponseError: the store sent another file than the one that it began with.
            OSError: the path cannot be written.

        Telnyx operation: ViewRoomRecording.
        """
        call = build(RETRIEVE_RECORDING, room_recording_id=recording_id)
        return await download(self._api, call, target, progress=progress, max_bytes=max_bytes)

    async def file_size(self, recording: RoomRecording) -> int | None:
        """Return the exact size of the file of a recording, in bytes: `RoomRecording.size_mb` is rounded.

        One request to the store, repeated on failure, and one to Telnyx when the link of `recording` has
        expired. The file is not downloaded.

        Args:
            recording: as it was retrieved or listed.

        Returns:
            ``None`` when the store does not say.

        Raises:
            NotReadyError: the recording is not completed.
            NotFoundError: there is no such recording, or no longer.
            APIConnectionError: the store could not be reached.

        Telnyx operation: ViewRoomRecording.
        """
        call = build(RETRIEVE_RECORDING, room_recording_id=recording.id)
        return await file_size(self._api, call, recording)

    async def delete(self, recording_id: RecordingId) -> None:
        """Delete a recording and its file.

        One request, repeated on failure: a second attempt that finds it gone has succeeded.

        Raises:
            InvalidArgumentError: not an id; nothing was sent.
            NotFoundError: there was no such recording at the first attempt.

        Telnyx operation: DeleteRoomRecording.
        """
        await self._api.call(build(DELETE_RECORDING, room_recording_id=recording_id))

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
        """Delete all recordings that the filters select, and return how many that were.

        One request; repeated only when the server certainly did not act on the first. The filters are
        those of `list`, and one at least must be given: Telnyx does not say what none would delete.

        Raises:
            InvalidArgumentError: there is no filter, or a filter is wrong; nothing was sent.
            OutcomeUnknownError: it may have been carried out.

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

        Not awaited: nothing is sent before the listing is iterated; then one request a page, repeated
        on failure. Telnyx documents no order.

        Args:
            room_id: only those of one room.
            session_id: only those of one session.
            participant_id: only those of one participant.
            status: ``"completed"`` or ``"processing"``: see `RecordingStatus`.
            type: ``"audio"`` or ``"video"``: see `RecordingType`.
            started_at: a day, or a `DateFilter` with both ends included.
            ended_at: likewise.
            duration_secs: a `DurationFilter` with both ends included.
            page_size: 1 to 250 recordings a request.

        Raises:
            InvalidArgumentError: a filter or the size is wrong; nothing was sent.

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
