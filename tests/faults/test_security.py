"""The API key, tokens and presigned URLs appear in no error, repr or log record."""

import pickle

import pytest

from telnyx_rooms_async import Attempt, ClientToken, RoomsClient
from tests.helpers.fault_case import FaultCase, check_secrets, create, read
from tests.helpers.faults import insert_header, respond, send_raw


async def make_token(client: RoomsClient) -> ClientToken:
    return await client.tokens.create("a-room")


async def test_cookies_are_not_stored(case: FaultCase) -> None:
    case.new_client(base_url=f"http://localhost:{case.server.port}/v2")  # an address has no cookies
    case.server.inject(insert_header(b"Set-Cookie: session=1; Path=/", "keep"))
    for _ in range(2):
        await case.expect_result(read)
    assert b"\r\ncookie:" not in case.server.requests[1].head.lower()
    case.expect_requests("GET GET")


async def test_attempts_of_the_hook_contain_no_secret(case: FaultCase) -> None:
    attempts: list[Attempt] = []
    case.new_client(on_attempt=attempts.append)
    case.server.inject(respond(503, Retry_After="1", X_Request_Id="req-7"), respond(429))
    await case.expect_result(make_token)
    assert [attempt.status for attempt in attempts] == [503, 429, 201]
    assert [attempt.number for attempt in attempts] == [1, 2, 3]
    assert attempts[0].request_id == "req-7"
    check_secrets(repr(attempts) + pickle.dumps(attempts).decode("latin-1"))
    case.expect_requests("POST POST POST")


async def test_one_line_an_attempt_is_logged_without_names_or_ids(
    case: FaultCase, caplog: pytest.LogCaptureFixture
) -> None:
    case.server.inject(respond(503), send_raw(b"").uncommitted, on="GET")
    await case.expect_result(lambda client: client.rooms.list(unique_name="Healthy").count())
    case.server.inject(send_raw(b""), on="POST")
    await case.expect_result(create)
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("telnyx_rooms_async")]
    assert sum(line.startswith("GET /rooms: attempt") for line in lines) == 4
    assert sum(line.startswith("POST /rooms: attempt") for line in lines) == 1
    assert not any("Healthy" in line or "Weekly" in line or "page" in line for line in lines)
    case.expect_requests("GET GET GET POST GET", rooms=1)
