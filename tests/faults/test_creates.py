"""Creates whose response is lost: one room at most, returned or named in an error."""

from contextlib import suppress
from email.utils import formatdate
from typing import Any

import pytest

from telnyx_rooms_async import (
    Attempt,
    NameTakenError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitError,
    RetryPolicy,
    Room,
    RoomsClient,
)
from tests.helpers.fault_case import FaultCase, create, create_nameless, delete, read
from tests.helpers.fault_server import ServerFault
from tests.helpers.faults import (
    ERROR_STATUSES,
    HANG,
    RESPONSE_FAULTS,
    ResponseFault,
    change_body,
    delay,
    replace_body,
    respond,
    send_raw,
    set_date,
    truncate,
)
from tests.helpers.raw_server import http_response

response_faults = pytest.mark.parametrize("response_fault", RESPONSE_FAULTS.values(), ids=RESPONSE_FAULTS)
LOST_RESPONSE = truncate("before")
LOST_REQUEST = LOST_RESPONSE.uncommitted
"""The request is lost on its way: the server does not carry it out."""
NOT_YET = respond(200, {"data": [], "meta": {"total_results": 0}})
"""A look-up that does not find the room yet."""
THROTTLED = respond(429)
INCONSISTENT = respond(200, {"data": [], "meta": {"total_results": 3, "total_pages": 1}})


def unavailable(retry_after: str = "2") -> ServerFault:
    """Answer like a gateway that timed out, although the request was carried out."""
    return send_raw(http_response(503, Retry_After=retry_after), "keep")


async def create_or_resend(client: RoomsClient) -> Room:
    return await client.rooms.create(
        unique_name="Weekly", max_participants=7, on_lost_response="find_then_resend"
    )


async def create_or_raise(client: RoomsClient) -> Room:
    return await client.rooms.create(unique_name="Weekly", max_participants=7, on_lost_response="raise")


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
async def test_the_outcome_without_a_name_is_unknown_after_one_request(
    case: FaultCase, response_fault: ResponseFault
) -> None:
    case.server.inject(response_fault.fault)
    error = await case.expect_error(OutcomeUnknownError, create_nameless)
    assert (error.unique_name, len(error.attempts)) == (None, 1)
    case.expect_requests("POST", rooms=1)


# --- sequences of responses ---------------------------------------------------------------------------------

Scenario = tuple[Any, list[ServerFault], list[ServerFault], type[Exception] | None, str, int]
# The action, faults of POSTs and of GETs, the error, all requests, the number of rooms created.
# fmt: off
# ruff: noqa: E501 - a row is a line
SCENARIOS: dict[str, Scenario] = {
    "found at the second look-up":              (create, [LOST_RESPONSE], [NOT_YET], None, "POST GET GET", 1),
    "found at the third look-up":               (create, [LOST_RESPONSE], [NOT_YET] * 2, None, "POST GET GET GET", 1),
    "found after a look-up with 500":           (create, [LOST_RESPONSE], [ERROR_STATUSES["500"].fault], None, "POST GET GET", 1),
    "found after a look-up with 429":           (create, [LOST_RESPONSE], [THROTTLED], None, "POST GET GET", 1),
    "never found, look-ups fail":               (create, [LOST_RESPONSE], [LOST_RESPONSE] * 3, OutcomeUnknownError, "POST GET GET GET", 1),
    "never found, look-ups hang":               (create, [LOST_RESPONSE], [HANG] * 3, OutcomeUnknownError, "POST GET GET GET", 1),
    "found after a look-up with 403":           (create, [LOST_RESPONSE], [respond(403)], None, "POST GET GET", 1),
    "found after a lost look-up":               (create, [LOST_RESPONSE], [LOST_RESPONSE], None, "POST GET GET", 1),
    "found after a look-up with HTML":          (create, [LOST_RESPONSE], [replace_body(b"<html>")], None, "POST GET GET", 1),
    "found after inconsistent pages":           (create, [LOST_RESPONSE], [INCONSISTENT] * 3, None, "POST GET GET GET GET", 1),
    "sent again when not found":                (create_or_resend, [LOST_REQUEST], [], None, "POST GET GET GET POST", 1),
    "sent again although created":              (create_or_resend, [LOST_RESPONSE], [NOT_YET] * 3, None, "POST GET GET GET POST GET", 1),
    "never sent a third time":                  (create_or_resend, [LOST_REQUEST] * 2, [NOT_YET] * 6, OutcomeUnknownError, "POST GET GET GET POST GET GET GET", 0),
    "sent again, lost again, found":            (create_or_resend, [LOST_REQUEST, LOST_RESPONSE], [NOT_YET] * 4, None, "POST GET GET GET POST GET GET", 1),
    "sent again, throttled":                    (create_or_resend, [LOST_REQUEST, THROTTLED], [], None, "POST GET GET GET POST POST", 1),
    "raised without a look-up, created":        (create_or_raise, [LOST_RESPONSE], [], OutcomeUnknownError, "POST", 1),
    "raised without a look-up, not created":    (create_or_raise, [LOST_REQUEST], [], OutcomeUnknownError, "POST", 0),
    "throttled once":                           (create, [THROTTLED], [], None, "POST POST", 1),
    "throttled once, without a name":           (create_nameless, [THROTTLED], [], None, "POST POST", 1),
    "throttled three times":                    (create, [THROTTLED] * 3, [], RateLimitError, "POST POST POST", 0),
    "throttled, then lost":                     (create, [THROTTLED, LOST_RESPONSE], [], None, "POST POST GET", 1),
    "503, created":                             (create, [unavailable()], [], None, "POST GET", 1),
    "503, not created":                         (create, [unavailable().uncommitted], [], None, "POST GET POST", 1),
    "503, created, found late":                 (create, [unavailable()], [NOT_YET], None, "POST GET POST GET", 1),
    "503, created, inconsistent pages":         (create, [unavailable()], [INCONSISTENT] * 9, OutcomeUnknownError, "POST GET GET GET GET GET GET GET GET GET", 1),
    "503 twice":                                (create, [unavailable().uncommitted] * 2, [], OutcomeUnknownError, "POST GET POST GET GET GET", 0),
    "503, created, without a name":             (create_nameless, [unavailable()], [], OutcomeUnknownError, "POST", 1),
    "503, not created, raised without look-up": (create_or_raise, [unavailable().uncommitted], [], OutcomeUnknownError, "POST", 0),
    "503, Retry-After above the maximum":       (create, [unavailable("61").uncommitted], [], OutcomeUnknownError, "POST GET GET GET", 0),
    "503, Retry-After is a word":               (create, [unavailable("soon").uncommitted], [], OutcomeUnknownError, "POST GET GET GET", 0),
    "slow":                                     (create, [delay(14)], [], None, "POST", 1),
}
# fmt: on


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
async def test_create_makes_one_room_at_most(case: FaultCase, scenario: Scenario) -> None:
    action, post_faults, get_faults, error, requests, rooms = scenario
    attempts: list[Attempt] = []
    case.new_client(on_attempt=attempts.append)
    case.server.inject(*post_faults, on="POST")
    case.server.inject(*get_faults, on="GET")
    if error is None:
        room = await case.expect_result(action)
        assert [room.id] == case.server.store.ids
    else:
        await case.expect_error(error, action)
    case.expect_requests(requests, rooms=rooms)
    assert [attempt.number for attempt in attempts] == list(range(1, len(attempts) + 1))
    assert " ".join(attempt.method for attempt in attempts) == requests


async def test_without_retries_a_create_is_looked_up_and_never_sent_again(case: FaultCase) -> None:
    case.new_client(max_retries=0)
    case.server.inject(LOST_RESPONSE)
    await case.expect_result(create)
    case.expect_requests("POST GET", rooms=1)
    await case.expect_result(delete)
    case.server.inject(unavailable().uncommitted)
    await case.expect_error(OutcomeUnknownError, create)
    case.expect_requests("POST GET DELETE POST GET GET GET", rooms=1)


@pytest.mark.parametrize(("budget", "requests"), [(13, "POST"), (14, "POST GET"), (28, "POST GET GET")])
async def test_look_ups_end_with_the_retry_budget(case: FaultCase, budget: int, requests: str) -> None:
    case.new_client(retry=RetryPolicy(budget=budget))
    case.server.inject(LOST_RESPONSE)
    case.server.inject_always(respond(500), on="GET")
    error = await case.expect_error(OutcomeUnknownError, create)
    assert error.budget_exhausted
    case.expect_requests(requests, rooms=1)


async def test_the_second_request_is_paid_for_from_the_retry_budget(case: FaultCase) -> None:
    case.new_client(retry=RetryPolicy(budget=14))
    case.server.inject_always(LOST_REQUEST, on="POST")
    error = await case.expect_error(OutcomeUnknownError, create_or_resend)
    assert error.budget_exhausted
    case.expect_requests("POST GET GET GET POST")  # look-ups that succeed return their cost


async def test_look_ups_start_0_2_and_0_7_and_1_7_seconds_after_the_loss(case: FaultCase) -> None:
    case.server.inject(LOST_REQUEST)
    await case.expect_error(OutcomeUnknownError, create)
    first, *others = case.server.requests
    assert [request.at - first.at for request in others] == pytest.approx([0.2, 0.7, 1.7], abs=0.01)
    assert {request.path for request in others} == {"/rooms"}
    assert {request.query["filter[unique_name]"] for request in others} == {"Weekly"}
    case.expect_requests("POST GET GET GET")


async def test_after_503_the_look_up_waits_for_retry_after(case: FaultCase) -> None:
    case.server.inject(unavailable())
    await case.expect_result(create)
    first, second = case.server.requests
    assert second.at - first.at == pytest.approx(2.5, abs=0.01)  # with half of the jitter
    case.expect_requests("POST GET", rooms=1)


async def test_503_with_retry_after_beyond_the_deadline_ends_at_once(case: FaultCase) -> None:
    case.server.inject(unavailable("50").uncommitted)
    await case.expect_error(OutcomeUnknownError, create)
    assert case.seconds < 1
    case.recovery_delay = 50
    case.expect_requests("POST", rooms=0)


@pytest.mark.parametrize(
    ("faults", "requests"),
    [([], "POST"), ([unavailable().uncommitted], "POST GET POST GET GET GET")],
    ids=["at once", "after 503"],
)
async def test_a_name_of_another_room_is_an_error(
    case: FaultCase, faults: list[ServerFault], requests: str
) -> None:
    case.server.store.seed(unique_name="Weekly", ago=3600)
    case.server.inject(*faults)
    await case.expect_error(NameTakenError, create)
    case.expect_requests(requests)


@pytest.mark.parametrize("action", [create, create_or_resend], ids=["find", "find_then_resend"])
async def test_no_request_starts_or_goes_on_after_the_deadline(case: FaultCase, action: Any) -> None:
    case.server.inject(HANG.uncommitted)
    case.server.inject_always(HANG, on="GET")
    case.new_client(timeout=2, attempt_timeout=1.5)
    await case.expect_error(OutcomeUnknownError, action)
    case.expect_requests("POST GET", rooms=0)


# --- which room is the created one --------------------------------------------------------------------------


def skewed(case: FaultCase, skew: int) -> ServerFault:
    """Set the server's clock; return the correct response with its ``Date``."""
    case.server.store.now = lambda: case.clock.seconds + skew
    return set_date(lambda: formatdate(case.server.store.now(), usegmt=True))


@pytest.mark.parametrize("skew", [0, 3600], ids=["exact", "local clock behind"])
async def test_a_room_older_than_the_call_is_not_returned(case: FaultCase, skew: int) -> None:
    case.server.inject_always(skewed(case, skew), on="GET")
    case.server.store.names_are_unique = False
    case.server.store.seed(unique_name="Weekly", max_participants=7, ago=3600)
    case.server.inject(LOST_REQUEST)
    error = await case.expect_error(OutcomeUnknownError, create)
    assert error.room_ids == ()
    case.expect_requests("POST GET GET GET", rooms=0)


@pytest.mark.parametrize(("skew", "adopted"), [(4, True), (-4, True), (60, False), (-60, False)])
async def test_without_a_date_header_clocks_may_differ_by_5_seconds(
    case: FaultCase, skew: int, *, adopted: bool
) -> None:
    case.server.store.now = lambda: case.clock.seconds + skew
    case.server.inject(LOST_RESPONSE)
    if adopted:
        await case.expect_result(create)
        case.expect_requests("POST GET", rooms=1)
    else:
        await case.expect_error(OutcomeUnknownError, create)
        case.expect_requests("POST GET GET GET", rooms=1)


SKEWS = {"a day behind": -86_400, "30 s behind": -30, "30 s ahead": 30, "a year ahead": 365 * 86_400}


@pytest.mark.parametrize("skew", SKEWS.values(), ids=SKEWS)
async def test_the_date_header_corrects_any_clock_difference(case: FaultCase, skew: int) -> None:
    case.server.inject_always(skewed(case, skew), on="GET")
    case.server.inject(LOST_RESPONSE)
    await case.expect_result(create)
    case.expect_requests("POST GET", rooms=1)


@pytest.mark.parametrize("date", ["soon", "Wed, 32 Oct 2015 07:28:00 GMT", "\xff", "", "9" * 400])
@pytest.mark.parametrize("skew", [0, -86_400], ids=["without another", "after a valid one"])
async def test_an_invalid_date_header_is_ignored(case: FaultCase, date: str, skew: int) -> None:
    case.server.inject(skewed(case, skew) if skew else respond(404))
    with suppress(NotFoundError):
        await case.expect_result(read)
    await case.clock.sleep(60)
    case.server.inject(LOST_RESPONSE)
    case.server.inject_always(set_date(lambda: date), on="GET")
    await case.expect_result(create)
    case.expect_requests("GET POST GET", rooms=1)


@pytest.mark.parametrize("count", [249, 250, 600])
async def test_all_pages_of_similar_names_are_searched(case: FaultCase, count: int) -> None:
    store = case.server.store
    store.is_match = lambda name, wanted: wanted.casefold() in str(name).casefold()
    for number in range(count):
        store.seed(unique_name=f"weekly {number}", max_participants=7)
    case.server.inject(LOST_RESPONSE)
    room = await case.expect_result(create)
    assert room.unique_name == "Weekly"
    case.expect_requests(" ".join(["POST", *["GET"] * (count // 250 + 1)]), rooms=1)


async def test_a_room_on_inconsistent_pages_is_returned(case: FaultCase) -> None:
    totals = {"page_number": 1, "total_pages": 3, "total_results": 700}
    case.server.store.page_meta = lambda meta: meta | totals
    case.server.store.is_match = lambda *_: True
    case.server.inject_always(change_body(lambda body: {**body, "data": case.server.store.rooms}), on="GET")
    case.server.inject(LOST_RESPONSE)
    await case.expect_result(create)
    case.expect_at_most(7, rooms=1)


async def test_two_matching_rooms_are_both_named_in_the_error(case: FaultCase) -> None:
    case.server.store.names_are_unique = False
    twin = case.server.store.seed(unique_name="Weekly", max_participants=7)[0]
    case.server.inject(LOST_RESPONSE)
    error = await case.expect_error(OutcomeUnknownError, create)
    assert set(error.room_ids) == set(case.server.store.ids)
    assert twin["id"] in error.room_ids
    assert all(room_id in str(error) for room_id in error.room_ids)
    case.expect_requests("POST GET", rooms=1)


# --- other operations that are not repeated -----------------------------------------------------------------


async def compose(client: RoomsClient) -> object:
    return await client.compositions.create(session_id="a-session")


async def mute(client: RoomsClient) -> None:
    await client.sessions.mute("a-session", ["a-participant"])


async def delete_recordings(client: RoomsClient) -> int:
    return await client.recordings.delete_matching(session_id="a-session")


ONCE = ["closed before headers", "hang", "500", "truncated gzip", "two Content-Lengths", "gzip bomb"]


@pytest.mark.parametrize("fault", [unavailable(), *(RESPONSE_FAULTS[name].fault for name in ONCE)])
@pytest.mark.parametrize("action", [compose, mute, delete_recordings], ids=lambda action: action.__name__)
async def test_compositions_and_actions_are_unknown_after_one_request(
    case: FaultCase, fault: ServerFault, action: Any
) -> None:
    case.server.inject(fault)
    error = await case.expect_error(OutcomeUnknownError, action)
    assert error.unique_name is None
    case.expect_requests("DELETE" if action is delete_recordings else "POST")
