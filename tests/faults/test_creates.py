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
from tests.helpers.case import Case, create, create_nameless, read
from tests.helpers.faulty import Trick
from tests.helpers.ledger import HEALTHY, Asked, http
from tests.helpers.tricks import HANGS, answers, cuts, dated, late, says, tells
from tests.helpers.ways import FAILING, MALFORMED, REPEATED, TOO_LARGE, WAYS, Way, failing, reshaped

ways = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
LOST = cuts("before")
FOUND_NOTHING = answers(200, {"data": [], "meta": {"total_results": 0}})


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
async def test_committed_then_lost(case: Case, way: Way) -> None:
    """There is one room, and it is returned: 1 POST, 1 look-up."""
    case.server.plays(way.trick)
    room = await case.succeeds(create)
    assert [room.id] == case.server.ledger.ids
    assert (room.unique_name, room.max_participants) == ("Weekly", 7)
    case.saw("POST GET", rooms=1)


@ways
async def test_lost_and_never_committed(case: Case, way: Way) -> None:
    """There is no room, and the error says that this is not known: 1 POST, 3 look-ups."""
    case.server.plays(way.trick.uncommitted)
    error = await case.fails(OutcomeUnknownError, create)
    assert (error.operation, error.unique_name, error.room_ids) == ("CreateRoom", "Weekly", ())
    assert [attempt.operation for attempt in error.attempts] == ["CreateRoom"] + ["ListRooms"] * 3
    assert [attempt.number for attempt in error.attempts] == [1, 2, 3, 4]
    assert error.budget_exhausted is False
    assert type(error.__cause__) is way.kind
    case.saw("POST GET GET GET", rooms=0)


@ways
@pytest.mark.parametrize("committed", [True, False], ids=["committed", "lost"])
async def test_lost_with_no_name(case: Case, way: Way, *, committed: bool) -> None:
    """A room without a name cannot be found: the outcome is unknown at once, after 1 POST."""
    case.server.plays(way.trick if committed else way.trick.uncommitted)
    error = await case.fails(OutcomeUnknownError, create_nameless)
    assert (error.unique_name, len(error.attempts)) == (None, 1)
    case.saw("POST", rooms=committed)


@ways
async def test_lost_for_ever(case: Case, way: Way) -> None:
    """When the look-ups fail as well, nobody knows: 1 POST, 3 look-ups of one attempt each, 1 room."""
    case.server.keeps_playing(way.trick)
    await case.fails(OutcomeUnknownError, create)
    # Where each takes its 15 seconds, there is no time for the third.
    case.saw("POST GET GET" if way.kind is APITimeoutError else "POST GET GET GET", rooms=1)


# --- looking up ---------------------------------------------------------------------------------------------


async def test_when_it_looks(case: Case) -> None:
    """The look-ups come 0.2, 0.7 and 1.7 seconds after the answer was lost."""
    case.server.plays(LOST.uncommitted)
    await case.fails(OutcomeUnknownError, create)
    first, *others = case.server.requests
    assert [asked.at - first.at for asked in others] == pytest.approx([0.2, 0.7, 1.7], abs=0.1)
    assert {asked.path for asked in others} == {"/rooms"}
    assert {asked.query["filter[unique_name]"] for asked in others} == {"Weekly"}
    case.saw("POST GET GET GET")


@pytest.mark.parametrize("looks", [1, 2, 3])
async def test_a_room_that_shows_late(case: Case, looks: int) -> None:
    """It is adopted at the look-up that finds it, the third at the latest."""
    case.server.plays(LOST)
    case.server.plays(*[FOUND_NOTHING] * (looks - 1), on="GET")
    await case.succeeds(create)
    case.saw(" ".join(["POST", *["GET"] * looks]), rooms=1)


FAILED_LOOKS = {
    "500": failing(500),
    "lost": LOST,
    "429": answers(429),
    "HTML": tells(b"<html>"),
    "403": answers(403),
}


@pytest.mark.parametrize("trick", FAILED_LOOKS.values(), ids=FAILED_LOOKS)
async def test_a_look_up_that_fails(case: Case, trick: Trick) -> None:
    """It is not repeated: the next one is due anyway."""
    case.server.plays(LOST)
    case.server.plays(trick, on="GET")
    await case.succeeds(create)
    case.saw("POST GET GET", rooms=1)


async def test_one_of_the_same_name_from_before(case: Case) -> None:
    """A room that is older than the call is not ours."""
    case.server.ledger.names_are_unique = False
    case.server.ledger.seed(unique_name="Weekly", max_participants=7, ago=3600)
    case.server.plays(LOST.uncommitted)
    error = await case.fails(OutcomeUnknownError, create)
    assert error.room_ids == ()
    case.saw("POST GET GET GET", rooms=0)


@pytest.mark.parametrize(("skew", "adopted"), [(4, True), (-4, True), (60, False), (-60, False)])
async def test_clocks_that_differ(case: Case, skew: int, *, adopted: bool) -> None:
    """Of a server that sends no ``Date`` the clock may be 5 seconds off ours, not more."""
    case.server.ledger.now = lambda: case.time.now() + skew
    case.server.plays(LOST)
    if adopted:
        await case.succeeds(create)
        case.saw("POST GET", rooms=1)
    else:
        await case.fails(OutcomeUnknownError, create)
        case.saw("POST GET GET GET", rooms=1)


SKEWS = {"a day behind": -86_400, "30 s behind": -30, "30 s ahead": 30, "a year ahead": 365 * 86_400}
skews = pytest.mark.parametrize("skew", SKEWS.values(), ids=SKEWS)


def skewed(case: Case, skew: int) -> Trick:
    """Set the server's clock, and return the trick that answers honestly with its ``Date``."""
    case.server.ledger.now = lambda: case.time.now() + skew
    return dated(lambda: formatdate(case.server.ledger.now(), usegmt=True))


@skews
async def test_the_server_s_date_counts(case: Case, skew: int) -> None:
    """A room is known by the server's own clock, however far that is off."""
    case.server.keeps_playing(skewed(case, skew), on="GET")
    case.server.plays(LOST)
    await case.succeeds(create)
    case.saw("POST GET", rooms=1)


@skews
@pytest.mark.parametrize("date", [None, "soon", "Wed, 32 Oct 2015 07:28:00 GMT", "\xff", ""])
async def test_an_earlier_date_counts_as_well(case: Case, skew: int, date: str | None) -> None:
    """When the look-up is answered without a ``Date`` that can be read, that of an earlier answer counts."""
    case.server.plays(skewed(case, skew))
    assert (await case.succeeds(read)).id == HEALTHY
    await case.time.sleep(60)
    case.server.plays(LOST)
    if date is not None:
        case.server.keeps_playing(dated(lambda: date), on="GET")
    await case.succeeds(create)
    case.saw("GET POST GET", rooms=1)


@pytest.mark.parametrize("date", ["soon", "Wed, 32 Oct 2015 07:28:00 GMT", "\xff", "", "9" * 400])
async def test_a_date_that_cannot_be_read(case: Case, date: str) -> None:
    """It is ignored: our own clock counts."""
    case.server.keeps_playing(dated(lambda: date), on="GET")
    case.server.plays(LOST)
    await case.succeeds(create)
    case.saw("POST GET", rooms=1)


async def test_one_that_only_our_clock_takes_for_new(case: Case) -> None:
    """A room from before is not ours, though our clock, an hour behind, says that it was made right now."""
    case.server.ledger.names_are_unique = False
    case.server.keeps_playing(skewed(case, 3600), on="GET")
    case.server.ledger.seed(unique_name="Weekly", max_participants=7, ago=3600)
    case.server.plays(LOST.uncommitted)
    await case.fails(OutcomeUnknownError, create)
    case.saw("POST GET GET GET", rooms=0)


def is_similar(name: object, wanted: str) -> bool:
    """Match as a server does that looks for a part of the name, and knows no case."""
    return wanted.casefold() in str(name).casefold()


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("count", [249, 250, 600])
async def test_among_many_similar_names(case: Case, count: int, *, newest_first: bool) -> None:
    """All pages of the filter's answer are read, wherever the room is."""
    ledger = case.server.ledger
    ledger.is_match, ledger.newest_first = is_similar, newest_first
    for number in range(count):
        ledger.seed(unique_name=f"weekly {number}", max_participants=7)
    case.server.plays(LOST)
    room = await case.succeeds(create)
    assert room.unique_name == "Weekly"
    case.saw(" ".join(["POST", *["GET"] * (count // 250 + 1)]), rooms=1)


async def test_found_on_pages_that_do_not_add_up(case: Case) -> None:
    """A room that was found is there, though the server answers with the same page for ever."""
    case.server.ledger.tells = lambda meta: {**meta, "page_number": 1, "total_pages": 3, "total_results": 700}
    case.server.ledger.is_match = lambda *_: True
    case.server.keeps_playing(reshaped(lambda told: {**told, "data": case.server.ledger.rooms}), on="GET")
    case.server.plays(LOST)
    await case.succeeds(create)
    case.saw_at_most(7, rooms=1)


async def test_pages_that_do_not_add_up(case: Case) -> None:
    """A look-up that meets them has failed: the next one finds the room."""
    case.server.plays(LOST)
    told = {"data": [], "meta": {"total_results": 3, "total_pages": 1}}
    case.server.plays(*[answers(200, told)] * 3, on="GET")
    await case.succeeds(create)
    case.saw("POST GET GET GET GET", rooms=1)


OTHERS: dict[str, dict[str, object]] = {
    "another number of participants": {"max_participants": 8},
    "another case of the name": {"unique_name": "weekly"},
}


@pytest.mark.parametrize("fields", OTHERS.values(), ids=OTHERS)
async def test_one_with_other_settings(case: Case, fields: dict[str, object]) -> None:
    """A room that is not what was asked for is not adopted."""
    told: dict[str, Any] = {"unique_name": "Weekly", "max_participants": 7} | fields
    alien = case.server.ledger.seed(**told)
    page = {"data": alien, "meta": {"total_results": 1, "total_pages": 1, "page_number": 1}}
    case.server.plays(LOST.uncommitted)
    case.server.keeps_playing(says(http(200, page), "keep"), on="GET")
    await case.fails(OutcomeUnknownError, create)
    case.saw("POST GET GET GET", rooms=0)


async def test_twins(case: Case) -> None:
    """When two rooms fit, neither is chosen and none deleted: the error names both."""
    case.server.ledger.names_are_unique = False
    twin = case.server.ledger.seed(unique_name="Weekly", max_participants=7)[0]
    case.server.plays(LOST)
    error = await case.fails(OutcomeUnknownError, create)
    assert set(error.room_ids) == set(case.server.ledger.ids)
    assert twin["id"] in error.room_ids
    assert all(str(each) in str(error) for each in error.room_ids)
    case.saw("POST GET", rooms=1)


async def test_the_deadline_bounds_the_look_ups(case: Case) -> None:
    """None is begun that would be too late: the call ends in its time."""
    case.server.plays(HANGS.uncommitted)
    case.uses(timeout=2, attempt_timeout=1.5)
    await case.fails(OutcomeUnknownError, create)
    case.saw("POST GET", rooms=0)


async def test_a_look_up_that_hangs(case: Case) -> None:
    """It too is over when the call's time is."""
    case.server.plays(LOST)
    case.server.keeps_playing(HANGS, on="GET")
    case.uses(timeout=3)
    await case.fails(OutcomeUnknownError, create)
    case.saw_at_most(4, rooms=1)


# --- other modes --------------------------------------------------------------------------------------------


async def test_resend_when_it_never_arrived(case: Case) -> None:
    """It is sent once more when three look-ups have found nothing."""
    case.server.plays(LOST.uncommitted)
    await case.succeeds(create_or_resend)
    case.saw("POST GET GET GET POST", rooms=1)


async def test_resend_when_it_shows_too_late(case: Case) -> None:
    """A name that is taken means that the first has landed: it is looked up and returned."""
    case.server.plays(LOST)
    case.server.plays(*[FOUND_NOTHING] * 3, on="GET")
    room = await case.succeeds(create_or_resend)
    assert [room.id] == case.server.ledger.ids
    case.saw("POST GET GET GET POST GET", rooms=1)


async def test_resend_when_it_is_found(case: Case) -> None:
    """It is not sent again."""
    case.server.plays(LOST)
    await case.succeeds(create_or_resend)
    case.saw("POST GET", rooms=1)


async def test_resend_lost_again(case: Case) -> None:
    """It is not sent a third time."""
    case.server.keeps_playing(LOST.uncommitted)
    await case.fails(OutcomeUnknownError, create_or_resend)
    case.counted = True
    assert case.server.methods.count("POST") == 2
    assert case.server.ledger.made == 0


@pytest.mark.parametrize("committed", [True, False], ids=["committed", "lost"])
async def test_raise(case: Case, *, committed: bool) -> None:
    """Nothing is looked up."""
    case.server.plays(LOST if committed else LOST.uncommitted)
    error = await case.fails(OutcomeUnknownError, create_without_look_up)
    assert (error.unique_name, len(error.attempts)) == ("Weekly", 1)
    case.saw("POST", rooms=committed)


async def test_another_mode(case: Case) -> None:
    """A mode that does not exist is refused before anything is sent."""

    async def wrongly(client: RoomsClient) -> Room:
        return await client.rooms.create(on_lost_response="retry")  # type: ignore[arg-type]  # wrong on purpose

    await case.fails(InvalidArgumentError, wrongly)
    case.saw("")


# --- what was certainly not carried out ---------------------------------------------------------------------

TURNED_AWAY = {
    "429": answers(429),
    "429 with a hint": answers(429, Retry_After="2"),
}


@pytest.mark.parametrize("trick", TURNED_AWAY.values(), ids=TURNED_AWAY)
@pytest.mark.parametrize("deed", [create, create_nameless], ids=lambda deed: deed.__name__)
async def test_turned_away_once(case: Case, trick: Trick, deed: Any) -> None:
    """It is sent again, name or none: no room was made."""
    case.server.plays(trick)
    await case.succeeds(deed)
    case.saw("POST POST", rooms=1)


def unavailable(hint: str = "2") -> Trick:
    """Answer as a gateway does that has given up, though all was done."""
    return says(http(503, Retry_After=hint), "keep")


modes = pytest.mark.parametrize("deed", [create, create_or_resend], ids=["find", "find_then_resend"])


@modes
async def test_503_with_retry_after_and_committed(case: Case, deed: Any) -> None:
    """It proves nothing: the room is looked for when the pause is over, and returned."""
    case.server.plays(unavailable())
    room = await case.succeeds(deed)
    assert [room.id] == case.server.ledger.ids
    first, second = case.server.requests
    assert 2 <= second.at - first.at <= 4
    case.saw("POST GET", rooms=1)


@modes
async def test_503_with_retry_after_and_not_committed(case: Case, deed: Any) -> None:
    """After one look-up that finds nothing it is sent once more: the name protects from a second room."""
    case.server.plays(unavailable().uncommitted)
    await case.succeeds(deed)
    case.saw("POST GET POST", rooms=1)


@modes
async def test_503_with_retry_after_and_committed_late(case: Case, deed: Any) -> None:
    """A name that is taken then is that of our own room: it is looked up and returned."""
    case.server.plays(unavailable())
    case.server.plays(FOUND_NOTHING, on="GET")
    room = await case.succeeds(deed)
    assert [room.id] == case.server.ledger.ids
    case.saw("POST GET POST GET", rooms=1)


@modes
async def test_503_with_retry_after_twice(case: Case, deed: Any) -> None:
    """It is not sent a third time."""
    case.server.keeps_playing(unavailable().uncommitted, on="POST")
    await case.fails(OutcomeUnknownError, deed)
    case.saw("POST GET POST GET GET GET", rooms=0)


async def test_503_with_retry_after_and_a_name_that_another_has(case: Case) -> None:
    """It is the refusal that it would have been."""
    case.server.ledger.seed(unique_name="Weekly", ago=3600)
    case.server.plays(unavailable().uncommitted)
    await case.fails(NameTakenError, create)
    case.counted = True
    assert case.server.ledger.made == 0


@pytest.mark.parametrize("committed", [True, False], ids=["committed", "lost"])
@pytest.mark.parametrize("deed", [create_nameless, create_without_look_up], ids=lambda deed: deed.__name__)
async def test_503_with_retry_after_and_no_look_up(case: Case, deed: Any, *, committed: bool) -> None:
    """Without a name, or with ``on_lost_response="raise"``, the outcome is unknown after 1 POST."""
    case.server.plays(unavailable() if committed else unavailable().uncommitted)
    error = await case.fails(OutcomeUnknownError, deed)
    assert [attempt.sent for attempt in error.attempts] == [True]
    case.saw("POST", rooms=committed)


@pytest.mark.parametrize("hint", ["3600", "61", "soon", "-1"])
async def test_503_with_a_hint_that_cannot_be_followed(case: Case, hint: str) -> None:
    """It is an unknown outcome as any other: it is looked for, and not sent again."""
    case.server.plays(unavailable(hint).uncommitted)
    await case.fails(OutcomeUnknownError, create)
    case.saw("POST GET GET GET", rooms=0)


async def test_503_with_a_hint_beyond_the_deadline(case: Case) -> None:
    """All calls pause for longer than this one has: it ends at once."""
    case.server.plays(unavailable("50").uncommitted)
    await case.fails(OutcomeUnknownError, create)
    assert case.calls[0].seconds < 0.1
    case.rest = 50
    case.saw("POST", rooms=0)


async def test_503_with_retry_after_and_a_policy_of_one_attempt(case: Case) -> None:
    """It is looked for, and not sent again."""
    case.server.plays(unavailable("0").uncommitted)
    case.uses(retry=RetryPolicy(attempts=1))
    await case.fails(OutcomeUnknownError, create)
    case.saw("POST GET GET GET", rooms=0)


async def test_turned_away_for_ever(case: Case) -> None:
    """After 3 tries the server's own answer is raised, not an unknown outcome."""
    case.server.keeps_playing(answers(429))
    await case.fails(RateLimitError, create)
    case.saw("POST POST POST", rooms=0)


async def test_turned_away_and_then_lost(case: Case) -> None:
    """What may have been done is told by the attempt that may have done it."""
    case.server.plays(answers(429), LOST)
    await case.succeeds(create)
    case.saw("POST POST GET", rooms=1)


async def test_a_name_that_is_taken(case: Case) -> None:
    """It is an error of its own, and nothing is looked up."""
    case.server.ledger.seed(unique_name="Weekly", ago=60)
    await case.fails(NameTakenError, create)
    case.saw("POST")


async def test_a_late_answer(case: Case) -> None:
    """An attempt that takes 14 seconds is in time."""
    case.server.plays(late(14))
    await case.succeeds(create)
    case.saw("POST", rooms=1)


async def test_a_policy_of_one_attempt_looks_up_all_the_same(case: Case) -> None:
    """A look-up is no attempt at a create."""
    case.server.plays(LOST)
    case.uses(retry=RetryPolicy(attempts=1))
    await case.succeeds(create)
    case.saw("POST GET", rooms=1)


async def test_what_is_asked_is_asked_the_same(case: Case) -> None:
    """A create that is repeated sends the same bytes: its body is serialised once."""
    seen: list[Asked] = []
    case.server.before = seen.append
    case.server.plays(answers(429), answers(503, Retry_After="1"))
    await case.succeeds(create)
    assert len({(asked.head, asked.body) for asked in seen if asked.method == "POST"}) == 1
    case.saw("POST POST GET POST", rooms=1)


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
    **REPEATED,
    **MALFORMED,
    **TOO_LARGE,
    "503 with Retry-After": evolve(FAILING["503"], trick=unavailable()),
}


@pytest.mark.parametrize("way", once.values(), ids=once)
@pytest.mark.parametrize("deed", [compose, mute, delete_recordings], ids=lambda deed: deed.__name__)
async def test_compositions_and_actions(case: Case, way: Way, deed: Any) -> None:
    """Their outcome is unknown after one request: there is no name to look for."""
    case.server.plays(way.trick)
    error = await case.fails(OutcomeUnknownError, deed)
    assert error.unique_name is None
    case.saw("DELETE" if deed is delete_recordings else "POST")
