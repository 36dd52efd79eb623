"""Recordings and compositions, against the emulator over a socket."""

from datetime import date
from pathlib import Path
from uuid import uuid4

import pytest

from telnyx_rooms_async import (
    APITimeoutError,
    CompositionStatus,
    DateFilter,
    DurationFilter,
    InvalidArgumentError,
    NotFoundError,
    NotReadyError,
    RecordingStatus,
    RecordingType,
    RoomsClient,
    VideoRegion,
)
from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock


@pytest.fixture
async def session_id(client: RoomsClient, telnyx: Emulator, time: FakeClock) -> str:
    """A recorded session of a minute, long over."""
    room = await client.rooms.create(unique_name="Surgery", enable_recording=True)
    alice = telnyx.join(room.id, context="Alice")
    time.advance(seconds=60)
    telnyx.leave(alice.id)
    time.advance(seconds=600)
    telnyx.requests.clear()
    assert alice.session_id is not None
    return alice.session_id


FILTERS: dict[str, object] = {
    "room_id": str(uuid4()),
    "session_id": uuid4(),
    "participant_id": str(uuid4()),
    "status": RecordingStatus.COMPLETED,
    "type": "video",
    "started_at": date(2021, 4, 25),
    "ended_at": DateFilter(gte=date(2021, 4, 25), lte=date(2021, 4, 26)),
    "duration_secs": DurationFilter(gte=10, lte=60),
}
SPELT = [
    ("filter[date_ended_at][gte]", "2021-04-25"),
    ("filter[date_ended_at][lte]", "2021-04-26"),
    ("filter[date_started_at][eq]", "2021-04-25"),
    ("filter[duration_secs][gte]", "10"),
    ("filter[duration_secs][lte]", "60"),
    ("filter[participant_id]", FILTERS["participant_id"]),
    ("filter[room_id]", FILTERS["room_id"]),
    ("filter[session_id]", str(FILTERS["session_id"])),
    ("filter[status]", "completed"),
    ("filter[type]", "video"),
]


async def test_list_spells_every_filter_as_the_api_does(client: RoomsClient, telnyx: Emulator) -> None:
    """Each filter of recordings stands on the wire under its documented name."""
    listing = client.recordings.list(**FILTERS, page_size=250)  # type: ignore[arg-type]  # a table of mixed values
    assert [recording async for recording in listing] == []
    sent = telnyx.requests[-1]
    assert (sent.method, sent.path) == ("GET", "/v2/room_recordings")
    assert sorted(sent.query) == [*SPELT, ("page[number]", "1"), ("page[size]", "250")]


async def test_delete_matching(client: RoomsClient, telnyx: Emulator, session_id: str) -> None:
    """A deletion by filter says how many went, and sends the filters and no page."""
    assert await client.recordings.delete_matching(**FILTERS) == 0  # type: ignore[arg-type]  # likewise
    sent = telnyx.requests[-1]
    assert (sent.method, sent.path) == ("DELETE", "/v2/room_recordings")
    assert sorted(sent.query) == SPELT
    assert await client.recordings.delete_matching(session_id=session_id, type="audio") == 1
    assert [recording.type async for recording in client.recordings.list()] == ["video"]


async def test_delete_matching_needs_a_filter(client: RoomsClient, telnyx: Emulator) -> None:
    """Without a filter nothing is sent: it might delete everything."""
    with pytest.raises(InvalidArgumentError, match="at least one filter"):
        await client.recordings.delete_matching()
    assert telnyx.requests == []


BAD_DURATIONS = [
    DurationFilter(),
    DurationFilter(gte=-1),
    DurationFilter(gte=60, lte=10),
    60,
    DurationFilter(eq=True),
]


@pytest.mark.parametrize("duration", BAD_DURATIONS, ids=repr)
def test_bad_durations_are_refused_at_once(client: RoomsClient, duration: DurationFilter) -> None:
    """A range of durations has an end at least, is not negative, and does not end before it begins."""
    with pytest.raises(InvalidArgumentError, match="duration_secs m"):
        client.recordings.list(duration_secs=duration)


async def test_a_recording(client: RoomsClient, session_id: str, tmp_path: Path) -> None:
    """A participant has a recording of each kind, which is listed, found, downloaded and deleted."""
    recordings = [recording async for recording in client.recordings.list(session_id=session_id)]
    assert {recording.type for recording in recordings} == {RecordingType.AUDIO, RecordingType.VIDEO}
    for recording in recordings:
        assert (recording.status, recording.duration_secs) == (RecordingStatus.COMPLETED, 60)
        assert "http" not in repr(recording)
        again = await client.recordings.retrieve(recording.id)
        assert (again.id, again.size_mb) == (recording.id, recording.size_mb)
        got = await client.recordings.download(recording.id, tmp_path / recording.id)
        assert got.size == (tmp_path / recording.id).stat().st_size > 0
    await client.recordings.delete(recordings[0].id)
    with pytest.raises(NotFoundError):
        await client.recordings.delete(recordings[0].id)
    with pytest.raises(NotFoundError):
        await client.recordings.download(recordings[0].id, tmp_path / "gone")


async def test_a_recording_under_way(
    client: RoomsClient, telnyx: Emulator, time: FakeClock, tmp_path: Path
) -> None:
    """While someone is recorded there is no file."""
    room = await client.rooms.create(enable_recording=True)
    alice = telnyx.join(room.id)
    (recording, _) = [each async for each in client.recordings.list(status=RecordingStatus.PROCESSING)]
    with pytest.raises(NotReadyError, match="is processing"):
        await client.recordings.download(recording.id, tmp_path / "file")
    time.advance(seconds=30)
    telnyx.leave(alice.id)
    time.advance(seconds=600)
    assert (await client.recordings.download(recording.id, tmp_path / "file")).size > 0


async def test_a_link_that_expires(
    client: RoomsClient, telnyx: Emulator, session_id: str, time: FakeClock
) -> None:
    """A link that expires amid the file is replaced by the download itself, which goes on where it was."""
    (recording, *_) = [each async for each in client.recordings.list(session_id=session_id)]
    telnyx.requests.clear()
    media, file = telnyx.media(recording.id), bytearray()
    media.cut_after = media.size // 2 + 1

    class Slow:
        def write(self, data: bytes, /) -> None:
            if not file:
                time.advance(seconds=3600)
            file.extend(data)

    await client.recordings.download(recording.id, Slow())
    assert bytes(file) == bytes(media)
    about = f"/v2/room_recordings/{recording.id}"
    store = f"/media/{recording.id}"
    assert [request.path for request in telnyx.requests] == [about, store, store, about, store]


async def test_file_size_is_exact_and_takes_one_request(
    client: RoomsClient, telnyx: Emulator, session_id: str, time: FakeClock
) -> None:
    """The store is asked with the link that is there already; an expired one costs another retrieval."""
    (recording, *_) = [each async for each in client.recordings.list(session_id=session_id)]
    telnyx.requests.clear()
    media = telnyx.media(recording.id)
    for size in (media.size, 10**12, 0):
        media.size = size
        assert await client.recordings.file_size(recording) == size
    store, about = f"/media/{recording.id}", f"/v2/room_recordings/{recording.id}"
    assert [request.path for request in telnyx.requests] == [store] * 3
    telnyx.requests.clear()
    time.advance(seconds=3600)
    assert await client.recordings.file_size(recording) == media.size
    assert [request.path for request in telnyx.requests] == [store, about, store]


async def test_file_size_of_what_is_not_completed(client: RoomsClient, telnyx: Emulator) -> None:
    """While someone is recorded there is no file that could have a size."""
    room = await client.rooms.create(enable_recording=True)
    telnyx.join(room.id)
    (recording, *_) = [each async for each in client.recordings.list(status=RecordingStatus.PROCESSING)]
    with pytest.raises(NotReadyError):
        await client.recordings.file_size(recording)


async def test_the_key_is_not_sent_to_the_store(
    client: RoomsClient, telnyx: Emulator, session_id: str, tmp_path: Path
) -> None:
    """A link is its own key: ours stays with the API."""
    (recording, *_) = [each async for each in client.recordings.list(session_id=session_id)]
    await client.recordings.download(recording.id, tmp_path / "file")
    store = telnyx.requests[-1]
    assert not store.path.startswith("/v2/")
    assert "authorization" not in store.headers
    assert telnyx.api_key not in str(dict(store.headers))


async def test_a_composition_with_sound(client: RoomsClient, telnyx: Emulator, session_id: str) -> None:
    """By default everyone is in the picture and heard: the field that Telnyx does not document is sent."""
    made = await client.compositions.create(session_id)
    assert telnyx.requests[-1].json == {
        "session_id": session_id,
        "video_layout": {"all": {"width": 1280, "height": 720, "video_sources": ["*"]}},
        "audio_sources": ["*"],
    }
    assert (made.status, made.audio_sources, made.download_url) == (
        CompositionStatus.ENQUEUED,
        ("*",),
        None,
    )
    assert made.video_layout is not None
    assert made.video_layout["all"].video_sources == ("*",)


async def test_create_sends_what_is_given(client: RoomsClient, telnyx: Emulator, session_id: str) -> None:
    """Every parameter of create is a field of the body; of a region only what is set."""
    (video,) = [each.id async for each in client.recordings.list(type=RecordingType.VIDEO)]
    await client.compositions.create(
        session_id,
        video_layout={
            "left": VideoRegion(
                width=400, height=600, x_pos=0, y_pos=0, z_pos=-99, max_columns=1, max_rows=1000,
                video_sources=(video,),
            ),
            "right": VideoRegion(x_pos=400),
        },
        audio_sources=None,
        format="mp4",
        resolution="800x600",
        webhook_event_url="https://example.com/hook",
        webhook_event_failover_url=None,
        webhook_timeout_secs=None,
    )  # fmt: skip
    assert telnyx.requests[-1].json == {
        "session_id": session_id,
        "video_layout": {
            "left": {
                "width": 400, "height": 600, "x_pos": 0, "y_pos": 0, "z_pos": -99, "max_columns": 1,
                "max_rows": 1000, "video_sources": [video],
            },
            "right": {"x_pos": 400},
        },
        "audio_sources": None,
        "format": "mp4",
        "resolution": "800x600",
        "webhook_event_url": "https://example.com/hook",
        "webhook_event_failover_url": None,
        "webhook_timeout_secs": None,
    }  # fmt: skip


async def test_the_whole_is_as_large_as_the_resolution(
    client: RoomsClient, telnyx: Emulator, session_id: str
) -> None:
    """The region that is made when none is given fills the picture that is asked for."""
    await client.compositions.create(session_id, resolution="800x600")
    assert telnyx.requests[-1].json["video_layout"] == {
        "all": {"width": 800, "height": 600, "video_sources": ["*"]}
    }


BAD_COMPOSITIONS: dict[str, dict[str, object]] = {
    "three regions": {"video_layout": dict.fromkeys("abc", VideoRegion())},
    "no region": {"video_layout": {}},
    "a region that is none": {"video_layout": {"a": {"width": 100}}},
    "a region too small": {"video_layout": {"a": VideoRegion(width=15)}},
    "a region too large": {"video_layout": {"a": VideoRegion(height=1281)}},
    "a region too high up": {"video_layout": {"a": VideoRegion(z_pos=100)}},
    "a grid without columns": {"video_layout": {"a": VideoRegion(max_columns=0)}},
    "a grid of too many rows": {"video_layout": {"a": VideoRegion(max_rows=1001)}},
    "sources that are text": {"video_layout": {"a": VideoRegion(video_sources="*")}},  # type: ignore[arg-type]  # wrong on purpose
    "a source that is no id": {"video_layout": {"a": VideoRegion(video_sources=("a/b",))}},
    "no sources": {"audio_sources": ()},
    "sound as text": {"audio_sources": "*"},
    "a resolution too wide": {"resolution": "1281x100"},
    "a resolution too large": {"resolution": "1280x1280"},
    "a resolution too small": {"resolution": "15x100"},
    "half a resolution": {"resolution": "1280"},
    "a resolution that is no text": {"resolution": 720},
    "a timeout too long": {"webhook_timeout_secs": 31},
    "a URL without a scheme": {"webhook_event_url": "example.com"},
    "no format": {"format": ""},
}


@pytest.mark.parametrize("values", BAD_COMPOSITIONS.values(), ids=BAD_COMPOSITIONS)
async def test_bad_compositions_are_refused_before_anything_is_sent(
    client: RoomsClient, telnyx: Emulator, values: dict[str, object]
) -> None:
    """A value out of its documented bounds is told by its name, and no request leaves."""
    with pytest.raises(InvalidArgumentError) as caught:
        await client.compositions.create("a-session", **values)  # type: ignore[arg-type]  # wrong on purpose
    assert len(caught.value.problems) == 1
    assert str(caught.value).startswith(next(iter(values)))
    assert telnyx.requests == []


async def test_a_composition_is_waited_for(
    client: RoomsClient, telnyx: Emulator, session_id: str, tmp_path: Path
) -> None:
    """A composition becomes a file in its time, which is downloaded; it is listed and deleted."""
    made = await client.compositions.create(session_id)
    with pytest.raises(NotReadyError):
        await client.compositions.download(made.id, tmp_path / "meeting.mp4")
    done = await client.compositions.wait(made.id)
    assert done.status == CompositionStatus.COMPLETED
    got = await client.compositions.download(made.id, tmp_path / "meeting.mp4")
    assert (got.content_type, got.path) == ("video/mp4", tmp_path / "meeting.mp4")
    listing = client.compositions.list(
        session_id=session_id, status=CompositionStatus.COMPLETED, created_at=date(2021, 4, 25), page_size=3
    )
    assert [each.id async for each in listing] == [made.id]
    assert sorted(telnyx.requests[-1].query) == [
        ("filter[date_created_at][eq]", "2021-04-25"),
        ("filter[session_id]", session_id),
        ("filter[status]", "completed"),
        ("page[number]", "1"),
        ("page[size]", "3"),
    ]
    await client.compositions.delete(made.id)
    with pytest.raises(NotFoundError):
        await client.compositions.retrieve(made.id)


async def test_a_composition_that_takes_too_long(client: RoomsClient, session_id: str) -> None:
    """Waiting ends with a typed error when the time is over."""
    made = await client.compositions.create(session_id)
    with pytest.raises(APITimeoutError, match=r"was not done in 0\.5 s") as caught:
        await client.compositions.wait(made.id, timeout=0.5)
    assert caught.value.deadline is True
