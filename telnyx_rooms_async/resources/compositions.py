"""Compositions: the recordings of a session, combined into one video."""

import os
from collections.abc import Iterable, Mapping
from typing import Final

from telnyx_rooms_async.core.endpoints import (
    CREATE_COMPOSITION,
    DELETE_COMPOSITION,
    LIST_COMPOSITIONS,
    RETRIEVE_COMPOSITION,
)
from telnyx_rooms_async.core.protocol import PAGE_SIZE_MAX, build
from telnyx_rooms_async.core.requests import CompositionBody, CompositionsQuery
from telnyx_rooms_async.core.validators import (
    EXACT_IDS,
    UNSET,
    CompositionId,
    Days,
    RecordingId,
    SessionId,
    UnsetType,
    exact_text,
)
from telnyx_rooms_async.core.validators import resolution as resolution_problem
from telnyx_rooms_async.http.api_session import ApiSession
from telnyx_rooms_async.models import CompositionStatus, RoomComposition, VideoRegion
from telnyx_rooms_async.pagination import Listing
from telnyx_rooms_async.resources.downloads import Progress, Writer, download
from telnyx_rooms_async.resources.polling import poll
from telnyx_rooms_async.resources.results import DownloadedFile

_DEFAULT_RESOLUTION: Final = "1280x720"
_UNFINISHED: Final = (None, CompositionStatus.ENQUEUED, CompositionStatus.PROCESSING)


class Compositions:
    """The compositions of the account: ``client.compositions``.

    Invalid arguments raise `InvalidArgumentError` before anything is sent. Unless it says otherwise, a method
    is one request, repeated on failure.

    Example:
        >>> composition = await client.compositions.create(recording.session_id)
        >>> composition = await client.compositions.wait(composition)
        >>> file = await client.compositions.download(composition, "meeting.mp4")
    """

    def __init__(self, api: ApiSession) -> None:
        self._api = api

    async def create(
        self,
        session_id: SessionId,
        *,
        video_layout: Mapping[str, VideoRegion] | UnsetType = UNSET,
        audio_sources: Iterable[RecordingId] | None = ("*",),
        format: str | UnsetType = UNSET,  # noqa: A002 - the API's name for it
        resolution: str | UnsetType = UNSET,
        webhook_event_url: str | UnsetType = UNSET,
        webhook_event_failover_url: str | UnsetType | None = UNSET,
        webhook_timeout_secs: int | UnsetType | None = UNSET,
    ) -> RoomComposition:
        """Start the composition of a session into a video. Telnyx makes it in the background: see `wait`.

        One request, repeated only if the server certainly did not process it. The session needs at least one
        video recording.

        Args:
            session_id: a `RoomSession` or its id.
            video_layout: 1 or 2 named regions; by default one region of full size with all videos.
            audio_sources: recordings or their ids; ``("*",)`` for all audio of the session, None for a silent
                video. Telnyx does not document this field, but without it every composition is silent.
            format: Telnyx's default is ``"mp4"``.
            resolution: Telnyx's default is ``"1280x720"``; each side is 16 to 1280, and the area no larger.
            webhook_event_url: where Telnyx sends the event of its completion, with scheme.
            webhook_event_failover_url: where Telnyx sends it if the first URL fails; None for nowhere.
            webhook_timeout_secs: 0 to 30 seconds that Telnyx waits for the webhook; None for its default.

        Raises:
            UnprocessableEntityError: the session cannot be composed.
            OutcomeUnknownError: the request may have been processed.

        Example:
            >>> everyone = VideoRegion(width=1280, height=720, video_sources=("*",))
            >>> composition = await client.compositions.create(
            ...     recording.session_id, video_layout={"everyone": everyone}
            ... )

        Telnyx operation: CreateRoomComposition.
        """
        if video_layout is UNSET:
            # An invalid resolution is reported with the body.
            size = exact_text(resolution)
            sides = _DEFAULT_RESOLUTION if resolution_problem(size) else str(size)
            width, height = map(int, sides.split("x"))
            video_layout = {"all": VideoRegion(width=width, height=height, video_sources=("*",))}
        body = CompositionBody(
            session_id=session_id,
            video_layout=video_layout,
            audio_sources=audio_sources,
            format=format,
            resolution=resolution,
            webhook_event_url=webhook_event_url,
            webhook_event_failover_url=webhook_event_failover_url,
            webhook_timeout_secs=webhook_timeout_secs,
        )
        return await self._api.call(build(CREATE_COMPOSITION, body=body))

    async def retrieve(self, composition_id: CompositionId) -> RoomComposition:
        """Return one composition.

        Raises:
            NotFoundError: there is no such composition.

        Example:
            >>> (await client.compositions.retrieve(composition)).status
            'completed'

        Telnyx operation: ViewRoomComposition.
        """
        return await self._api.call(build(RETRIEVE_COMPOSITION, composition_id=composition_id))

    def list(
        self,
        *,
        session_id: SessionId | None = None,
        status: str | None = None,
        created_at: Days = None,
        page_size: int = PAGE_SIZE_MAX,
    ) -> Listing[RoomComposition]:
        """List the compositions of the account.

        Not awaited: the listing makes one request per page while it is iterated. Telnyx documents no order.

        Args:
            session_id: only compositions of this session.
            status: ``"enqueued"``, ``"processing"`` or ``"completed"``: see `CompositionStatus`.
            created_at: a day, or a `DateFilter` with inclusive bounds.
            page_size: 1 to 250 compositions per request.

        Example:
            >>> [composition.format async for composition in client.compositions.list(status="completed")]
            ['mp4']

        Telnyx operation: ListRoomCompositions.
        """
        query = CompositionsQuery(
            session_id=session_id, status=status, created_at=created_at, page_size=page_size
        )
        return Listing(self._api, build(LIST_COMPOSITIONS, query=query))

    async def wait(self, composition_id: CompositionId, *, timeout: float = 600.0) -> RoomComposition:
        """Return a composition once it is neither enqueued nor processing.

        Polls: one request at first and after each pause. Pauses grow from 1 to 10 seconds. Telnyx documents
        no status of failure: check `RoomComposition.status`.

        Args:
            composition_id: a `RoomComposition` or its id.
            timeout: seconds in all.

        Raises:
            NotFoundError: there is no such composition.
            APITimeoutError: it was not finished in time; ``.deadline`` is True.

        Example:
            >>> composition = await client.compositions.wait(composition, timeout=600)
            >>> composition.status
            'completed'

        Telnyx operation: ViewRoomComposition.
        """
        call = build(RETRIEVE_COMPOSITION, composition_id=composition_id)

        async def finished() -> RoomComposition | None:
            composition = await self._api.call(call)
            return None if composition.status in _UNFINISHED else composition

        failure = f"composition {EXACT_IDS['composition_id'](composition_id)} was not finished"
        return await poll(self._api, finished, timeout=timeout, failure=failure)

    async def download(
        self,
        composition_id: CompositionId,
        target: str | os.PathLike[str] | Writer,
        *,
        progress: Progress | None = None,
        max_bytes: int | None = None,
    ) -> DownloadedFile:
        """Download the file of a composition to a path or a binary writer.

        Arguments, cost, guarantees and errors are those of ``client.recordings.download``.

        Example:
            >>> file = await client.compositions.download(composition, "meeting.mp4")

        Telnyx operation: ViewRoomComposition.
        """
        call = build(RETRIEVE_COMPOSITION, composition_id=composition_id)
        return await download(self._api, call, target, progress=progress, max_bytes=max_bytes)

    async def delete(self, composition_id: CompositionId) -> None:
        """Delete a composition and its file. The recordings stay.

        A repeated request that finds the composition gone has succeeded.

        Raises:
            NotFoundError: there was no such composition at the first attempt.

        Example:
            >>> await client.compositions.delete(composition)

        Telnyx operation: DeleteRoomComposition.
        """
        await self._api.call(build(DELETE_COMPOSITION, composition_id=composition_id))
