"""Creates whose answer never comes: at most one room, and none that nobody knows of."""

from email.utils import formatdate
from typing import Any

import pytest
from attrs import evolve

from telnyx_rooms_async import (
    APITimeoutError,
    InvalidArgumentError,
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

ways = pytest.mark.parametrize("response_fault", RESPONSE_FAULTS.values(), ids=RESPONSE_FAULTS)
LOST = truncate("before")
FOUND_NOTHING = respond(200, {"data": [], "meta": {"total_results": 0}})


async def create_or_resend(client: RoomsClient) -> Room:
    """Make a create that may be sent a second time."""
    return await client.rooms.create(
        unique_name="Weekly", max_participants=7, on_lost_response="find_then_resend"
    )


async def create_without_look_up(client: RoomsClient) -> Room:
    """Make a create that is told as it stands."""
    return await client.rooms.create(unique_name="Weekly", max_participants=7, on_lost_response="raise")


# --- every way to lose an answer ----------------------------------------------------------------------------


@ways
async def test_committed_then_lost(case: FaultCase, response_fault: ResponseFault) -> None:
    """There is one room, and it is returned: 1 POST, 1 look-up."""
    case.server.inject(response_fault.fault)
    room = await case.expect_result(create)
    assert [room.id] == case.server.store.ids
    assert (room.unique_name, room.max_participants) == ("Weekly", 7)
    case.expect_requests("POST GET", rooms=1)


@ways
async def test_lost_and_never_committed(case: FaultCase, response_fault: ResponseFault) -> None:
    """There is no room, and the error says that this is not known: 1 POST, 3 look-ups."""
    case.server.inject(response_fault.fault.uncommitted)
    error = await case.expect_error(OutcomeUnknownError, create)
    assert (error.operation, error.unique_name, error.room_ids) == ("CreateRoom", "Weekly", ())
    assert [attempt.operation for attempt in error.attempts] == ["CreateRoom"] + ["ListRooms"] * 3
    assert [attempt.number for attempt in error.attempts] == [1, 2, 3, 4]
    assert error.budget_exhausted is False
    assert type(error.__cause__) is response_fault.error
    case.expect_requests("POST GET GET GET", rooms=0)


@ways
@pytest.mark.parametrize("committed", [True, False], ids=["committed", "lost"])
async def test_lost_with_no_name(case: FaultCase, response_fault: ResponseFault, *, committed: bool) -> None:
    """A room without a name cannot be found: the outcome is unknown at once, after 1 POST."""
    case.server.inject(response_fault.fault if committed else response_fault.fault.uncommitted)
    error = await case.expect_error(OutcomeUnknownError, create_nameless)
    assert (error.unique_name, len(error.attempts)) == (None, 1)
    case.expect_requests("POST", rooms=committed)


@ways
async def test_lost_for_ever(case: FaultCase, response_fault: ResponseFault) -> None:
    """When the look-ups fail as well, nobody knows: 1 POST, 3 look-ups of one attempt each, 1 room."""
    case.server.inject_always(response_fault.fault)
    await case.expect_error(OutcomeUnknownError, create)
    # Where each takes its 15 seconds, there is no time for the third.
    case.expect_requests(
        "POST GET GET" if response_fault.error is APITimeoutError else "POST GET GET GET", rooms=1
    )


# --- looking up ---------------------------------------------------------------------------------------------


async def test_when_it_looks(case: FaultCase) -> None:
    """The look-ups come 0.2, 0.7 and 1.7 seconds after the answer was lost."""
    case.server.inject(LOST.uncommitted)
    await case.expect_error(OutcomeUnknownError, create)
    first, *others = case.server.requests
    assert [request.at - first.at for request in others] == pytest.approx([0.2, 0.7, 1.7], abs=0.1)
    assert {request.path for request in others} == {"/rooms"}
    assert {request.query["filter[unique_name]"] for request in others} == {"Weekly"}
    case.expect_requests("POST GET GET GET")


@pytest.mark.parametrize("looks", [1, 2, 3])
async def test_a_room_that_shows_late(case: FaultCase, looks: int) -> None:
    """It is adopted at the look-up that finds it, the third at the latest."""
    case.server.inject(LOST)
    case.server.inject(*[FOUND_NOTHING] * (looks - 1), on="GET")
    await case.expect_result(create)
    case.expect_requests(" ".join(["POST", *["GET"] * looks]), rooms=1)


FAILED_LOOKS = {
    "500": error_status(500),
    "lost": LOST,
    "429": respond(429),
    "HTML": replace_body(b"<html>"),
    "403": respond(403),
}


@pytest.mark.parametrize("fault", FAILED_LOOKS.values(), ids=FAILED_LOOKS)
async def test_a_look_up_that_fails(case: FaultCase, fault: ServerFault) -> None:
    """It is not repeated: the next one is due anyway."""
    case.server.inject(LOST)
    case.server.inject(fault, on="GET")
    await case.expect_result(create)
    case.expect_requests("POST GET GET", rooms=1)


async def test_one_of_the_same_name_from_before(case: FaultCase) -> None:
    """A room that is older than the call is not ours."""
    case.server.store.names_are_unique = False
    case.server.store.seed(unique_name="Weekly", max_participants=7, ago=3600)
    case.server.inject(LOST.uncommitted)
    error = await case.expect_error(OutcomeUnknownError, create)
    assert error.room_ids == ()
    case.expect_requests("POST GET GET GET", rooms=0)


@pytest.mark.parametrize(("skew", "adopted"), [(4, True), (-4, True), (60, False), (-60, False)])
async def test_clocks_that_differ(case: FaultCase, skew: int, *, adopted: bool) -> None:
    """Of a server that sends no ``Date`` the clock may be 5 seconds off ours, not more."""
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
async def test_the_server_s_date_counts(case: FaultCase, skew: int) -> None:
    """A room is known by the server's own clock, however far that is off."""
    case.server.inject_always(skewed(case, skew), on="GET")
    case.server.inject(LOST)
    await case.expect_result(create)
    case.expect_requests("POST GET", rooms=1)


@skews
@pytest.mark.parametrize("date", [None, "soon", "Wed, 32 Oct 2015 07:28:00 GMT", "\xff", ""])
async def test_an_earlier_date_counts_as_well(case: FaultCase, skew: int, date: str | None) -> None:
    """When the look-up is answered without a ``Date`` that can be read, that of an earlier answer counts."""
    case.server.inject(skewed(case, skew))
    assert (await case.expect_result(read)).id == HEALTHY_ROOM_ID
    await case.time.sleep(60)
    case.server.inject(LOST)
    if date is not None:
        case.server.inject_always(set_date(lambda: date), on="GET")
    await case.expect_result(create)
    case.expect_requests("GET POST GET", rooms=1)


@pytest.mark.parametrize("date", ["soon", "Wed, 32 Oct 2015 07:28:00 GMT", "\xff", "", "9" * 400])
async def test_a_date_that_cannot_be_read(case: FaultCase, date: str) -> None:
    """It is ignored: our own clock counts."""
    case.server.inject_always(set_date(lambda: date), on="GET")
    case.server.inject(LOST)
    await case.expect_result(create)
    case.expect_requests("POST GET", rooms=1)


async def test_one_that_only_our_clock_takes_for_new(case: FaultCase) -> None:
    """A room from before is not ours, though our clock, an hour behind, says that it was made right now."""
    case.server.store.names_are_unique = False
    case.server.inject_always(skewed(case, 3600), on="GET")
    case.server.store.seed(unique_name="Weekly", max_participants=7, ago=3600)
    case.server.inject(LOST.uncommitted)
    await case.expect_error(OutcomeUnknownError, create)
    case.expect_requests("POST GET GET GET", rooms=0)


def is_similar(name: object, wanted: str) -> bool:
    """Match as a server does that looks for a part of the name, and knows no case."""
    return wanted.casefold() in str(name).casefold()


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("count", [249, 250, 600])
async def test_among_many_similar_names(case: FaultCase, count: int, *, newest_first: bool) -> None:
    """All pages of the filter's answer are read, wherever the room is."""
    ledger = case.server.store
    ledger.is_match, ledger.newest_first = is_similar, newest_first
    for number in range(count):
        ledger.seed(unique_name=f"weekly {number}", max_participants=7)
    case.server.inject(LOST)
    room = await case.expect_result(create)
    assert room.unique_name == "Weekly"
    case.expect_requests(" ".join(["POST", *["GET"] * (count // 250 + 1)]), rooms=1)


async def test_found_on_pages_that_do_not_add_up(case: FaultCase) -> None:
    """A room that was found is there, though the server answers with the same page for ever."""
    case.server.store.page_meta = lambda meta: {
        **meta,
        "page_number": 1,
        "total_pages": 3,
        "total_results": 700,
    }
    case.server.store.is_match = lambda *_: True
    case.server.inject_always(change_body(lambda told: {**told, "data": case.server.store.rooms}), on="GET")
    case.server.inject(LOST)
    await case.expect_result(create)
    case.expect_at_most(7, rooms=1)


async def test_pages_that_do_not_add_up(case: FaultCase) -> None:
    """A look-up that meets them has failed: the next one finds the room."""
    case.server.inject(LOST)
    told = {"data": [], "meta": {"total_results": 3, "total_pages": 1}}
    case.server.inject(*[respond(200, told)] * 3, on="GET")
    await case.expect_result(create)
    case.expect_requests("POST GET GET GET GET", rooms=1)


OTHERS: dict[str, dict[str, object]] = {
    "another number of participants": {"max_participants": 8},
    "another case of the name": {"unique_name": "weekly"},
}


@pytest.mark.parametrize("fields", OTHERS.values(), ids=OTHERS)
async def test_one_with_other_settings(case: FaultCase, fields: dict[str, object]) -> None:
    """A room that is not what was request for is not adopted."""
    told: dict[str, Any] = {"unique_name": "Weekly", "max_participants": 7} | fields
    alien = case.server.store.seed(**told)
    page = {"data": alien, "meta": {"total_results": 1, "total_pages": 1, "page_number": 1}}
    case.server.inject(LOST.uncommitted)
    case.server.inject_always(send_raw(http_response(200, page), "keep"), on="GET")
    await case.expect_error(OutcomeUnknownError, create)
    case.expect_requests("POST GET GET GET", rooms=0)


async def test_twins(case: FaultCase) -> None:
    """When two rooms fit, neither is chosen and none deleted: the error names both."""
    case.server.store.names_are_unique = False
    twin = case.server.store.seed(unique_name="Weekly", max_participants=7)[0]
    case.server.inject(LOST)
    error = await case.expect_error(OutcomeUnknownError, create)
    assert set(error.room_ids) == set(case.server.store.ids)
    assert twin["id"] in error.room_ids
    assert all(str(each) in str(error) for each in error.room_ids)
    case.expect_requests("POST GET", rooms=1)


async def test_the_deadline_bounds_the_look_ups(case: FaultCase) -> None:
    """None is begun that would be too late: the call ends in its time."""
    case.server.inject(HANG.uncommitted)
    case.new_client(timeout=2, attempt_timeout=1.5)
    await case.expect_error(OutcomeUnknownError, create)
    case.expect_requests("POST GET", rooms=0)


async def test_a_look_up_that_hangs(case: FaultCase) -> None:
    """It too is over when the call's time is."""
    case.server.inject(LOST)
    case.server.inject_always(HANG, on="GET")
    case.new_client(timeout=3)
    await case.expect_error(OutcomeUnknownError, create)
    case.expect_at_most(4, rooms=1)


# --- other modes --------------------------------------------------------------------------------------------


async def test_resend_when_it_never_arrived(case: FaultCase) -> None:
    """It is sent once more when three look-ups have found nothing."""
    case.server.inject(LOST.uncommitted)
    await case.expect_result(create_or_resend)
    case.expect_requests("POST GET GET GET POST", rooms=1)


async def test_resend_when_it_shows_too_late(case: FaultCase) -> None:
    """A name that is taken means that the first has landed: it is looked up and returned."""
    case.server.inject(LOST)
    case.server.inject(*[FOUND_NOTHING] * 3, on="GET")
    room = await case.expect_result(create_or_resend)
    assert [room.id] == case.server.store.ids
    case.expect_requests("POST GET GET GET POST GET", rooms=1)


async def test_resend_when_it_is_found(case: FaultCase) -> None:
    """It is not sent again."""
    case.server.inject(LOST)
    await case.expect_result(create_or_resend)
    case.expect_requests("POST GET", rooms=1)


async def test_resend_lost_again(case: FaultCase) -> None:
    """It is not sent a third time."""
    case.server.inject_always(LOST.uncommitted)
    await case.expect_error(OutcomeUnknownError, create_or_resend)
    case.requests_checked = True
    assert case.server.methods.count("POST") == 2
    assert case.server.store.made == 0


@pytest.mark.parametrize("committed", [True, False], ids=["committed", "lost"])
async def test_raise(case: FaultCase, *, committed: bool) -> None:
    """Nothing is looked up."""
    case.server.inject(LOST if committed else LOST.uncommitted)
    error = await case.expect_error(OutcomeUnknownError, create_without_look_up)
    assert (error.unique_name, len(error.attempts)) == ("Weekly", 1)
    case.expect_requests("POST", rooms=committed)


async def test_another_mode(case: FaultCase) -> None:
    """A mode that does not exist is refused before anything is sent."""

    async def wrongly(client: RoomsClient) -> Room:
        return await client.rooms.create(on_lost_response="retry")  # type: ignore[arg-type]  # wrong on purpose

    await case.expect_error(InvalidArgumentError, wrongly)
    case.expect_requests("")


# --- what was certainly not carried out ---------------------------------------------------------------------

TURNED_AWAY = {
    "429": respond(429),
    "429 with a hint": respond(429, Retry_After="2"),
}


@pytest.mark.parametrize("fault", TURNED_AWAY.values(), ids=TURNED_AWAY)
@pytest.mark.parametrize("action", [create, create_nameless], ids=lambda action: action.__name__)
async def test_turned_away_once(case: FaultCase, fault: ServerFault, action: Any) -> None:
    """It is sent again, name or none: no room was made."""
    case.server.inject(fault)
    await case.expect_result(action)
    case.expect_requests("POST POST", rooms=1)


def unavailable(hint: str = "2") -> ServerFault:
    """Answer as a gateway does that has given up, though all was done."""
    return send_raw(http_response(503, Retry_After=hint), "keep")


modes = pytest.mark.parametrize("action", [create, create_or_resend], ids=["find", "find_then_resend"])


@modes
async def test_503_with_retry_after_and_committed(case: FaultCase, action: Any) -> None:
    """It proves nothing: the room is looked for when the pause is over, and returned."""
    case.server.inject(unavailable())
    room = await case.expect_result(action)
    assert [room.id] == case.server.store.ids
    first, second = case.server.requests
    assert 2 <= second.at - first.at <= 4
    case.expect_requests("POST GET", rooms=1)


@modes
async def test_503_with_retry_after_and_not_committed(case: FaultCase, action: Any) -> None:
    """After one look-up that finds nothing it is sent once more: the name protects from a second room."""
    case.server.inject(unavailable().uncommitted)
    await case.expect_result(action)
    case.expect_requests("POST GET POST", rooms=1)


@modes
async def test_503_with_retry_after_and_committed_late(case: FaultCase, action: Any) -> None:
    """A name that is taken then is that of our own room: it is looked up and returned."""
    case.server.inject(unavailable())
    case.server.inject(FOUND_NOTHING, on="GET")
    room = await case.expect_result(action)
    assert [room.id] == case.server.store.ids
    case.expect_requests("POST GET POST GET", rooms=1)


@modes
async def test_503_with_retry_after_twice(case: FaultCase, action: Any) -> None:
    """It is not sent a third time."""
    case.server.inject_always(unavailable().uncommitted, on="POST")
    await case.expect_error(OutcomeUnknownError, action)
    case.expect_requests("POST GET POST GET GET GET", rooms=0)


async def test_503_with_retry_after_and_a_name_that_another_has(case: FaultCase) -> None:
    """It is the refusal that it would have been."""
    case.server.store.seed(unique_name="Weekly", ago=3600)
    case.server.inject(unavailable().uncommitted)
    await case.expect_error(NameTakenError, create)
    case.requests_checked = True
    assert case.server.store.made == 0


@pytest.mark.parametrize("committed", [True, False], ids=["committed", "lost"])
@pytest.mark.parametrize(
    "action", [create_nameless, create_without_look_up], ids=lambda action: action.__name__
)
async def test_503_with_retry_after_and_no_look_up(case: FaultCase, action: Any, *, committed: bool) -> None:
    """Without a name, or with ``on_lost_response="raise"``, the outcome is unknown after 1 POST."""
    case.server.inject(unavailable() if committed else unavailable().uncommitted)
    error = await case.expect_error(OutcomeUnknownError, action)
    assert [attempt.sent for attempt in error.attempts] == [True]
    case.expect_requests("POST", rooms=committed)


@pytest.mark.parametrize("hint", ["3600", "61", "soon", "-1"])
async def test_503_with_a_hint_that_cannot_be_followed(case: FaultCase, hint: str) -> None:
    """It is an unknown outcome as any other: it is looked for, and not sent again."""
    case.server.inject(unavailable(hint).uncommitted)
    await case.expect_error(OutcomeUnknownError, create)
    case.expect_requests("POST GET GET GET", rooms=0)


async def test_503_with_a_hint_beyond_the_deadline(case: FaultCase) -> None:
    """All calls pause for longer than this one has: it ends at once."""
    case.server.inject(unavailable("50").uncommitted)
    await case.expect_error(OutcomeUnknownError, create)
    assert case.calls[0].seconds < 0.1
    case.recovery_delay = 50
    case.expect_requests("POST", rooms=0)


async def test_503_with_retry_after_and_a_policy_of_one_attempt(case: FaultCase) -> None:
    """It is looked for, and not sent again."""
    case.server.inject(unavailable("0").uncommitted)
    case.new_client(retry=RetryPolicy(attempts=1))
    await case.expect_error(OutcomeUnknownError, create)
    case.expect_requests("POST GET GET GET", rooms=0)


async def test_turned_away_for_ever(case: FaultCase) -> None:
    """After 3 tries the server's own answer is raised, not an unknown outcome."""
    case.server.inject_always(respond(429))
    await case.expect_error(RateLimitError, create)
    case.expect_requests("POST POST POST", rooms=0)


async def test_turned_away_and_then_lost(case: FaultCase) -> None:
    """What may have been done is told by the attempt that may have done it."""
    case.server.inject(respond(429), LOST)
    await case.expect_result(create)
    case.expect_requests("POST POST GET", rooms=1)


async def test_a_name_that_is_taken(case: FaultCase) -> None:
    """It is an error of its own, and nothing is looked up."""
    case.server.store.seed(unique_name="Weekly", ago=60)
    await case.expect_error(NameTakenError, create)
    case.expect_requests("POST")


async def test_a_late_answer(case: FaultCase) -> None:
    """An attempt that takes 14 seconds is in time."""
    case.server.inject(delay(14))
    await case.expect_result(create)
    case.expect_requests("POST", rooms=1)


async def test_a_policy_of_one_attempt_looks_up_all_the_same(case: FaultCase) -> None:
    """A look-up is no attempt at a create."""
    case.server.inject(LOST)
    case.new_client(retry=RetryPolicy(attempts=1))
    await case.expect_result(create)
    case.expect_requests("POST GET", rooms=1)


async def test_what_is_asked_is_asked_the_same(case: FaultCase) -> None:
    """A create that is repeated sends the same bytes: its body is serialised once."""
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
async def test_compositions_and_actions(case: FaultCase, response_fault: ResponseFault, action: Any) -> None:
    """Their outcome is unknown after one request: there is no name to look for."""
    case.server.inject(response_fault.fault)
    error = await case.expect_error(OutcomeUnknownError, action)
    assert error.unique_name is None
    case.expect_requests("DELETE" if action is delete_recordings else "POST")
