"""Request models: what is valid in bodies and filters, and how it is encoded."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from types import MappingProxyType
from typing import Any
from uuid import UUID

import attrs
import pytest

from telnyx_rooms_async import (
    UNSET,
    DateFilter,
    DurationFilter,
    InvalidArgumentError,
    UnsetType,
    VideoRegion,
)
from telnyx_rooms_async.core.protocol import PageQuery, body_fields, problems, query_pairs
from telnyx_rooms_async.core.requests import (
    CompositionBody,
    ParticipantsBody,
    RecordingsFilter,
    RefreshBody,
    RoomBody,
    RoomQuery,
    RoomSessionsQuery,
    RoomsQuery,
    ValidRoomFields,
    room_body,
)
from telnyx_rooms_async.core.validators import short_repr

Model = Callable[..., attrs.AttrsInstance]

DAY = date(2021, 4, 25)
NOON = datetime(2021, 4, 25, 12, 0, tzinfo=UTC)
Composition: Model = partial(CompositionBody, session_id="a-session")
Action: Model = partial(ParticipantsBody, participants="all")
Refresh: Model = partial(RefreshBody, refresh_token="a-token")
EVERY_SETTING: dict[str, Any] = {
    "unique_name": "Zoë",
    "max_participants": 10,
    "enable_recording": False,
    "webhook_event_url": "https://example.com",
    "webhook_event_failover_url": None,
    "webhook_timeout_secs": 0,
}

# --- valid and invalid values -------------------------------------------------------------------------------

VALID: list[tuple[Model, str, list[object]]] = [
    (RoomBody, "unique_name", ["M", "My room", "会议 😀", "x" * 10_000]),
    (RoomBody, "max_participants", [2, 50]),
    (RoomBody, "enable_recording", [True, False]),
    (
        RoomBody,
        "webhook_event_url",
        [
            "https://example.com",
            "http://localhost:8080/hook?a=b#c",
            "HTTPS://EXAMPLE.COM",
            "https://[::1]:65535/hook",
            "https://münchen.example",
        ],
    ),
    (RoomBody, "webhook_event_failover_url", ["https://example.com", None, ""]),
    (RoomBody, "webhook_timeout_secs", [0, 30, None]),
    (RoomQuery, "include_sessions", [True, False]),
    (PageQuery, "page_number", [1, 2**31 - 1]),
    (PageQuery, "page_size", [1, 250]),
    (RoomsQuery, "unique_name", ["My room", None]),
    (
        RoomsQuery,
        "created_at",
        [
            DAY,
            "2021-04-25",
            DateFilter(eq=DAY),
            DateFilter(gte=DAY),
            DateFilter(gte=DAY, lte=DAY),
            DateFilter(eq=DAY, gte=date.min, lte=date.max),
        ],
    ),
    (RoomSessionsQuery, "active", [True, False, None]),
    (Composition, "resolution", ["1280x720", "720x1280", "16x16", "1280x16"]),
    (
        Composition,
        "video_layout",
        [
            {"a": VideoRegion()},
            {
                "a": VideoRegion(
                    width=16,
                    height=1280,
                    x_pos=-1280,
                    y_pos=1280,
                    z_pos=-99,
                    max_columns=1,
                    max_rows=1000,
                    video_sources=("*",),
                ),
                "b": VideoRegion(z_pos=99, video_sources=("an-id", "*")),
            },
        ],
    ),
    (Composition, "audio_sources", [None, ["*"], ("an-id", "another-id")]),
    (ParticipantsBody, "participants", ["all", ["an-id"], {UUID(int=7)}]),
    (Action, "exclude", [[], ("an-id", UUID(int=7))]),
    (RecordingsFilter, "duration_secs", [DurationFilter(gte=0, lte=2**31 - 1), DurationFilter(eq=5)]),
    (Refresh, "token_ttl_secs", [10, 3600]),
]
INVALID: list[tuple[Model, str, list[object]]] = [
    (RoomBody, "unique_name", ["", None, 7, b"My room", "a\ud800", "\t\u3000"]),
    (RoomBody, "max_participants", [1, 51, None, 10.5, float("nan"), "10", 10**5000]),
    (RoomBody, "enable_recording", [None, 1, "true"]),
    (
        RoomBody,
        "webhook_event_url",
        [
            *(None, "", "example.com", "//example.com", "ftp://example.com", "https://", "https:///hook"),
            *("https://?a", "https://a b", "https://:80", "https://a:0", "https://a:65536", "https://[::1"),
            *("https://a..b", "https://a\n", " https://a", b"https://a", "https://\ud800"),
            "https://example.com/\ud800",
        ],
    ),
    (RoomBody, "webhook_event_failover_url", ["example.com", "https://example.com/\udfff"]),
    (RoomBody, "webhook_timeout_secs", [-1, 31, False]),
    (RoomQuery, "include_sessions", [1, None]),
    (PageQuery, "page_number", [0, 2**31, True]),
    (PageQuery, "page_size", [0, 251, None, True]),
    (RoomsQuery, "unique_name", ["", " "]),
    (RoomsQuery, "include_sessions", ["yes"]),
    (
        RoomsQuery,
        "created_at",
        [
            *("2021-02-30", "20210425", NOON, DateFilter(), DateFilter(eq=DAY, gte=date.max)),
            *(DateFilter(gte=date(2021, 4, 26), lte=DAY), DateFilter(lte=NOON), DateFilter(eq="today")),
        ],
    ),
    (RoomSessionsQuery, "ended_at", [20210425]),
    (RoomSessionsQuery, "active", ["true"]),
    (
        Composition,
        "resolution",
        ["15x100", "100x15", "1281x16", "16x1281", "1280x721", "0640x480", "640X480", 720, None],
    ),
    (
        Composition,
        "video_layout",
        [
            *({}, ["a"], dict.fromkeys("abc", 1), {"a": 1}, {"": VideoRegion()}),
            {"a": VideoRegion(video_sources="*")},  # type: ignore[arg-type]  # wrong on purpose
        ],
    ),
    (Composition, "audio_sources", ["*", b"*", {"*": 1}, [], 7, ["*", "a/b"]]),
    (ParticipantsBody, "participants", [(), "some", "", None, ["an-id", "all?"]]),
    (Action, "exclude", ["an-id", b"an-id", None, ["an-id", 7, ""]]),
    (
        RecordingsFilter,
        "duration_secs",
        [
            *(60, DurationFilter(), DurationFilter(gte=-1), DurationFilter(lte=2**31)),
            *(DurationFilter(gte=6, lte=5), DurationFilter(eq=True)),
        ],
    ),
    (Refresh, "refresh_token", [UNSET, None, "", 7, "CANARY\ud800"]),
]


def cases(table: list[tuple[Model, str, list[object]]]) -> list[Any]:
    return [
        pytest.param(model, field, value, id=f"{field}-{number}")
        for model, field, values in table
        for number, value in enumerate(values)
    ]


@pytest.mark.parametrize(("model", "field", "value"), cases(VALID))
def test_valid_value_has_no_problem(model: Model, field: str, value: object) -> None:
    assert list(problems(model(**{field: value}))) == []


@pytest.mark.parametrize(("model", "field", "value"), cases(INVALID))
def test_invalid_value_has_one_problem_that_names_the_field(model: Model, field: str, value: object) -> None:
    (problem,) = problems(model(**{field: value}))
    assert problem.startswith(f"{field} ")
    assert len(problem) <= 200
    assert "CANARY" not in problem


@pytest.mark.parametrize(
    ("field", "low", "high"),
    [
        ("width", 16, 1280),
        ("height", 16, 1280),
        ("x_pos", -1280, 1280),
        ("y_pos", -1280, 1280),
        ("z_pos", -99, 99),
        ("max_columns", 1, 1000),
        ("max_rows", 1, 1000),
    ],
)
def test_number_of_a_region_outside_its_range_is_refused_with_the_range(
    field: str, low: int, high: int
) -> None:
    for value in (low - 1, high + 1):
        fields: dict[str, Any] = {field: value}
        (problem,) = problems(Composition(video_layout={"a": VideoRegion(), "b": VideoRegion(**fields)}))
        assert all(word in problem for word in ("'b'", field, str(low), str(high), str(value)))


def test_all_problems_are_returned_in_the_order_of_the_fields() -> None:
    wrong: dict[str, Any] = dict.fromkeys(EVERY_SETTING, object())
    assert [problem.partition(" ")[0] for problem in problems(RoomBody(**wrong))] == list(EVERY_SETTING)


class NumpyObject:
    """An object of numpy that is no scalar."""

    __module__ = "numpy"


def test_other_objects_of_numpy_are_refused() -> None:
    other: Any = NumpyObject()
    assert len(list(problems(RoomBody(max_participants=other, enable_recording=other)))) == 2


class BrokenMapping(dict[str, Any]):
    """A mapping that cannot be read."""

    def items(self) -> Any:
        raise RuntimeError


def test_mapping_that_cannot_be_read_is_refused() -> None:
    assert len(list(problems(Composition(video_layout=BrokenMapping(a=VideoRegion()))))) == 1
    wrong: list[Any] = [BrokenMapping(unique_name="a"), [], {"size": 3}]
    for fields in wrong:
        with pytest.raises(InvalidArgumentError):
            room_body(fields)


class NoRepr:
    def __repr__(self) -> str:
        raise ZeroDivisionError


@pytest.mark.parametrize(
    "value",
    ["x" * 20_000, b"x" * 20_000, list(range(20_000)), "\0" * 20_000, 10**5000, NoRepr()],
    ids=["str", "bytes", "list", "control characters", "5000 digits", "no repr"],
)
def test_value_in_a_problem_is_short(value: object) -> None:
    assert 0 < len(short_repr(value)) <= 70


# --- encoding ---------------------------------------------------------------------------------------------


class SafeString(str):
    """A subclass of str, as Django has."""

    __slots__ = ()


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (RoomBody(), {}),
        (RoomBody(unique_name=UNSET, webhook_timeout_secs=UNSET), {}),
        (RoomBody(webhook_timeout_secs=None), {"webhook_timeout_secs": None}),
        (RoomBody(**EVERY_SETTING), EVERY_SETTING),
        (
            CompositionBody(
                session_id=UUID(int=7),
                video_layout=MappingProxyType(
                    {"a": VideoRegion(z_pos=0, width=640), "b": VideoRegion(video_sources=("an-id", "*"))}
                ),
                audio_sources=("*",),
                format=SafeString("mp4"),
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
        (RefreshBody(refresh_token="a-token"), {"refresh_token": "a-token"}),
    ],
    ids=["empty", "unset", "null", "every setting", "composition", "some", "all", "refresh"],
)
def test_body_has_the_fields_that_were_set(body: attrs.AttrsInstance, fields: dict[str, object]) -> None:
    assert body_fields(body) == fields
    assert {type(value) for value in body_fields(body).values() if isinstance(value, str)} <= {str}


def test_fields_that_were_validated_are_sent_without_further_checks() -> None:
    body = room_body(ValidRoomFields(unique_name="Weekly", max_participants=99))
    assert list(problems(body)) == []
    assert body_fields(body) == {"unique_name": "Weekly", "max_participants": 99}


FIRST_PAGE = (("page[number]", "1"), ("page[size]", "250"))


@pytest.mark.parametrize(
    ("query", "pairs"),
    [
        (RoomQuery(), ()),
        (RoomQuery(include_sessions=True), (("include_sessions", "true"),)),
        (PageQuery(page_number=3, page_size=7), (("page[number]", "3"), ("page[size]", "7"))),
        (RoomsQuery(), FIRST_PAGE),
        (RoomsQuery(created_at=date(1, 2, 3)), (*FIRST_PAGE, ("filter[date_created_at][eq]", "0001-02-03"))),
        (
            RoomsQuery(
                created_at=DateFilter(gte=DAY),
                updated_at=DateFilter(eq=DAY, gte=date(2021, 1, 2), lte=date(2021, 12, 31)),
                unique_name="My room",
                include_sessions=True,
            ),
            (
                *FIRST_PAGE,
                ("filter[date_created_at][gte]", "2021-04-25"),
                ("filter[date_updated_at][eq]", "2021-04-25"),
                ("filter[date_updated_at][gte]", "2021-01-02"),
                ("filter[date_updated_at][lte]", "2021-12-31"),
                ("filter[unique_name]", "My room"),
                ("include_sessions", "true"),
            ),
        ),
        (
            RoomSessionsQuery(ended_at=DAY, active=False, include_participants=True),
            (
                *FIRST_PAGE,
                ("filter[date_ended_at][eq]", "2021-04-25"),
                ("filter[active]", "false"),
                ("include_participants", "true"),
            ),
        ),
        (
            RecordingsFilter(duration_secs=DurationFilter(gte=60), status="completed"),
            (("filter[status]", "completed"), ("filter[duration_secs][gte]", "60")),
        ),
    ],
    ids=[
        "room",
        "room with sessions",
        "page",
        "rooms",
        "early day",
        "every filter",
        "sessions",
        "recordings",
    ],
)
def test_query_has_the_parameters_of_the_api(
    query: attrs.AttrsInstance, pairs: tuple[tuple[str, str], ...]
) -> None:
    assert tuple(query_pairs(query)) == pairs


def test_unset_is_falsy_and_not_none() -> None:
    assert list(UnsetType) == [UNSET]
    assert repr(UNSET) == "UNSET"
    assert not UNSET
    assert UNSET != None  # noqa: E711 - that the two are not equal is the point
