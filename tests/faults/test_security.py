"""Secrets: the key, tokens and presigned links, looked for in all that a client says of its work."""

import io
import pickle
from typing import Any

import aiohttp
import pytest

from telnyx_rooms_async import (
    APIResponseValidationError,
    Attempt,
    ClientToken,
    OutcomeUnknownError,
    RoomsClient,
    TelnyxRoomsError,
)
from tests.helpers.case import Case, create, read
from tests.helpers.invariants import check_secrets
from tests.helpers.ledger import CANARY_KEY, CANARY_REFRESH, CANARY_SIGNATURE, CANARY_TOKEN
from tests.helpers.tricks import answers, says, tells, when
from tests.helpers.ways import WAYS, Way, changed, reshaped

ways = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


async def make_token(client: RoomsClient) -> ClientToken:
    """Make a token to join with."""
    return await client.tokens.create("a-room")


async def refresh_token(client: RoomsClient) -> object:
    """Send the refresh token, and get the next."""
    return await client.tokens.refresh("a-room", CANARY_REFRESH)


async def look_at_recording(client: RoomsClient) -> object:
    """Get a presigned link."""
    return await client.recordings.retrieve("a-recording")


async def download(client: RoomsClient) -> object:
    """Follow a presigned link."""
    return await client.recordings.download("a-recording", io.BytesIO())


METHODS: dict[Any, str] = {
    make_token: "POST",
    refresh_token: "POST",
    look_at_recording: "GET",
    download: "GET GET",
}
secretive = pytest.mark.parametrize("deed", METHODS, ids=lambda deed: deed.__name__)


@secretive
async def test_what_is_returned(case: Case, deed: Any) -> None:
    """The secret is there to be used, and in no repr."""
    answer = await case.succeeds(deed)
    if deed is make_token:
        assert (answer.token, answer.refresh_token) == (CANARY_TOKEN, CANARY_REFRESH)
    check_secrets(f"{answer!r} {answer}")
    case.saw(METHODS[deed])


@ways
@secretive
async def test_what_goes_wrong(case: Case, way: Way, deed: Any) -> None:
    """However an answer with a secret in it is lost or spoilt, no error and no log record shows it."""
    case.server.keeps_playing(way.trick)
    try:
        case.answers.append(await deed(case.client))
    except TelnyxRoomsError as error:
        case.errors.append(error)
    case.saw_at_most(6 if deed is download else 3)


SPOILT = {
    "a number for the token": changed(token=7),
    "no expiry": changed(token_expires_at=CANARY_TOKEN),
    "a list of tokens": changed(token=[CANARY_TOKEN]),
    "a number for the link": changed(download_url=7, status=[CANARY_SIGNATURE]),
    "a link as the id": changed(id=[CANARY_SIGNATURE]),
    "names that are secrets": reshaped(lambda told: {"data": {CANARY_TOKEN: told["data"]}}),
}


@pytest.mark.parametrize("trick", SPOILT.values(), ids=SPOILT)
@pytest.mark.parametrize(
    "deed", [make_token, refresh_token, look_at_recording], ids=lambda deed: deed.__name__
)
async def test_misfits_beside_secrets(case: Case, trick: Any, deed: Any) -> None:
    """The path of a misfit is told, and not the value."""
    case.server.plays(trick)
    try:
        case.answers.append(await deed(case.client))
    except APIResponseValidationError as error:
        case.errors.append(error)
    case.saw(METHODS[deed])


async def test_the_key_is_not_sent_to_a_link(case: Case) -> None:
    """A download goes without the Authorization header, and the API's calls with it."""
    await case.succeeds(download)
    api, store = case.server.requests
    assert f"Authorization: Bearer {CANARY_KEY}".encode() in api.head
    assert b"authorization" not in store.head.lower()
    assert CANARY_KEY.encode() not in store.head
    case.saw("GET GET")


LINKS = {
    "expired": answers(403, f"<Error>{CANARY_SIGNATURE}</Error>".encode()),
    "moved": answers(302, Location=f"https://example.com/?signature={CANARY_SIGNATURE}"),
    "failing": answers(500),
    "lost": says(b""),
    "malformed": says(f"garbage {CANARY_SIGNATURE}\r\n\r\n".encode()),
    "cut": says(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nthe"),
}


@pytest.mark.parametrize("trick", LINKS.values(), ids=LINKS)
async def test_a_link_that_does_not_work(case: Case, trick: Any) -> None:
    """Neither the link nor the key is in the error."""
    case.server.keeps_playing(when(case.server, lambda asked: asked.path.startswith("/files"), trick))
    try:
        await download(case.client)
    except TelnyxRoomsError as error:
        case.errors.append(error)
    else:
        raise AssertionError("it should not have worked")
    case.saw_at_most(12)


async def test_what_the_hook_is_told(case: Case) -> None:
    """An attempt is metadata only: it can be kept, printed and pickled."""
    attempts: list[Attempt] = []
    case.uses(on_attempt=attempts.append)
    case.server.plays(answers(503, Retry_After="1", X_Request_Id="req-7"), answers(429))
    await case.succeeds(make_token)
    assert [attempt.status for attempt in attempts] == [503, 429, 201]
    assert [attempt.number for attempt in attempts] == [1, 2, 3]
    assert attempts[0].request_id == "req-7"
    check_secrets(repr(attempts) + pickle.dumps(attempts).decode("latin-1"))
    case.saw("POST POST POST")


async def test_a_hook_that_fails(case: Case) -> None:
    """What it raises is logged, and a room is not lost to it."""

    def fail(attempt: Attempt) -> None:
        raise ValueError(attempt.operation)

    case.uses(on_attempt=fail)
    await case.succeeds(create)
    assert any("on_attempt" in record.getMessage() for record in case.records)
    case.saw("POST", rooms=1)


async def test_what_is_logged(case: Case) -> None:
    """A line an attempt: method, path template, status, no id, no query and no name."""
    case.server.plays(answers(503), says(b"").uncommitted, on="GET")
    await case.succeeds(lambda client: client.rooms.list(unique_name="Healthy").count())
    case.server.plays(says(b""), on="POST")
    await case.succeeds(create)
    lines = [record.getMessage() for record in case.records if record.name.startswith("telnyx_rooms_async")]
    assert sum(line.startswith("GET /rooms: attempt") for line in lines) == 4
    assert sum(line.startswith("POST /rooms: attempt") for line in lines) == 1
    assert not any("Healthy" in line or "Weekly" in line or "page" in line for line in lines)
    case.saw("GET GET GET POST GET", rooms=1)


async def test_a_client_is_not_pickled(case: Case) -> None:
    """Nothing that holds the key can be pickled by mistake."""
    for it in (case.client, case.client.rooms, case.client.rooms.list(), case.client.with_options(timeout=1)):
        with pytest.raises(TypeError):
            pickle.dumps(it)
    case.saw("")


async def test_a_borrowed_session(case: Case) -> None:
    """It never learns the key, and is left open."""
    session = aiohttp.ClientSession()
    case.lent.append(session)
    case.uses(session=session)
    await case.succeeds(read)
    await case.client.close()
    assert not session.closed
    check_secrets(repr(session.headers) + repr(vars(session)))
    case.past_healing = "the client is closed"
    case.saw("GET")


async def test_an_unknown_outcome_does_not_show_its_room(case: Case) -> None:
    """What the look-ups have read is no part of the error."""
    case.server.plays(says(b"").uncommitted)
    alien = case.server.ledger.seed(unique_name="Weekly", max_participants=9)
    assert alien
    case.server.ledger.names_are_unique = False
    await case.fails(OutcomeUnknownError, create)
    case.saw("POST GET GET GET")


async def test_an_answer_that_echoes_the_key(case: Case) -> None:
    """A server that sends back what it was sent makes no error show it."""
    echo = f'{{"errors":[{{"title":"Bad key","detail":"Bearer {CANARY_KEY} is not known"}}]}}'.encode()
    case.server.keeps_playing(answers(401, echo), on="GET")
    case.server.keeps_playing(tells(f"<html>Bearer {CANARY_KEY}</html>".encode()), on="POST")
    for deed in (read, create):
        try:
            await deed(case.client)
        except TelnyxRoomsError as error:
            case.errors.append(error)
    assert len(case.errors) == 2
    case.saw_at_most(5, rooms=1)
