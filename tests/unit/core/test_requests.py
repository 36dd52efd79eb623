"""What may be asked: each rule at both its edges, and the spelling on the wire."""

import reprlib
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import partial
from types import MappingProxyType
from typing import Any
from uuid import UUID

import attrs
import pytest

from telnyx_rooms_async.core.requests import (
    CompositionBody,
    PageQuery,
    ParticipantsBody,
    RecordingsFilter,
    RefreshBody,
    RoomBody,
    RoomQuery,
    RoomSessionsQuery,
    RoomsQuery,
)
from telnyx_rooms_async.core.spelling import body_fields, problems, query_pairs
from telnyx_rooms_async.core.validators import UNSET, DateFilter, DurationFilter, UnsetType, short_repr
from telnyx_rooms_async.models import VideoRegion

DAY = date(2021, 4, 25)
MOMENT = datetime(2021, 4, 25, 12, 0, tzinfo=UTC)
SHOWN_MOMENT = "datetime.datetime(2021, 4, 2...tzinfo=datetime.timezone.utc)"

Kind = type[attrs.AttrsInstance]


def in_short(value: object) -> str:
    """Name a case by what it holds, cut short, and without a backslash: so pytest finds it by its name."""
    kind = value.func if isinstance(value, partial) else value
    return kind.__name__ if isinstance(kind, type) else ascii(reprlib.repr(value)).replace("\\", "/")


TEXT = "must be a non-empty Unicode string, not"
FLAG = "must be True or False, not"
URL = "must be a URL with its scheme, http:// or https://, not"
DATE = "must be a date, ISO 8601 text such as '2021-04-25', or a DateFilter, not"


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        (RoomBody, "unique_name", "M"),
        (RoomBody, "unique_name", "My room"),
        (RoomBody, "unique_name", "会议 😀"),
        (RoomBody, "unique_name", "x" * 10_000),
        (RoomBody, "max_participants", 2),
        (RoomBody, "max_participants", 50),
        (RoomBody, "enable_recording", True),
        (RoomBody, "enable_recording", False),
        (RoomBody, "webhook_event_url", "https://example.com"),
        (RoomBody, "webhook_event_url", "http://localhost:8080/hook?a=b#c"),
        (RoomBody, "webhook_event_url", "HTTPS://EXAMPLE.COM"),
        (RoomBody, "webhook_event_url", "https://a:1/hook"),
        (RoomBody, "webhook_event_url", "https://[::1]:65535/hook"),
        (RoomBody, "webhook_event_url", "https://münchen.example"),
        (RoomBody, "webhook_event_failover_url", "https://example.com"),
        (RoomBody, "webhook_event_failover_url", None),
        (RoomBody, "webhook_event_failover_url", ""),
        (RoomBody, "webhook_timeout_secs", 0),
        (RoomBody, "webhook_timeout_secs", 30),
        (RoomBody, "webhook_timeout_secs", None),
        (RoomQuery, "include_sessions", True),
        (RoomQuery, "include_sessions", False),
        (PageQuery, "page_number", 1),
        (PageQuery, "page_number", 2**31 - 1),
        (PageQuery, "page_size", 1),
        (PageQuery, "page_size", 250),
        (RoomsQuery, "unique_name", "My room"),
        (RoomsQuery, "unique_name", None),
        (RoomsQuery, "created_at", DAY),
        (RoomsQuery, "created_at", DateFilter(eq=DAY)),
        (RoomsQuery, "created_at", DateFilter(gte=DAY)),
        (RoomsQuery, "created_at", DateFilter(lte=DAY)),
        (RoomsQuery, "created_at", DateFilter(gte=DAY, lte=DAY)),
        (RoomsQuery, "created_at", DateFilter(eq=DAY, gte=date.min, lte=date.max)),
        (RoomSessionsQuery, "active", True),
        (RoomSessionsQuery, "active", False),
        (RoomSessionsQuery, "active", None),
    ],
    ids=in_short,
)
def test_within_the_bounds(kind: Kind, field: str, value: object) -> None:
    """A value on the edge of its bounds is good."""
    assert list(problems(kind(**{field: value}))) == []


@pytest.mark.parametrize(
    ("kind", "field", "value", "wrong"),
    [
        (RoomBody, "unique_name", "", f"{TEXT} ''"),
        (RoomBody, "unique_name", None, f"{TEXT} None"),
        (RoomBody, "unique_name", 7, f"{TEXT} 7"),
        (RoomBody, "unique_name", b"My room", f"{TEXT} b'My room'"),
        (RoomBody, "unique_name", "a\ud800", f"{TEXT} 'a\\ud800'"),
        (RoomBody, "max_participants", 1, "must be an int from 2 to 50, not 1"),
        (RoomBody, "max_participants", 51, "must be an int from 2 to 50, not 51"),
        (RoomBody, "max_participants", None, "must be an int from 2 to 50, not None"),
        (RoomBody, "max_participants", 10.5, "must be an int from 2 to 50, not 10.5"),
        (RoomBody, "max_participants", float("nan"), "must be an int from 2 to 50, not nan"),
        (RoomBody, "max_participants", "10", "must be an int from 2 to 50, not '10'"),
        (RoomBody, "enable_recording", None, f"{FLAG} None"),
        (RoomBody, "enable_recording", 1, f"{FLAG} 1"),
        (RoomBody, "enable_recording", "true", f"{FLAG} 'true'"),
        (RoomBody, "webhook_event_url", None, f"{URL} None"),
        (RoomBody, "webhook_event_url", "", f"{URL} ''"),
        (RoomBody, "webhook_event_url", "example.com", f"{URL} 'example.com'"),
        (RoomBody, "webhook_event_url", "//example.com", f"{URL} '//example.com'"),
        (RoomBody, "webhook_event_url", "ftp://example.com", f"{URL} 'ftp://example.com'"),
        (RoomBody, "webhook_event_url", "https://", f"{URL} 'https://'"),
        (RoomBody, "webhook_event_url", "https:///hook", f"{URL} 'https:///hook'"),
        (RoomBody, "webhook_event_url", "https://?a", f"{URL} 'https://?***'"),
        (RoomBody, "webhook_event_url", "https://a b", f"{URL} 'https://a b'"),
        (RoomBody, "webhook_event_url", "https://:80", f"{URL} 'https://:80'"),
        (RoomBody, "webhook_event_url", "https://a:0", f"{URL} 'https://a:0'"),
        (RoomBody, "webhook_event_url", "https://a:65536", f"{URL} 'https://a:65536'"),
        (RoomBody, "webhook_event_url", "https://[::1", f"{URL} 'https://[::1'"),
        (RoomBody, "webhook_event_url", "https://a..b", f"{URL} 'https://a..b'"),
        (RoomBody, "webhook_event_url", "https://a\n", f"{URL} 'https://a\\n'"),
        (RoomBody, "webhook_event_url", " https://a", f"{URL} ' https://a'"),
        (RoomBody, "webhook_event_url", b"https://a", f"{URL} b'https://a'"),
        (RoomBody, "webhook_event_url", "https://\ud800", f"{URL} 'https://\\ud800'"),
        (RoomBody, "webhook_event_failover_url", "example.com", f"{URL} 'example.com'"),
        (RoomBody, "webhook_timeout_secs", -1, "must be an int from 0 to 30, not -1"),
        (RoomBody, "webhook_timeout_secs", 31, "must be an int from 0 to 30, not 31"),
        (RoomBody, "webhook_timeout_secs", False, "must be an int from 0 to 30, not False"),
        (RoomQuery, "include_sessions", 1, f"{FLAG} 1"),
        (RoomQuery, "include_sessions", None, f"{FLAG} None"),
        (PageQuery, "page_number", 0, "must be an int from 1 to 2147483647, not 0"),
        (PageQuery, "page_number", 2**31, "must be an int from 1 to 2147483647, not 2147483648"),
        (PageQuery, "page_number", True, "must be an int from 1 to 2147483647, not True"),
        (PageQuery, "page_size", 0, "must be an int from 1 to 250, not 0"),
        (PageQuery, "page_size", 251, "must be an int from 1 to 250, not 251"),
        (PageQuery, "page_size", None, "must be an int from 1 to 250, not None"),
        (PageQuery, "page_size", True, "must be an int from 1 to 250, not True"),
        (RoomsQuery, "unique_name", "", f"{TEXT} ''"),
        (RoomsQuery, "include_sessions", "yes", f"{FLAG} 'yes'"),
        (RoomsQuery, "created_at", "2021-02-30", f"{DATE} '2021-02-30'"),
        (RoomsQuery, "created_at", "20210425", f"{DATE} '20210425'"),
        (
            RoomsQuery,
            "created_at",
            DateFilter(eq=DAY, gte=date.max),
            "matches nothing: gte 9999-12-31 is after eq 2021-04-25",
        ),
        (RoomsQuery, "unique_name", " ", "must not be blank, got ' '"),
        (RoomBody, "unique_name", "\t\u3000", "must not be blank, got '\\t\\u3000'"),
        (RoomsQuery, "created_at", DateFilter(), "must have one of eq, gte and lte"),
        (
            RoomsQuery,
            "created_at",
            DateFilter(gte=date(2021, 4, 26), lte=DAY),
            "matches nothing: gte 2021-04-26 is after lte 2021-04-25",
        ),
        (
            RoomsQuery,
            "created_at",
            MOMENT,
            f"must be a date without a time, not {SHOWN_MOMENT}: pass its .date()",
        ),
        (
            RoomsQuery,
            "updated_at",
            DateFilter(lte=MOMENT),
            f"must be a date without a time, not {SHOWN_MOMENT}: pass its .date()",
        ),
        (RoomsQuery, "updated_at", DateFilter(eq="today"), f"{DATE} 'today'"),
        (RoomSessionsQuery, "ended_at", 20210425, f"{DATE} 20210425"),
        (RoomSessionsQuery, "active", "true", f"{FLAG} 'true'"),
        (RoomSessionsQuery, "include_participants", 0, f"{FLAG} 0"),
    ],
    ids=in_short,
)
def test_outside_the_bounds(kind: Kind, field: str, value: object, wrong: str) -> None:
    """A value beyond its bounds or of another kind is told with its name and what was got."""
    assert list(problems(kind(**{field: value}))) == [f"{field} {wrong}"]


COMPOSITION = partial(CompositionBody, session_id="a-session")
ACTION = partial(ParticipantsBody, participants="all")
REFRESH = partial(RefreshBody, refresh_token="a-token")
REGION = VideoRegion(
    width=16,
    height=1280,
    x_pos=-1280,
    y_pos=1280,
    z_pos=-99,
    max_columns=1,
    max_rows=1000,
    video_sources=("*",),
)


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        (COMPOSITION, "resolution", "1280x720"),
        (COMPOSITION, "resolution", "720x1280"),
        (COMPOSITION, "resolution", "16x16"),
        (COMPOSITION, "resolution", "1280x16"),
        (COMPOSITION, "video_layout", {"a": VideoRegion()}),
        (
            COMPOSITION,
            "video_layout",
            {"a": REGION, "b": VideoRegion(z_pos=99, video_sources=("an-id", "*"))},
        ),
        (COMPOSITION, "audio_sources", None),
        (COMPOSITION, "audio_sources", ["*"]),
        (COMPOSITION, "audio_sources", ("an-id", "another-id")),
        (ParticipantsBody, "participants", "all"),
        (ParticipantsBody, "participants", ["an-id"]),
        (ParticipantsBody, "participants", {UUID(int=7)}),
        (ACTION, "exclude", []),
        (ACTION, "exclude", ("an-id", UUID(int=7))),
        (RecordingsFilter, "duration_secs", DurationFilter(gte=0, lte=2**31 - 1)),
        (RecordingsFilter, "duration_secs", DurationFilter(eq=5)),
        (REFRESH, "refresh_token", "a-token"),
        (REFRESH, "token_ttl_secs", 10),
        (REFRESH, "token_ttl_secs", 3600),
    ],
    ids=in_short,
)
def test_within_the_bounds_of_what_is_made(
    kind: Callable[..., attrs.AttrsInstance], field: str, value: object
) -> None:
    """A value on the edge of its bounds is good for a composition, an action and a filter too."""
    assert list(problems(kind(**{field: value}))) == []


def region(**fields: Any) -> VideoRegion:
    """Make a region of fields whose names are computed."""
    return VideoRegion(**fields)


AN_ID = "must be a Telnyx id such as '0ccc7b54-…', not"
RESOLUTION = 'must be "WIDTHxHEIGHT", each 16 to 1280 and the area up to 1280x720, not'
SOURCES = 'must be an iterable of recording ids, or ["*"], not'


@pytest.mark.parametrize(
    ("kind", "field", "value", "wrong"),
    [
        (COMPOSITION, "resolution", "15x100", f"{RESOLUTION} '15x100'"),
        (COMPOSITION, "resolution", "100x15", f"{RESOLUTION} '100x15'"),
        (COMPOSITION, "resolution", "1281x16", f"{RESOLUTION} '1281x16'"),
        (COMPOSITION, "resolution", "16x1281", f"{RESOLUTION} '16x1281'"),
        (COMPOSITION, "resolution", "1280x721", f"{RESOLUTION} '1280x721'"),
        (COMPOSITION, "resolution", "0640x480", f"{RESOLUTION} '0640x480'"),
        (COMPOSITION, "resolution", "640X480", f"{RESOLUTION} '640X480'"),
        (COMPOSITION, "resolution", 720, f"{RESOLUTION} 720"),
        (COMPOSITION, "resolution", None, f"{RESOLUTION} None"),
        (COMPOSITION, "video_layout", {}, "must name 1 or 2 regions, not {}"),
        (COMPOSITION, "video_layout", ["a"], "must name 1 or 2 regions, not ['a']"),
        (
            COMPOSITION,
            "video_layout",
            dict.fromkeys("abc", 1),
            "must name 1 or 2 regions, not {'a': 1, 'b': 1, 'c': 1}",
        ),
        (COMPOSITION, "video_layout", {"a": 1}, "must map names to VideoRegion values, not 'a' to 1"),
        (
            COMPOSITION,
            "video_layout",
            {"": VideoRegion()},
            f"must map names to VideoRegion values, not '' to {short_repr(VideoRegion())}",
        ),
        *(
            (
                COMPOSITION,
                "video_layout",
                {"a": VideoRegion(), "b": region(**{side: value})},
                f"region 'b': {side} must be an int from {low} to {high}, not {value}",
            )
            for side, low, high in (
                ("width", 16, 1280),
                ("height", 16, 1280),
                ("x_pos", -1280, 1280),
                ("y_pos", -1280, 1280),
                ("z_pos", -99, 99),
                ("max_columns", 1, 1000),
                ("max_rows", 1, 1000),
            )
            for value in (low - 1, high + 1)
        ),
        (
            COMPOSITION,
            "video_layout",
            {"a": VideoRegion(video_sources="*")},  # type: ignore[arg-type]  # wrong on purpose
            f"region 'a': video_sources {SOURCES} '*'",
        ),
        (COMPOSITION, "audio_sources", "*", f"{SOURCES} '*'"),
        (COMPOSITION, "audio_sources", b"*", f"{SOURCES} b'*'"),
        (COMPOSITION, "audio_sources", {"*": 1}, f"{SOURCES} {{'*': 1}}"),
        (COMPOSITION, "audio_sources", [], f"{SOURCES} ()"),
        (COMPOSITION, "audio_sources", 7, f"{SOURCES} 7"),
        (COMPOSITION, "audio_sources", ["*", "a/b"], f"{AN_ID} 'a/b'"),
        (ParticipantsBody, "participants", (), "must not be empty"),
        (ParticipantsBody, "participants", "some", "must be an iterable of ids, not 'some', nor \"all\""),
        (ParticipantsBody, "participants", "", "must be an iterable of ids, not '', nor \"all\""),
        (ParticipantsBody, "participants", None, 'must be an iterable of ids, not None, nor "all"'),
        (ParticipantsBody, "participants", ["an-id", "all?"], f"{AN_ID} 'all?', nor \"all\""),
        (ACTION, "exclude", "an-id", "must be an iterable of ids, not 'an-id'"),
        (ACTION, "exclude", b"an-id", "must be an iterable of ids, not b'an-id'"),
        (ACTION, "exclude", None, "must be an iterable of ids, not None"),
        (ACTION, "exclude", ["an-id", 7, ""], f"{AN_ID} 7"),
        (RecordingsFilter, "duration_secs", 60, "must be a DurationFilter, not 60"),
        (RecordingsFilter, "duration_secs", DurationFilter(), "must have one of eq, gte and lte"),
        (
            RecordingsFilter,
            "duration_secs",
            DurationFilter(gte=-1),
            "must be an int from 0 to 2147483647, not -1",
        ),
        (
            RecordingsFilter,
            "duration_secs",
            DurationFilter(lte=2**31),
            "must be an int from 0 to 2147483647, not 2147483648",
        ),
        (
            RecordingsFilter,
            "duration_secs",
            DurationFilter(gte=6, lte=5),
            "matches nothing: gte 6 is after lte 5",
        ),
        (
            RecordingsFilter,
            "duration_secs",
            DurationFilter(eq=True),
            "must be an int from 0 to 2147483647, not True",
        ),
        (REFRESH, "refresh_token", "", "must be a non-empty Unicode string"),
        (REFRESH, "refresh_token", "\ud800", "must be a non-empty Unicode string"),
        (REFRESH, "refresh_token", 7, "must be a non-empty Unicode string"),
    ],
    ids=in_short,
)
def test_outside_the_bounds_of_what_is_made(
    kind: Callable[..., attrs.AttrsInstance], field: str, value: object, wrong: str
) -> None:
    """A value beyond its bounds is told for these too, and a refresh token is never shown."""
    assert list(problems(kind(**{field: value}))) == [f"{field} {wrong}"]


@pytest.mark.parametrize(
    ("kind", "fields", "names"),
    [
        pytest.param(
            RoomBody,
            {
                "unique_name": "",
                "max_participants": 1,
                "enable_recording": 1,
                "webhook_event_url": "x",
                "webhook_event_failover_url": "x",
                "webhook_timeout_secs": 31,
            },
            [
                "unique_name",
                "max_participants",
                "enable_recording",
                "webhook_event_url",
                "webhook_event_failover_url",
                "webhook_timeout_secs",
            ],
            id="body",
        ),
        pytest.param(
            RoomsQuery,
            {"page_number": 0, "page_size": 251, "created_at": DateFilter(), "unique_name": "a"},
            ["page_number", "page_size", "created_at"],
            id="query",
        ),
    ],
)
def test_all_problems_are_told_at_once(kind: Kind, fields: dict[str, object], names: list[str]) -> None:
    """Everything that is wrong is told, one sentence a field, in the order of the fields."""
    assert [problem.partition(" ")[0] for problem in problems(kind(**fields))] == names


@pytest.mark.parametrize("kind", [RoomBody, RoomQuery, PageQuery, RoomsQuery, RoomSessionsQuery])
def test_what_is_not_given_is_not_wrong(kind: Kind) -> None:
    """A body or a query of which nothing was given has no problem."""
    assert list(problems(kind())) == []


@pytest.mark.parametrize("token", [UNSET, None, "", 7, "CANARY\ud800"])
def test_a_token_is_refreshed_by_its_token(token: Any) -> None:
    """What is needed cannot be left out, and what stands for it is not shown."""
    told = list(problems(RefreshBody(refresh_token=token)))
    assert told == ["refresh_token must be a non-empty Unicode string"]


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param({"unique_name": UNSET, "webhook_timeout_secs": UNSET}, {}, id="unset"),
        pytest.param(
            {"webhook_event_failover_url": None, "webhook_timeout_secs": None},
            {"webhook_event_failover_url": None, "webhook_timeout_secs": None},
            id="null",
        ),
        pytest.param(
            {"enable_recording": False, "webhook_timeout_secs": 0},
            {"enable_recording": False, "webhook_timeout_secs": 0},
            id="false-and-zero",
        ),
        pytest.param(
            {
                "unique_name": "My room",
                "max_participants": 10,
                "enable_recording": True,
                "webhook_event_url": "https://example.com",
                "webhook_event_failover_url": "https://failover.example.com",
                "webhook_timeout_secs": 25,
            },
            {
                "unique_name": "My room",
                "max_participants": 10,
                "enable_recording": True,
                "webhook_event_url": "https://example.com",
                "webhook_event_failover_url": "https://failover.example.com",
                "webhook_timeout_secs": 25,
            },
            id="everything",
        ),
    ],
)
def test_body_fields(fields: Mapping[str, Any], sent: dict[str, object]) -> None:
    """A body sends what was set, null included, and leaves out what was not."""
    body = body_fields(RoomBody(**fields))
    assert body == sent
    assert list(body) == list(sent)


class Name(str):
    """Text of a kind of its own, as Django's and others' safe strings are."""

    __slots__ = ()


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (
            CompositionBody(
                session_id=UUID(int=7),
                video_layout=MappingProxyType(
                    {"a": VideoRegion(z_pos=0, width=640), "b": VideoRegion(video_sources=("an-id", "*"))}
                ),
                audio_sources=("*",),
                format=Name("mp4"),
                webhook_timeout_secs=None,
            ),
            {
                "session_id": "00000000-0000-0000-0000-000000000007",
                "video_layout": {"a": {"width": 640, "z_pos": 0}, "b": {"video_sources": ["an-id", "*"]}},
                "audio_sources": ["*"],
                "format": "mp4",
                "webhook_timeout_secs": None,
            },
        ),
        (
            ParticipantsBody(participants={UUID(int=7)}, exclude=[]),
            {"participants": ["00000000-0000-0000-0000-000000000007"], "exclude": []},
        ),
        (ParticipantsBody(participants="all"), {"participants": "all"}),
    ],
    ids=["composition", "some", "all"],
)
def test_body_fields_are_plain(body: attrs.AttrsInstance, sent: dict[str, object]) -> None:
    """Regions, ids and collections are spelled as JSON has them; of a region only what was set."""
    fields = body_fields(body)
    assert fields == sent
    assert type(fields.get("format", "")) is str


FIRST = (("page[number]", "1"), ("page[size]", "250"))


@pytest.mark.parametrize(
    ("query", "pairs"),
    [
        pytest.param(RoomQuery(), (), id="room"),
        pytest.param(RoomQuery(include_sessions=True), (("include_sessions", "true"),), id="room-sessions"),
        pytest.param(PageQuery(), FIRST, id="page"),
        pytest.param(
            PageQuery(page_number=3, page_size=7), (("page[number]", "3"), ("page[size]", "7")), id="page-3"
        ),
        pytest.param(RoomsQuery(), FIRST, id="rooms"),
        pytest.param(
            RoomsQuery(created_at=DAY),
            (*FIRST, ("filter[date_created_at][eq]", "2021-04-25")),
            id="rooms-on-a-day",
        ),
        pytest.param(
            RoomsQuery(
                page_number=2,
                page_size=25,
                created_at=DateFilter(gte=DAY),
                updated_at=DateFilter(eq=DAY, gte=date(2021, 1, 2), lte=date(2021, 12, 31)),
                unique_name="My room",
                include_sessions=True,
            ),
            (
                ("page[number]", "2"),
                ("page[size]", "25"),
                ("filter[date_created_at][gte]", "2021-04-25"),
                ("filter[date_updated_at][eq]", "2021-04-25"),
                ("filter[date_updated_at][gte]", "2021-01-02"),
                ("filter[date_updated_at][lte]", "2021-12-31"),
                ("filter[unique_name]", "My room"),
                ("include_sessions", "true"),
            ),
            id="rooms-everything",
        ),
        pytest.param(RoomSessionsQuery(), FIRST, id="sessions"),
        pytest.param(
            RoomSessionsQuery(active=False), (*FIRST, ("filter[active]", "false")), id="sessions-not-active"
        ),
        pytest.param(
            RoomSessionsQuery(
                created_at=DateFilter(lte=DAY),
                updated_at=DAY,
                ended_at=DateFilter(gte=DAY),
                active=True,
                include_participants=True,
            ),
            (
                *FIRST,
                ("filter[date_created_at][lte]", "2021-04-25"),
                ("filter[date_updated_at][eq]", "2021-04-25"),
                ("filter[date_ended_at][gte]", "2021-04-25"),
                ("filter[active]", "true"),
                ("include_participants", "true"),
            ),
            id="sessions-everything",
        ),
    ],
)
def test_query_pairs(query: attrs.AttrsInstance, pairs: tuple[tuple[str, str], ...]) -> None:
    """A query is spelt with the names of the API reference, and an ``include_`` only when wanted."""
    assert tuple(query_pairs(query)) == pairs


def test_a_year_has_four_digits() -> None:
    """A day is spelt as in ISO 8601, however early it is."""
    query = RoomsQuery(created_at=date(1, 2, 3))
    assert ("filter[date_created_at][eq]", "0001-02-03") in tuple(query_pairs(query))


def test_unset_is_falsy_alone_and_prints_its_name() -> None:
    """UNSET is one value, not None, and not true."""
    assert list(UnsetType) == [UNSET]
    assert repr(UNSET) == "UNSET"
    assert not UNSET
    assert UNSET != None  # noqa: E711 - that the two are not equal is the point


@pytest.mark.parametrize(
    "value", ["x" * 20_000, b"x" * 20_000, list(range(20_000)), "\0" * 20_000], ids=in_short
)
def test_long_values_are_cut(value: object) -> None:
    """What was got is told in at most sixty characters or so."""
    assert len(short_repr(value)) <= 70


def test_endless_integers_are_shown_too() -> None:
    """An integer with more digits than Python likes to print is a problem like any other."""
    (problem,) = problems(RoomBody(max_participants=10**5000))
    assert problem == "max_participants must be an int from 2 to 50, not a int that cannot be printed"


def test_what_has_no_repr_is_shown_too() -> None:
    """A value whose repr fails does not break the message about it."""

    class Mute:
        def __repr__(self) -> str:
            raise ZeroDivisionError

    assert "Mute" in short_repr(Mute())


class _Scalar:
    """A scalar of numpy, as far as arguments look at it."""

    __module__ = "numpy"
    ndim = 0

    def item(self) -> int:
        """Return the Python number."""
        return 5


class _Stranger:
    """A class of numpy that is no scalar."""

    __module__ = "numpy"


def test_scalars_of_numpy_are_numbers() -> None:
    """A scalar stands for its Python number; what only comes from numpy is refused."""
    five: Any = _Scalar()
    stranger: Any = _Stranger()
    assert RoomBody(max_participants=five).max_participants == 5
    assert len(list(problems(RoomBody(max_participants=stranger)))) == 1
