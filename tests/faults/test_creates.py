"""Creates whose answer never comes: at most one room, and none that nobody knows of."""

from email.utils import formatdate
from typing import Any

import pytest
from attrs import evolve

from telnyx_rooms_async import (
    APITimeoutError,
    NameTakenError,
    OutcomeUnknownError,
    RateLimitError,
    RetryPolicy,
    Room,
    RoomsClient,
)
from tests.helpers.fault_case import FaultCase, create, create_nameless, read
from tests.helpers.fault_server import ServerFault
from tests.helpers.response_faults import (
    ERROR_STATUSES,
    MALFORMED,
    RESPONSE_FAULTS,
    RETRIED,
    TOO_LARGE,
    ResponseFault,
    change_body,
    error_status,
)
from tests.helpers.room_store import HEALTHY_ROOM_ID, RecordedRequest, http_response
from tests.helpers.server_faults import HANG, delay, replace_body, respond, send_raw, set_date, truncate

response_faults = pytest.mark.parametrize("response_fault", RESPONSE_FAULTS.values(), ids=RESPONSE_FAULTS)
LOST = truncate("before")
NOT_FOUND_YET = respond(200, {"data": [], "meta": {"total_results": 0}})


async def create_or_resend(client: RoomsClient) -> Room:
    """Make a create that may be sent a second time."""
    return await client.rooms.create(
        unique_name="Weekly", max_participants=7, on_lost_response="find_then_resend"
    )


async def create_without_look_up(client: RoomsClient) -> Room:
    """Make a create that is body as it stands."""
    return await client.rooms.create(unique_name="Weekly", max_participants=7, on_lost_response="raise")


# --- every way to lose an answer ----------------------------------------------------------------------------


@response_faults
async def test_create_returns_the_room_when_the_response_is_lost(
    case: FaultCase, response_fault: ResponseFault
) -> None:
    case.server.inject(response_fault.fault)
    room = await case.expect_result(create)
    assert [room.id] == case.server.store.ids
    assert (room.unique_name, room.max_participants) == ("Weekly", 7)
    case.expect_requests("POST GET", rooms=1)


@response_faults
async def test_the_outcome_is_unknown_when_no_room_is_found(
    case: FaultCase, response_fault: ResponseFault
) -> None:
    case.server.inject(response_fault.fault.uncommitted)
    error = await case.expect_error(OutcomeUnknownError, create)
    assert (error.operation, error.unique_name, error.room_ids) == ("CreateRoom", "Weekly", ())
    assert [attempt.operation for attempt in error.attempts] == ["CreateRoom"] + ["ListRooms"] * 3
    assert [attempt.number for attempt in error.attempts] == [1, 2, 3, 4]
    assert error.budget_exhausted is False
    assert type(error.__cause__) is response_fault.error
    case.expect_requests("POST GET GET GET", rooms=0)


@response_faults
@pytest.mark.parametrize("committed", [True, False], ids=["committed", "lost"])
async def test_the_outcome_without_a_name_is_unknown_after_one_request(
    case: FaultCase, response_fault: ResponseFault, *, committed: bool
) -> None:
    case.server.inject(response_fault.fault if committed else response_fault.fault.uncommitted)
    error = await case.expect_error(OutcomeUnknownError, create_nameless)
    assert (error.unique_name, len(error.attempts)) == (None, 1)
    case.expect_requests("POST", rooms=committed)


@response_faults
async def test_the_outcome_is_unknown_when_the_look_ups_fail_too(
    case: FaultCase, response_fault: ResponseFault
) -> None:
    case.server.inject_always(response_fault.fault)
    await case.expect_error(OutcomeUnknownError, create)
    # Where each takes its 15 seconds, there is no time for the third.
    case.expect_requests(
        "POST GET GET" if response_fault.error is APITimeoutError else "POST GET GET GET", rooms=1
    )


# --- looking up ---------------------------------------------------------------------------------------------


async def test_look_ups_start_0_2_and_0_7_and_1_7_seconds_after_the_loss(case: FaultCase) -> None:
    case.server.inject(LOST.uncommitted)
    await case.expect_error(OutcomeUnknownError, create)
    first, *others = case.server.requests
    assert [request.at - first.at for request in others] == pytest.approx([0.2, 0.7, 1.7], abs=0.1)
    assert {request.path for request in others} == {"/rooms"}
    assert {request.query["filter[unique_name]"] for request in others} == {"Weekly"}
    case.expect_requests("POST GET GET GET")


@pytest.mark.parametrize("look_ups", [1, 2, 3])
async def test_a_room_that_appears_late_is_found(case: FaultCase, look_ups: int) -> None:
    case.server.inject(LOST)
    case.server.inject(*[NOT_FOUND_YET] * (look_ups - 1), on="GET")
    await case.expect_result(create)
    case.expect_requests(" ".join(["POST", *["GET"] * look_ups]), rooms=1)


FAILED_LOOK_UPS = {
    "500": error_status(500),
    "lost": LOST,
    "429": respond(429),
    "HTML": replace_body(b"<html>"),
    "403": respond(403),
}


@pytest.mark.parametrize("fault", FAILED_LOOK_UPS.values(), ids=FAILED_LOOK_UPS)
async def test_a_failed_look_up_is_not_retried(case: FaultCase, fault: ServerFault) -> None:
    case.server.inject(LOST)
    case.server.inject(fault, on="GET")
    await case.expect_result(create)
    case.expect_requests("POST GET GET", rooms=1)


async def test_a_room_older_than_the_call_is_not_returned(case: FaultCase) -> None:
    case.server.store.names_are_unique = False
    case.server.store.seed(unique_name="Weekly", max_participants=7, ago=3600)
    case.server.inject(LOST.uncommitted)
    error = await case.expect_error(OutcomeUnknownError, create)
    assert error.room_ids == ()
    case.expect_requests("POST GET GET GET", rooms=0)


@pytest.mark.parametrize(("skew", "adopted"), [(4, True), (-4, True), (60, False), (-60, False)])
async def test_without_a_date_header_clocks_may_differ_by_5_seconds(
    case: FaultCase, skew: int, *, adopted: bool
) -> None:
    case.server.store.now = lambda: case.time.now() + skew
    case.server.inject(LOST)
    if adopted:
        await case.expect_result(create)
        case.expect_requests("POST GET", rooms=1)
    else:
        await case.expect_error(OutcomeUnknownError, create)
        case.expect_requests("POST GET GET GET", rooms=1)


SKEWS = {"a day behind": -86_400, "30 s behind": -30, "30 s ahead": 30, "a year ahead": 365 * 86_400}
skews = pytest.mark.parametrize("skew", SKEWS.values(), ids=SKEWS)


def skewed(case: FaultCase, skew: int) -> ServerFault:
    """Set the server's clock, and return the trick that answers honestly with its ``Date``."""
    case.server.store.now = lambda: case.time.now() + skew
    return set_date(lambda: formatdate(case.server.store.now(), usegmt=True))


@skews
async def test_the_date_header_corrects_any_clock_difference(case: FaultCase, skew: int) -> None:
    case.server.inject_always(skewed(case, skew), on="GET")
    case.server.inject(LOST)
    await case.expect_result(create)
    case.expect_requests("POST GET", rooms=1)


@skews
@pytest.mark.parametrize("date", [None, "soon", "Wed, 32 Oct 2015 07:28:00 GMT", "\xff", ""])
async def test_the_date_header_of_an_earlier_response_is_used(
    case: FaultCase, skew: int, date: str | None
) -> None:
    case.server.inject(skewed(case, skew))
    assert (await case.expect_result(read)).id == HEALTHY_ROOM_ID
    await case.time.sleep(60)
    case.server.inject(LOST)
    if date is not None:
        case.server.inject_always(set_date(lambda: date), on="GET")
    await case.expect_result(create)
    case.expect_requests("GET POST GET", rooms=1)


@pytest.mark.parametrize("date", ["soon", "Wed, 32 Oct 2015 07:28:00 GMT", "\xff", "", "9" * 400])
async def test_an_invalid_date_header_is_ignored(case: FaultCase, date: str) -> None:
    case.server.inject_always(set_date(lambda: date), on="GET")
    case.server.inject(LOST)
    await case.expect_result(create)
    case.expect_requests("POST GET", rooms=1)


async def test_an_old_room_is_not_returned_when_the_local_clock_is_behind(case: FaultCase) -> None:
    case.server.store.names_are_unique = False
    case.server.inject_always(skewed(case, 3600), on="GET")
    case.server.store.seed(unique_name="Weekly", max_participants=7, ago=3600)
    case.server.inject(LOST.uncommitted)
    await case.expect_error(OutcomeUnknownError, create)
    case.expect_requests("POST GET GET GET", rooms=0)


def is_similar(name: object, wanted: str) -> bool:
    """Match as a server does that look_ups for a part of the name, and knows no case."""
    return wanted.casefold() in str(name).casefold()


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("count", [249, 250, 600])
async def test_all_pages_of_similar_names_are_searched(
    case: FaultCase, count: int, *, newest_first: bool
) -> None:
    store = case.server.store
    store.is_match, store.newest_first = is_similar, newest_first
    for number in range(count):
        store.seed(unique_name=f"weekly {number}", max_participants=7)
    case.server.inject(LOST)
    room = await case.expect_result(create)
    assert room.unique_name == "Weekly"
    case.expect_requests(" ".join(["POST", *["GET"] * (count // 250 + 1)]), rooms=1)


async def test_a_room_on_inconsistent_pages_is_returned(case: FaultCase) -> None:
    case.server.store.page_meta = lambda meta: {
        **meta,
        "page_number": 1,
        "total_pages": 3,
        "total_results": 700,
    }
    case.server.store.is_match = lambda *_: True
    case.server.inject_always(change_body(lambda body: {**body, "data": case.server.store.rooms}), on="GET")
    case.server.inject(LOST)
    await case.expect_result(create)
    case.expect_at_most(7, rooms=1)


async def test_a_look_up_with_inconsistent_pages_failed(case: FaultCase) -> None:
    case.server.inject(LOST)
    body = {"data": [], "meta": {"total_results": 3, "total_pages": 1}}
    case.server.inject(*[respond(200, body)] * 3, on="GET")
    await case.expect_result(create)
    case.expect_requests("POST GET GET GET GET", rooms=1)


OTHERS: dict[str, dict[str, object]] = {
    "another number of participants": {"max_participants": 8},
    "another case of the name": {"unique_name": "weekly"},
}


@pytest.mark.parametrize("fields", OTHERS.values(), ids=OTHERS)
async def test_a_room_with_other_settings_is_not_returned(case: FaultCase, fields: dict[str, object]) -> None:
    body: dict[str, Any] = {"unique_name": "Weekly", "max_participants": 7} | fields
    other = case.server.store.seed(**body)
    page = {"data": other, "meta": {"total_results": 1, "total_pages": 1, "page_number": 1}}
    case.server.inject(LOST.uncommitted)
    case.server.inject_always(send_raw(http_response(200, page), "keep"), on="GET")
    await case.expect_error(OutcomeUnknownError, create)
    case.expect_requests("POST GET GET GET", rooms=0)


async def test_two_matching_rooms_are_both_named_in_the_error(case: FaultCase) -> None:
    case.server.store.names_are_unique = False
    twin = case.server.store.seed(unique_name="Weekly", max_participants=7)[0]
    case.server.inject(LOST)
    error = await case.expect_error(OutcomeUnknownError, create)
    assert set(error.room_ids) == set(case.server.store.ids)
    assert twin["id"] in error.room_ids
    assert all(str(each) in str(error) for each in error.room_ids)
    case.expect_requests("POST GET", rooms=1)


async def test_no_look_up_starts_after_the_deadline(case: FaultCase) -> None:
    case.server.inject(HANG.uncommitted)
    case.new_client(timeout=2, attempt_timeout=1.5)
    await case.expect_error(OutcomeUnknownError, create)
    case.expect_requests("POST GET", rooms=0)


async def test_a_hanging_look_up_ends_at_the_deadline(case: FaultCase) -> None:
    case.server.inject(LOST)
    case.server.inject_always(HANG, on="GET")
    case.new_client(timeout=3)
    await case.expect_error(OutcomeUnknownError, create)
    case.expect_at_most(4, rooms=1)


# --- other modes --------------------------------------------------------------------------------------------


async def test_find_then_resend_sends_again_after_three_look_ups(case: FaultCase) -> None:
    case.server.inject(LOST.uncommitted)
    await case.expect_result(create_or_resend)
    case.expect_requests("POST GET GET GET POST", rooms=1)


async def test_find_then_resend_returns_the_room_when_its_name_is_taken(case: FaultCase) -> None:
    case.server.inject(LOST)
    case.server.inject(*[NOT_FOUND_YET] * 3, on="GET")
    room = await case.expect_result(create_or_resend)
    assert [room.id] == case.server.store.ids
    case.expect_requests("POST GET GET GET POST GET", rooms=1)


async def test_find_then_resend_sends_at_most_twice(case: FaultCase) -> None:
    case.server.inject_always(LOST.uncommitted)
    await case.expect_error(OutcomeUnknownError, create_or_resend)
    case.requests_checked = True
    assert case.server.methods.count("POST") == 2
    assert case.server.store.made == 0


@pytest.mark.parametrize("committed", [True, False], ids=["committed", "lost"])
async def test_raise_makes_no_look_up(case: FaultCase, *, committed: bool) -> None:
    case.server.inject(LOST if committed else LOST.uncommitted)
    error = await case.expect_error(OutcomeUnknownError, create_without_look_up)
    assert (error.unique_name, len(error.attempts)) == ("Weekly", 1)
    case.expect_requests("POST", rooms=committed)


# --- what was certainly not carried out ---------------------------------------------------------------------

THROTTLED = {
    "429": respond(429),
    "429 with a hint": respond(429, Retry_After="2"),
}


@pytest.mark.parametrize("fault", THROTTLED.values(), ids=THROTTLED)
@pytest.mark.parametrize("action", [create, create_nameless], ids=lambda action: action.__name__)
async def test_a_create_is_sent_again_after_429(case: FaultCase, fault: ServerFault, action: Any) -> None:
    case.server.inject(fault)
    await case.expect_result(action)
    case.expect_requests("POST POST", rooms=1)


def unavailable(hint: str = "2") -> ServerFault:
    """Answer as a gateway does that has given up, though all was done."""
    return send_raw(http_response(503, Retry_After=hint), "keep")


modes = pytest.mark.parametrize("action", [create, create_or_resend], ids=["find", "find_then_resend"])


@modes
async def test_after_503_with_retry_after_the_room_is_looked_up_after_the_pause(
    case: FaultCase, action: Any
) -> None:
    case.server.inject(unavailable())
    room = await case.expect_result(action)
    assert [room.id] == case.server.store.ids
    first, second = case.server.requests
    assert 2 <= second.at - first.at <= 4
    case.expect_requests("POST GET", rooms=1)


@modes
async def test_after_503_with_retry_after_a_missing_room_is_created(case: FaultCase, action: Any) -> None:
    case.server.inject(unavailable().uncommitted)
    await case.expect_result(action)
    case.expect_requests("POST GET POST", rooms=1)


@modes
async def test_after_503_with_retry_after_a_taken_name_is_looked_up(case: FaultCase, action: Any) -> None:
    case.server.inject(unavailable())
    case.server.inject(NOT_FOUND_YET, on="GET")
    room = await case.expect_result(action)
    assert [room.id] == case.server.store.ids
    case.expect_requests("POST GET POST GET", rooms=1)


@modes
async def test_after_503_with_retry_after_at_most_two_creates_are_sent(case: FaultCase, action: Any) -> None:
    case.server.inject_always(unavailable().uncommitted, on="POST")
    await case.expect_error(OutcomeUnknownError, action)
    case.expect_requests("POST GET POST GET GET GET", rooms=0)


async def test_after_503_with_retry_after_a_name_of_another_room_is_an_error(case: FaultCase) -> None:
    case.server.store.seed(unique_name="Weekly", ago=3600)
    case.server.inject(unavailable().uncommitted)
    await case.expect_error(NameTakenError, create)
    case.requests_checked = True
    assert case.server.store.made == 0


@pytest.mark.parametrize("committed", [True, False], ids=["committed", "lost"])
@pytest.mark.parametrize(
    "action", [create_nameless, create_without_look_up], ids=lambda action: action.__name__
)
async def test_after_503_with_retry_after_the_outcome_is_unknown_without_a_look_up(
    case: FaultCase, action: Any, *, committed: bool
) -> None:
    case.server.inject(unavailable() if committed else unavailable().uncommitted)
    error = await case.expect_error(OutcomeUnknownError, action)
    assert [attempt.sent for attempt in error.attempts] == [True]
    case.expect_requests("POST", rooms=committed)


@pytest.mark.parametrize("hint", ["3600", "61", "soon", "-1"])
async def test_503_with_an_unusable_retry_after_is_an_unknown_outcome(case: FaultCase, hint: str) -> None:
    case.server.inject(unavailable(hint).uncommitted)
    await case.expect_error(OutcomeUnknownError, create)
    case.expect_requests("POST GET GET GET", rooms=0)


async def test_503_with_retry_after_beyond_the_deadline_ends_at_once(case: FaultCase) -> None:
    case.server.inject(unavailable("50").uncommitted)
    await case.expect_error(OutcomeUnknownError, create)
    assert case.calls[0].seconds < 0.1
    case.recovery_delay = 50
    case.expect_requests("POST", rooms=0)


async def test_503_with_retry_after_is_not_sent_again_with_one_attempt(case: FaultCase) -> None:
    case.server.inject(unavailable("0").uncommitted)
    case.new_client(retry=RetryPolicy(attempts=1))
    await case.expect_error(OutcomeUnknownError, create)
    case.expect_requests("POST GET GET GET", rooms=0)


async def test_429_is_raised_after_three_attempts(case: FaultCase) -> None:
    case.server.inject_always(respond(429))
    await case.expect_error(RateLimitError, create)
    case.expect_requests("POST POST POST", rooms=0)


async def test_a_create_lost_after_429_is_looked_up(case: FaultCase) -> None:
    case.server.inject(respond(429), LOST)
    await case.expect_result(create)
    case.expect_requests("POST POST GET", rooms=1)


async def test_a_taken_name_is_not_looked_up(case: FaultCase) -> None:
    case.server.store.seed(unique_name="Weekly", ago=60)
    await case.expect_error(NameTakenError, create)
    case.expect_requests("POST")


async def test_a_response_within_the_attempt_timeout_is_accepted(case: FaultCase) -> None:
    case.server.inject(delay(14))
    await case.expect_result(create)
    case.expect_requests("POST", rooms=1)


async def test_a_create_is_looked_up_with_one_attempt(case: FaultCase) -> None:
    case.server.inject(LOST)
    case.new_client(retry=RetryPolicy(attempts=1))
    await case.expect_result(create)
    case.expect_requests("POST GET", rooms=1)


async def test_a_repeated_create_sends_the_same_bytes(case: FaultCase) -> None:
    seen: list[RecordedRequest] = []
    case.server.on_request = seen.append
    case.server.inject(respond(429), respond(503, Retry_After="1"))
    await case.expect_result(create)
    assert len({(request.head, request.body) for request in seen if request.method == "POST"}) == 1
    case.expect_requests("POST POST GET POST", rooms=1)


# --- what else is made once ---------------------------------------------------------------------------------


async def compose(client: RoomsClient) -> object:
    """Start a composition."""
    return await client.compositions.create(session_id="a-session")


async def mute(client: RoomsClient) -> None:
    """Mute someone."""
    await client.sessions.mute("a-session", ["a-participant"])


async def delete_recordings(client: RoomsClient) -> int:
    """Delete all recordings of a session."""
    return await client.recordings.delete_matching(session_id="a-session")


once = {
    **RETRIED,
    **MALFORMED,
    **TOO_LARGE,
    "503 with Retry-After": evolve(ERROR_STATUSES["503"], fault=unavailable()),
}


@pytest.mark.parametrize("response_fault", once.values(), ids=once)
@pytest.mark.parametrize("action", [compose, mute, delete_recordings], ids=lambda action: action.__name__)
async def test_compositions_and_actions_are_unknown_after_one_request(
    case: FaultCase, response_fault: ResponseFault, action: Any
) -> None:
    case.server.inject(response_fault.fault)
    error = await case.expect_error(OutcomeUnknownError, action)
    assert error.unique_name is None
    case.expect_requests("DELETE" if action is delete_recordings else "POST")
