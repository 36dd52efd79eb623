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
from tests.helpers.fault_case import FaultCase, check_secrets, create, read
from tests.helpers.response_faults import RESPONSE_FAULTS, ResponseFault, change_body, change_fields
from tests.helpers.room_store import SECRET_KEY, SECRET_REFRESH_TOKEN, SECRET_SIGNATURE, SECRET_TOKEN
from tests.helpers.server_faults import only_when, replace_body, respond, send_raw

ways = pytest.mark.parametrize("response_fault", RESPONSE_FAULTS.values(), ids=RESPONSE_FAULTS)


async def make_token(client: RoomsClient) -> ClientToken:
    """Make a token to join with."""
    return await client.tokens.create("a-room")


async def refresh_token(client: RoomsClient) -> object:
    """Send the refresh token, and get the next."""
    return await client.tokens.refresh("a-room", SECRET_REFRESH_TOKEN)


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
secretive = pytest.mark.parametrize("action", METHODS, ids=lambda action: action.__name__)


@secretive
async def test_what_is_returned(case: FaultCase, action: Any) -> None:
    """The secret is there to be used, and in no repr."""
    answer = await case.expect_result(action)
    if action is make_token:
        assert (answer.token, answer.refresh_token) == (SECRET_TOKEN, SECRET_REFRESH_TOKEN)
    check_secrets(f"{answer!r} {answer}")
    case.expect_requests(METHODS[action])


@ways
@secretive
async def test_what_goes_wrong(case: FaultCase, response_fault: ResponseFault, action: Any) -> None:
    """However an answer with a secret in it is lost or spoilt, no error and no log record shows it."""
    case.server.inject_always(response_fault.fault)
    try:
        case.results.append(await action(case.client))
    except TelnyxRoomsError as error:
        case.errors.append(error)
    case.expect_at_most(6 if action is download else 3)


SPOILT = {
    "a number for the token": change_fields(token=7),
    "no expiry": change_fields(token_expires_at=SECRET_TOKEN),
    "a list of tokens": change_fields(token=[SECRET_TOKEN]),
    "a number for the link": change_fields(download_url=7, status=[SECRET_SIGNATURE]),
    "a link as the id": change_fields(id=[SECRET_SIGNATURE]),
    "names that are secrets": change_body(lambda told: {"data": {SECRET_TOKEN: told["data"]}}),
}


@pytest.mark.parametrize("fault", SPOILT.values(), ids=SPOILT)
@pytest.mark.parametrize(
    "action", [make_token, refresh_token, look_at_recording], ids=lambda action: action.__name__
)
async def test_misfits_beside_secrets(case: FaultCase, fault: Any, action: Any) -> None:
    """The path of a misfit is told, and not the value."""
    case.server.inject(fault)
    try:
        case.results.append(await action(case.client))
    except APIResponseValidationError as error:
        case.errors.append(error)
    case.expect_requests(METHODS[action])


async def test_the_key_is_not_sent_to_a_link(case: FaultCase) -> None:
    """A download goes without the Authorization header, and the API's calls with it."""
    await case.expect_result(download)
    api, store = case.server.requests
    assert f"Authorization: Bearer {SECRET_KEY}".encode() in api.head
    assert b"authorization" not in store.head.lower()
    assert SECRET_KEY.encode() not in store.head
    case.expect_requests("GET GET")


LINKS = {
    "expired": respond(403, f"<Error>{SECRET_SIGNATURE}</Error>".encode()),
    "moved": respond(302, Location=f"https://example.com/?signature={SECRET_SIGNATURE}"),
    "failing": respond(500),
    "lost": send_raw(b""),
    "malformed": send_raw(f"garbage {SECRET_SIGNATURE}\r\n\r\n".encode()),
    "cut": send_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nthe"),
}


@pytest.mark.parametrize("fault", LINKS.values(), ids=LINKS)
async def test_a_link_that_does_not_work(case: FaultCase, fault: Any) -> None:
    """Neither the link nor the key is in the error."""
    case.server.inject_always(
        only_when(case.server, lambda request: request.path.startswith("/files"), fault)
    )
    try:
        await download(case.client)
    except TelnyxRoomsError as error:
        case.errors.append(error)
    else:
        raise AssertionError("it should not have worked")
    case.expect_at_most(12)


async def test_what_the_hook_is_told(case: FaultCase) -> None:
    """An attempt is metadata only: it can be kept, printed and pickled."""
    attempts: list[Attempt] = []
    case.new_client(on_attempt=attempts.append)
    case.server.inject(respond(503, Retry_After="1", X_Request_Id="req-7"), respond(429))
    await case.expect_result(make_token)
    assert [attempt.status for attempt in attempts] == [503, 429, 201]
    assert [attempt.number for attempt in attempts] == [1, 2, 3]
    assert attempts[0].request_id == "req-7"
    check_secrets(repr(attempts) + pickle.dumps(attempts).decode("latin-1"))
    case.expect_requests("POST POST POST")


async def test_a_hook_that_fails(case: FaultCase) -> None:
    """What it raises is logged, and a room is not lost to it."""

    def fail(attempt: Attempt) -> None:
        raise ValueError(attempt.operation)

    case.new_client(on_attempt=fail)
    await case.expect_result(create)
    assert any("on_attempt" in record.getMessage() for record in case.records)
    case.expect_requests("POST", rooms=1)


async def test_what_is_logged(case: FaultCase) -> None:
    """A line an attempt: method, path template, status, no id, no query and no name."""
    case.server.inject(respond(503), send_raw(b"").uncommitted, on="GET")
    await case.expect_result(lambda client: client.rooms.list(unique_name="Healthy").count())
    case.server.inject(send_raw(b""), on="POST")
    await case.expect_result(create)
    lines = [record.getMessage() for record in case.records if record.name.startswith("telnyx_rooms_async")]
    assert sum(line.startswith("GET /rooms: attempt") for line in lines) == 4
    assert sum(line.startswith("POST /rooms: attempt") for line in lines) == 1
    assert not any("Healthy" in line or "Weekly" in line or "page" in line for line in lines)
    case.expect_requests("GET GET GET POST GET", rooms=1)


async def test_a_client_is_not_pickled(case: FaultCase) -> None:
    """Nothing that holds the key can be pickled by mistake."""
    for it in (case.client, case.client.rooms, case.client.rooms.list(), case.client.with_options(timeout=1)):
        with pytest.raises(TypeError):
            pickle.dumps(it)
    case.expect_requests("")


async def test_a_borrowed_session(case: FaultCase) -> None:
    """It never learns the key, and is left open."""
    session = aiohttp.ClientSession()
    case.borrowed_sessions.append(session)
    case.new_client(session=session)
    await case.expect_result(read)
    await case.client.close()
    assert not session.closed
    check_secrets(repr(session.headers) + repr(vars(session)))
    case.no_recovery_reason = "the client is closed"
    case.expect_requests("GET")


async def test_an_unknown_outcome_does_not_show_its_room(case: FaultCase) -> None:
    """What the look-ups have read is no part of the error."""
    case.server.inject(send_raw(b"").uncommitted)
    alien = case.server.store.seed(unique_name="Weekly", max_participants=9)
    assert alien
    case.server.store.names_are_unique = False
    await case.expect_error(OutcomeUnknownError, create)
    case.expect_requests("POST GET GET GET")


async def test_an_answer_that_echoes_the_key(case: FaultCase) -> None:
    """A server that sends back what it was sent makes no error show it."""
    echo = f'{{"errors":[{{"title":"Bad key","detail":"Bearer {SECRET_KEY} is not known"}}]}}'.encode()
    case.server.inject_always(respond(401, echo), on="GET")
    case.server.inject_always(replace_body(f"<html>Bearer {SECRET_KEY}</html>".encode()), on="POST")
    for action in (read, create):
        try:
            await action(case.client)
        except TelnyxRoomsError as error:
            case.errors.append(error)
    assert len(case.errors) == 2
    case.expect_at_most(5, rooms=1)
