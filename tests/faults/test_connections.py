"""Connections that are refused, silent, lost or dead."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from telnyx_rooms_async import APITimeoutError, ConnectError, NotFoundError, OutcomeUnknownError, RoomsClient
from tests.helpers.fast_forward import wait_until
from tests.helpers.fault_case import FaultCase, create, delete, ids_of, read
from tests.helpers.response_faults import NOT_RETRIED, RETRIED, ResponseFault
from tests.helpers.room_store import HEALTHY_ROOM_ID
from tests.helpers.server_faults import HANG, Then, respond, rewrite_response, truncate

# --- no connection ------------------------------------------------------------------------------------------


refused_at_first = pytest.mark.parametrize("server", ["refused at first"], indirect=True)


@refused_at_first
@pytest.mark.parametrize("action", [read, create, delete, ids_of], ids=lambda action: action.__name__)
async def test_a_refused_connection_is_a_connect_error_after_three_attempts(
    case: FaultCase, action: Callable[[RoomsClient], Any]
) -> None:
    error = await case.expect_error(ConnectError, action)
    assert (error.sent, [attempt.failure for attempt in error.attempts]) == (False, ["connect"] * 3)
    case.expect_requests("", rooms=0)


@refused_at_first
async def test_a_create_is_retried_when_the_connection_was_refused(case: FaultCase) -> None:
    later = asyncio.create_task(case.server.listen())
    await case.expect_result(create)
    await later
    case.expect_requests("POST", rooms=1)


@pytest.mark.parametrize("action", [read, create], ids=lambda action: action.__name__)
async def test_an_unknown_host_is_a_connect_error_after_three_attempts(
    case: FaultCase, action: Callable[[RoomsClient], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = socket.getaddrinfo

    def unknown(host: str, *args: Any, **options: Any) -> Any:
        if host == "telnyx.localhost":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", unknown)
        case.new_client(base_url=f"http://telnyx.localhost:{case.server.port}/v2", allow_insecure=True)
        error = await case.expect_error(ConnectError, action)
        assert (error.sent, [attempt.failure for attempt in error.attempts]) == (False, ["connect"] * 3)
        case.expect_requests("", rooms=0)
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *args, **options: resolve("127.0.0.1", *args, **options),
    )


@contextmanager
def port_that_never_accepts() -> Iterator[int]:
    """Yield a port whose backlog is full: a SYN is never answered."""
    with (
        closing(socket.socket()) as busy,
        closing(socket.socket()) as first,
        closing(socket.socket()) as second,
    ):
        busy.bind(("127.0.0.1", 0))
        busy.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)  # noqa: FBT003 - it is positional
            waiting.connect_ex(busy.getsockname())
        yield busy.getsockname()[1]


@pytest.mark.parametrize("action", [read, create], ids=lambda action: action.__name__)
async def test_a_connect_timeout_is_a_connect_error_after_three_attempts(
    case: FaultCase, action: Callable[[RoomsClient], Any]
) -> None:
    with port_that_never_accepts() as port:
        case.new_client(base_url=f"http://127.0.0.1:{port}/v2")
        error = await case.expect_error(ConnectError, action)
    assert [attempt.failure for attempt in error.attempts] == ["connect"] * 3
    assert all(attempt.elapsed == pytest.approx(5, abs=0.2) for attempt in error.attempts)
    case.expect_requests("", rooms=0)
    case.new_client()


# --- no response --------------------------------------------------------------------------------------------

retried_faults = pytest.mark.parametrize("response_fault", RETRIED.values(), ids=RETRIED)
final_faults = pytest.mark.parametrize("response_fault", NOT_RETRIED.values(), ids=NOT_RETRIED)


@retried_faults
async def test_a_read_fails_after_three_attempts(case: FaultCase, response_fault: ResponseFault) -> None:
    case.server.inject_always(response_fault.fault)
    error: Any = await case.expect_error(response_fault.error, read)
    assert len(error.attempts) == 3
    case.expect_requests("GET GET GET")


@retried_faults
async def test_a_read_succeeds_with_the_second_attempt(
    case: FaultCase, response_fault: ResponseFault
) -> None:
    case.server.inject(response_fault.fault)
    assert (await case.expect_result(read)).unique_name == "Healthy"
    case.expect_requests("GET GET")


@final_faults
async def test_a_read_is_not_retried_after_a_final_failure(
    case: FaultCase, response_fault: ResponseFault
) -> None:
    case.server.inject(response_fault.fault)
    error: Any = await case.expect_error(response_fault.error, read)
    assert len(error.attempts) == 1
    case.expect_requests("GET")


without_body = {
    name: response_fault
    for name, response_fault in RETRIED.items()
    if not any(word in name for word in ("body", "chunk", "gzip"))
}


@pytest.mark.parametrize("response_fault", without_body.values(), ids=without_body)
async def test_a_delete_succeeds_when_the_second_attempt_finds_nothing(
    case: FaultCase, response_fault: ResponseFault
) -> None:
    case.server.store.seed()
    case.server.inject(response_fault.fault)
    await case.expect_result(delete)
    assert case.server.store.ids == []
    case.expect_requests("DELETE DELETE")


async def update(client: RoomsClient) -> Any:
    """Change a room."""
    return await client.rooms.update(HEALTHY_ROOM_ID, max_participants=3)


async def make_token(client: RoomsClient) -> Any:
    """Make a token."""
    return await client.tokens.create(HEALTHY_ROOM_ID)


@retried_faults
@pytest.mark.parametrize("action", [update, make_token], ids=lambda action: action.__name__)
async def test_updates_and_tokens_are_retried_with_the_same_bytes(
    case: FaultCase, response_fault: ResponseFault, action: Callable[[RoomsClient], Any]
) -> None:
    case.server.inject(response_fault.fault)
    await case.expect_result(action)
    first, second = case.server.requests
    assert (first.method, first.target, first.body) == (second.method, second.target, second.body)
    case.expect_requests("PATCH PATCH" if action is update else "POST POST")


async def test_a_delete_of_nothing_after_429_is_not_found(case: FaultCase) -> None:
    case.server.inject(respond(429))
    await case.expect_error(NotFoundError, delete)
    case.expect_requests("DELETE DELETE")


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


@pytest.mark.parametrize("then", ["close", "reset"])
async def test_a_dead_idle_connection_costs_a_read_one_request_more(case: FaultCase, then: Then) -> None:
    await case.expect_result(read)
    case.server.inject(truncate("before", then))
    await case.expect_result(read)
    case.expect_requests("GET GET GET")
    assert case.server.connections == 2


@pytest.mark.parametrize("then", ["close", "reset"])
@pytest.mark.parametrize("committed", [True, False], ids=["committed", "lost"])
async def test_a_dead_idle_connection_makes_at_most_one_room(
    case: FaultCase, then: Then, *, committed: bool
) -> None:
    await case.expect_result(read)
    fault = truncate("before", then)
    case.server.inject(fault if committed else fault.uncommitted)
    if committed:
        await case.expect_result(create)
        case.expect_requests("GET POST GET", rooms=1)
    else:
        await case.expect_error(OutcomeUnknownError, create)
        case.expect_requests("GET POST GET GET GET", rooms=0)


async def test_a_connection_closed_while_idle_is_not_reused(case: FaultCase) -> None:
    case.server.inject(rewrite_response(lambda response: response, "close"))
    await case.expect_result(read)
    await case.time.sleep(0.1)
    await case.expect_result(create)
    case.expect_requests("GET POST", rooms=1)
