"""Compositions: the recordings of a session, laid out in one video."""

import os
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final

from telnyx_rooms_async.core import validators as rules
from telnyx_rooms_async.core.endpoints import (
    CREATE_COMPOSITION,
    DELETE_COMPOSITION,
    LIST_COMPOSITIONS,
    RETRIEVE_COMPOSITION,
)
from telnyx_rooms_async.core.http_messages import Call
from telnyx_rooms_async.core.protocol import build
from telnyx_rooms_async.core.requests import PAGE_SIZE_MAX, CompositionBody, CompositionsQuery, Days
from telnyx_rooms_async.core.validators import UNSET, CompositionId, RecordingId, SessionId, UnsetType
from telnyx_rooms_async.http.api_session import ApiSession
from telnyx_rooms_async.models import CompositionStatus, RoomComposition, VideoRegion
from telnyx_rooms_async.pagination import Listing
from telnyx_rooms_async.resources.downloads import DownloadedFile, Progress, Writer, download
from telnyx_rooms_async.resources.polling import poll

_DEFAULT_RESOLUTION: Final = "1280x720"
_UNDER_WAY: Final = (None, CompositionStatus.ENQUEUED, CompositionStatus.PROCESSING)


class Compositions:
    """``client.compositions``."""

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
        """Ask for a video of a session. It is made in the background: see `wait`.

        One request; repeated only when the server certainly did not act on the first. The session needs
        at least one video recording.

        Args:
            session_id: the id that Telnyx gave the session, or the session.
            video_layout: 1 or 2 named regions; one with all pictures of the session, as large as the
                whole, unless given.
            audio_sources: ``("*",)`` for all sound of the session; ``None`` for a silent video. Telnyx
                does not document this field, and without it every composition is silent.
            format: ``"mp4"``, Telnyx's default.
            resolution: ``"1280x720"``, Telnyx's default; each side 16 to 1280, the area no larger.
            webhook_event_url: where Telnyx says that it is done, with its scheme.
            webhook_event_failover_url: where it says so when the first fails; ``None`` for nowhere.
            webhook_timeout_secs: 0 to 30 seconds that it waits there; ``None`` for its default.

        Raises:
            InvalidArgumentError: a value is out of its bounds; nothing was sent.
            UnprocessableEntityError: the session cannot be composed.
            OutcomeUnknownError: the composition may have been asked for.

        Telnyx operation: CreateRoomComposition.
        """
        body = CompositionBody(
            session_id=session_id,
            video_layout=_whole(resolution) if video_layout is UNSET else video_layout,
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

        One request, repeated on failure.

        Raises:
            InvalidArgumentError: not an id; nothing was sent.
            NotFoundError: there is no such composition, or no longer.

        Telnyx operation: ViewRoomComposition.
        """
        return await self._api.call(build(RETRIEVE_COMPOSITION, room_composition_id=composition_id))

    async def wait(self, composition_id: CompositionId, *, timeout: float = 600.0) -> RoomComposition:
        """Return a composition once it is no longer enqueued or processing.

        One request at first and after each pause; pauses grow from 1 to 10 seconds. Telnyx documents no
        status of failure: look at `RoomComposition.status`.

        Args:
            composition_id: the id that Telnyx gave the composition, or the composition.
            timeout: seconds to wait in all.

        Raises:
            InvalidArgumentError: not an id, or no positive time; nothing was sent.
            NotFoundError: there is no such composition, or no longer.
            APITimeoutError: it was not done in time; ``.deadline`` is ``True``.

        Telnyx operation: ViewRoomComposition.
        """
        ask = partial(self._done, build(RETRIEVE_COMPOSITION, room_composition_id=composition_id))
        what = f"composition {rules.EXACT_IDS['room_composition_id'](composition_id)} was not done"
        with self._api.in_flight_calls:
            return await poll(ask, timeout=timeout, clock=self._api.clock, failure=what)

    async def _done(self, call: Call[RoomComposition]) -> RoomComposition | None:
        composition = await self._api.call(call)
        return None if composition.status in _UNDER_WAY else composition

    async def download(
        self,
        composition_id: CompositionId,
        target: str | os.PathLike[str] | Writer,
        *,
        progress: Progress | None = None,
        max_bytes: int | None = None,
    ) -> DownloadedFile:
        """Bring the file of a composition to a path or a binary writer.

        Arguments, cost, promises and errors are those of ``client.recordings.download``.

        Telnyx operation: ViewRoomComposition.
        """
        call = build(RETRIEVE_COMPOSITION, room_composition_id=composition_id)
        return await download(self._api, call, target, progress=progress, max_bytes=max_bytes)

    async def delete(self, composition_id: CompositionId) -> None:
        """Delete a composition and its file; the recordings stay.

        One request, repeated on failure: a second attempt that finds it gone has succeeded.

        Raises:
            InvalidArgumentError: not an id; nothing was sent.
            NotFoundError: there was no such composition at the first attempt.

        Telnyx operation: DeleteRoomComposition.
        """
        await self._api.call(build(DELETE_COMPOSITION, room_composition_id=composition_id))

    def list(
        self,
        *,
        session_id: SessionId | None = None,
        status: str | None = None,
        created_at: Days = None,
        page_size: int = PAGE_SIZE_MAX,
    ) -> Listing[RoomComposition]:
        """List the compositions of the account.

        Not awaited: nothing is sent before the listing is iterated; then one request a page, repeated
        on failure. Telnyx documents no order.

        Args:
            session_id: only those of one session.
            status: ``"enqueued"``, ``"processing"`` or ``"completed"``: see `CompositionStatus`.
            created_at: a day, or a `DateFilter` with both ends included.
            page_size: 1 to 250 compositions a request.

        Raises:
            InvalidArgumentError: a filter or the size is wrong; nothing was sent.

        Telnyx operation: ListRoomCompositions.
        """
        query = CompositionsQuery(
            session_id=session_id, status=status, created_at=created_at, page_size=page_size
        )
        return Listing(self._api, build(LIST_COMPOSITIONS, query=query))


def _whole(resolution: str | UnsetType) -> Mapping[str, VideoRegion]:
    """Lay all pictures of the session out in one region as large as the whole."""
    size = rules.exact_text(resolution)
    width, height = map(int, (_DEFAULT_RESOLUTION if rules.resolution(size) else str(size)).split("x"))
    return {"all": VideoRegion(width=width, height=height, video_sources=("*",))}
