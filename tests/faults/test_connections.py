"""Connections that are refused, silent, lost or dead."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

from telnyx_rooms_async import (
    APITimeoutError,
    ConnectError,
    MalformedResponseError,
    OutcomeUnknownError,
    RoomsClient,
)
from tests.helpers.clocks import wait_until
from tests.helpers.fault_case import METHODS, FaultCase, create, delete, ids_of, read, read_and_create
from tests.helpers.fault_server import ServerFault
from tests.helpers.faults import (
    HANG,
    MALFORMED,
    NOT_RETRIED,
    RETRIED,
    ResponseFault,
    respond,
    rewrite_response,
    truncate,
)
from tests.helpers.raw_server import Connection, Then, http_response
from tests.helpers.room_store import HEALTHY_ROOM_ID

Action = Callable[[RoomsClient], Any]

# --- no connection ------------------------------------------------------------------------------------------

refused_at_first = pytest.mark.parametrize("server", ["refused at first"], indirect=True)


async def expect_connect_error(case: FaultCase, action: Action) -> ConnectError:
    """Check that nothing was sent in three attempts."""
    error = await case.expect_error(ConnectError, action)
    assert (error.sent, [attempt.failure for attempt in error.attempts]) == (False, ["connect"] * 3)
    case.expect_requests("", rooms=0)
    return error


@refused_at_first
@pytest.mark.parametrize("action", [read, create, delete, ids_of], ids=lambda action: action.__name__)
async def test_a_refused_connection_is_a_connect_error_after_three_attempts(
    case: FaultCase, action: Action
) -> None:
    await expect_connect_error(case, action)


@refused_at_first
async def test_a_create_is_retried_when_the_connection_was_refused(case: FaultCase) -> None:
    later = asyncio.create_task(case.server.listen())
    await case.expect_result(create)
    await later
    case.expect_requests("POST", rooms=1)


@read_and_create
async def test_an_unknown_host_is_a_connect_error_after_three_attempts(
    case: FaultCase, action: Action, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = socket.getaddrinfo
    known = False

    def look_up(host: str, *args: Any, **options: Any) -> Any:
        if not known and host == "telnyx.localhost":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve("127.0.0.1", *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    case.new_client(base_url=f"http://telnyx.localhost:{case.server.port}/v2", allow_insecure=True)
    await expect_connect_error(case, action)
    known = True


@refused_at_first
@read_and_create
@pytest.mark.parametrize(("attempt_timeout", "elapsed"), [(15, 5), (2, 1.8)])
async def test_a_connect_timeout_is_a_connect_error_after_three_attempts(
    case: FaultCase, action: Action, attempt_timeout: float, elapsed: float
) -> None:
    case.new_client(attempt_timeout=attempt_timeout)
    with case.server.unanswered_connections():
        error = await expect_connect_error(case, action)
    assert all(attempt.elapsed == pytest.approx(elapsed, abs=0.01) for attempt in error.attempts)


# --- no response --------------------------------------------------------------------------------------------

retried_faults = pytest.mark.parametrize("response_fault", RETRIED.values(), ids=RETRIED)


@retried_faults
async def test_a_read_is_retried_and_fails_after_three_attempts(
    case: FaultCase, response_fault: ResponseFault
) -> None:
    case.server.inject(response_fault.fault)
    assert (await case.expect_result(read)).unique_name == "Healthy"
    case.expect_requests("GET GET")
    case.server.inject_always(response_fault.fault)
    error: Any = await case.expect_error(response_fault.error, read)
    assert len(error.attempts) == 3
    case.expect_requests("GET GET GET GET GET")


@pytest.mark.parametrize("response_fault", NOT_RETRIED.values(), ids=NOT_RETRIED)
async def test_a_read_is_not_retried_after_a_final_failure(
    case: FaultCase, response_fault: ResponseFault
) -> None:
    case.server.inject(response_fault.fault)
    error: Any = await case.expect_error(response_fault.error, read)
    assert len(error.attempts) == 1
    case.expect_requests("GET")


@pytest.mark.parametrize("response_fault", MALFORMED.values(), ids=MALFORMED)
async def test_a_connection_with_a_malformed_response_is_not_used_again(
    case: FaultCase, response_fault: ResponseFault
) -> None:
    case.server.inject(response_fault.fault)
    await case.expect_error(MalformedResponseError, read)
    await case.expect_result(read)
    assert [request.connection for request in case.server.requests] == [1, 2]
    case.expect_requests("GET GET")


async def update(client: RoomsClient) -> Any:
    return await client.rooms.update(HEALTHY_ROOM_ID, max_participants=3)


async def make_token(client: RoomsClient) -> Any:
    return await client.tokens.create(HEALTHY_ROOM_ID)


REPEATED: dict[Action, str] = {delete: "DELETE DELETE", update: "PATCH PATCH", make_token: "POST POST"}


@pytest.mark.parametrize("fault", [truncate("before"), truncate("headers", "reset"), HANG, respond(503)])
@pytest.mark.parametrize("action", REPEATED, ids=lambda action: action.__name__)
async def test_idempotent_operations_are_repeated_with_the_same_bytes(
    case: FaultCase, fault: ServerFault, action: Action
) -> None:
    case.server.store.seed()
    case.server.inject(fault)
    await case.expect_result(action)  # of a delete also when the second attempt finds nothing
    first, second = case.server.requests
    assert (first.method, first.target, first.body) == (second.method, second.target, second.body)
    assert case.server.store.ids == ([] if action is delete else ["00000000-0000-0000-0000-000000000001"])
    case.expect_requests(REPEATED[action])


async def test_a_call_without_a_free_connection_ends_at_its_deadline_unsent(case: FaultCase) -> None:
    case.server.inject(HANG)
    case.new_client(max_connections=1)
    busy = asyncio.create_task(read(case.client))
    await wait_until(lambda: bool(case.server.requests))
    view = case.client.with_options(timeout=3)
    case.client, client = view, case.client
    error = await case.expect_error(APITimeoutError, create)
    assert (error.sent, error.deadline, error.attempts) == (False, True, ())
    case.client = client
    busy.cancel()
    with pytest.raises(asyncio.CancelledError):
        await busy
    case.expect_requests("GET")


async def test_a_read_times_out_when_the_server_never_reads(case: FaultCase) -> None:
    case.server.unread_connections = 9
    error = await case.expect_error(APITimeoutError, read)
    assert (error.sent, len(error.attempts), case.server.connections) == (True, 3, 3)
    case.expect_requests("")


async def test_a_create_is_unknown_when_the_server_never_reads(case: FaultCase) -> None:
    case.server.unread_connections = 1
    await case.expect_error(OutcomeUnknownError, create)
    case.expect_requests("GET GET GET", rooms=0)


async def test_a_timeout_says_whether_the_deadline_passed(case: FaultCase) -> None:
    case.server.inject_always(HANG)
    case.new_client(timeout=30, attempt_timeout=2)
    assert (await case.expect_error(APITimeoutError, read)).deadline is False
    case.expect_requests("GET GET GET")
    case.new_client(timeout=2, attempt_timeout=30)
    assert (await case.expect_error(APITimeoutError, read)).deadline is True
    case.expect_requests("GET GET GET GET")


# --- kept-alive connections ---------------------------------------------------------------------------------


@pytest.mark.parametrize("then", ["close", "reset"])
async def test_a_dead_idle_connection_costs_a_read_one_request_more(case: FaultCase, then: Then) -> None:
    await case.expect_result(read)
    case.server.inject(truncate("before", then))
    await case.expect_result(read)
    case.expect_requests("GET GET GET")
    assert case.server.connections == 2


@pytest.mark.parametrize("then", ["close", "reset"])
async def test_a_dead_idle_connection_makes_at_most_one_room(case: FaultCase, then: Then) -> None:
    await case.expect_result(read)
    case.server.inject(truncate("before", then).uncommitted)
    await case.expect_error(OutcomeUnknownError, create)
    case.expect_requests("GET POST GET GET GET", rooms=0)


async def test_a_connection_closed_while_idle_is_not_reused(case: FaultCase) -> None:
    case.server.inject(rewrite_response(lambda response: response, "close"))
    await case.expect_result(read)
    await case.clock.sleep(0.1)
    await case.expect_result(create)
    case.expect_requests("GET POST", rooms=1)


@read_and_create
async def test_a_response_after_a_101_is_not_that_of_the_next_request(
    case: FaultCase, action: Action
) -> None:
    async def respond_late(connection: Connection, response: bytes) -> bool:
        await connection.send(b"HTTP/1.1 101 Switch\r\n\r\n")
        await case.clock.sleep(0.1)
        return await connection.send(http_response(200, {"data": {"id": "another-room"}}))

    case.server.inject(ServerFault(respond_late))
    await case.expect_error(MalformedResponseError, read)
    room = await case.expect_result(action)
    assert room.id in (HEALTHY_ROOM_ID, *case.server.store.ids)
    case.expect_requests(f"GET {METHODS[action]}", rooms=action is create)


@read_and_create
async def test_a_response_without_a_request_is_not_that_of_the_next_request(
    case: FaultCase, action: Action
) -> None:
    async def respond_twice(connection: Connection, response: bytes) -> bool:
        await connection.send(response)
        await case.clock.sleep(0.1)
        return await connection.send(http_response(201, {"data": {"id": "another-room"}}))

    case.server.inject(ServerFault(respond_twice))
    await case.expect_result(read)
    await case.clock.sleep(0.2)
    room = await case.expect_result(action)
    assert room.id in (HEALTHY_ROOM_ID, *case.server.store.ids)
    assert case.server.connections == 2
    case.expect_requests(f"GET {METHODS[action]}", rooms=action is create)
