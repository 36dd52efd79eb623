"""Faults of the connection: refused, unknown host, silent, lost, dead."""

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


refusing = pytest.mark.parametrize("server", ["refusing"], indirect=True)


@refusing
@pytest.mark.parametrize("action", [read, create, delete, ids_of], ids=lambda action: action.__name__)
async def test_connection_refused(case: FaultCase, action: Callable[[RoomsClient], Any]) -> None:
    """It is a ConnectError after 3 tries, of a create too, and no room is made."""
    error = await case.expect_error(ConnectError, action)
    assert (error.sent, [attempt.failure for attempt in error.attempts]) == (False, ["connect"] * 3)
    case.expect_requests("", rooms=0)


@refusing
async def test_connection_refused_once(case: FaultCase) -> None:
    """A create is tried again as soon as the server listens, and makes one room."""
    later = asyncio.create_task(case.server.listen())
    await case.expect_result(create)
    await later
    case.expect_requests("POST", rooms=1)


@pytest.mark.parametrize("action", [read, create], ids=lambda action: action.__name__)
async def test_dns_failure(
    case: FaultCase, action: Callable[[RoomsClient], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a ConnectError after 3 tries, and the client goes on when the name resolves again."""
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
def unanswering() -> Iterator[int]:
    """Offer a port whose server is too busy to take a connection: what knocks is never answered."""
    with (
        closing(socket.socket()) as busy,
        closing(socket.socket()) as first,
        closing(socket.socket()) as second,
    ):
        busy.bind(("127.0.0.1", 0))
        busy.listen(0)
        for knocker in (first, second):
            knocker.setblocking(False)  # noqa: FBT003 - it is positional
            knocker.connect_ex(busy.getsockname())
        yield busy.getsockname()[1]


@pytest.mark.parametrize("action", [read, create], ids=lambda action: action.__name__)
async def test_a_syn_that_is_never_answered(case: FaultCase, action: Callable[[RoomsClient], Any]) -> None:
    """It is a ConnectError after 3 tries of 5 seconds each."""
    with unanswering() as port:
        case.new_client(base_url=f"http://127.0.0.1:{port}/v2")
        error = await case.expect_error(ConnectError, action)
    assert [attempt.failure for attempt in error.attempts] == ["connect"] * 3
    assert all(attempt.elapsed == pytest.approx(5, abs=0.2) for attempt in error.attempts)
    case.expect_requests("", rooms=0)
    case.new_client()


# --- no answer ----------------------------------------------------------------------------------------------

repeated = pytest.mark.parametrize("response_fault", RETRIED.values(), ids=RETRIED)
final = pytest.mark.parametrize("response_fault", NOT_RETRIED.values(), ids=NOT_RETRIED)


@repeated
async def test_a_read_that_always_fails_so(case: FaultCase, response_fault: ResponseFault) -> None:
    """It is tried 3 times, never 6, and ends with its own error."""
    case.server.inject_always(response_fault.fault)
    error: Any = await case.expect_error(response_fault.error, read)
    assert len(error.attempts) == 3
    case.expect_requests("GET GET GET")


@repeated
async def test_a_read_that_fails_so_once(case: FaultCase, response_fault: ResponseFault) -> None:
    """It succeeds with the second request."""
    case.server.inject(response_fault.fault)
    assert (await case.expect_result(read)).unique_name == "Healthy"
    case.expect_requests("GET GET")


@final
async def test_a_read_that_nothing_can_mend(case: FaultCase, response_fault: ResponseFault) -> None:
    """It ends after one request, and the connection is not used again unless it is clean."""
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
async def test_a_delete_whose_answer_is_lost(case: FaultCase, response_fault: ResponseFault) -> None:
    """The room is gone at the second request, and that is a success."""
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


@repeated
@pytest.mark.parametrize("action", [update, make_token], ids=lambda action: action.__name__)
async def test_what_may_be_done_twice(
    case: FaultCase, response_fault: ResponseFault, action: Callable[[RoomsClient], Any]
) -> None:
    """A change and a token are request for again, with the same bytes."""
    case.server.inject(response_fault.fault)
    await case.expect_result(action)
    first, second = case.server.requests
    assert (first.method, first.target, first.body) == (second.method, second.target, second.body)
    case.expect_requests("PATCH PATCH" if action is update else "POST POST")


async def test_a_delete_of_nothing(case: FaultCase) -> None:
    """A 404 on the first try is NotFoundError."""
    error = await case.expect_error(NotFoundError, delete)
    assert len(error.attempts) == 1
    case.expect_requests("DELETE")


async def test_a_delete_that_was_turned_away(case: FaultCase) -> None:
    """So is one after a 429: nothing was done by the first try."""
    case.server.inject(respond(429))
    await case.expect_error(NotFoundError, delete)
    case.expect_requests("DELETE DELETE")


async def test_no_connection_is_free(case: FaultCase) -> None:
    """Who waits for others in vain is told in time, and that nothing was sent."""
    case.server.inject(HANG)
    case.new_client(max_connections=1)
    busy = asyncio.create_task(read(case.client))
    await wait_until(lambda: bool(case.server.requests))
    view = case.client.with_options(timeout=3)
    case.client, whole = view, case.client
    error = await case.expect_error(APITimeoutError, create)
    assert (error.sent, error.deadline, error.attempts) == (False, True, ())
    case.client = whole
    busy.cancel()
    with pytest.raises(asyncio.CancelledError):
        await busy
    case.expect_requests("GET")


async def test_a_server_that_never_reads(case: FaultCase) -> None:
    """A read ends in time, having tried 3 connections."""
    case.server.unread_connections = 9
    error = await case.expect_error(APITimeoutError, read)
    assert (error.sent, len(error.attempts), case.server.connections) == (True, 3, 3)
    case.expect_requests("")


async def test_a_server_that_never_reads_a_create(case: FaultCase) -> None:
    """It may have arrived: it is looked up, and not found."""
    case.server.unread_connections = 1
    await case.expect_error(OutcomeUnknownError, create)
    case.expect_requests("GET GET GET", rooms=0)


async def test_the_attempt_timeout_and_the_deadline_are_told_apart(case: FaultCase) -> None:
    """The error says whether the time of one attempt ran out, or that of the whole call."""
    case.server.inject_always(HANG)
    case.new_client(timeout=30, attempt_timeout=2)
    assert (await case.expect_error(APITimeoutError, read)).deadline is False
    case.expect_requests("GET GET GET")
    case.new_client(timeout=2, attempt_timeout=30)
    assert (await case.expect_error(APITimeoutError, read)).deadline is True
    case.expect_requests("GET GET GET GET")


@pytest.mark.parametrize("then", ["close", "reset"])
async def test_a_kept_alive_connection_found_dead(case: FaultCase, then: Then) -> None:
    """A read costs one request more."""
    await case.expect_result(read)
    case.server.inject(truncate("before", then))
    await case.expect_result(read)
    case.expect_requests("GET GET GET")
    assert case.server.connections == 2


@pytest.mark.parametrize("then", ["close", "reset"])
@pytest.mark.parametrize("committed", [True, False], ids=["committed", "lost"])
async def test_a_create_on_a_dead_connection(case: FaultCase, then: Then, *, committed: bool) -> None:
    """It makes one room at most, with one POST."""
    await case.expect_result(read)
    fault = truncate("before", then)
    case.server.inject(fault if committed else fault.uncommitted)
    if committed:
        await case.expect_result(create)
        case.expect_requests("GET POST GET", rooms=1)
    else:
        await case.expect_error(OutcomeUnknownError, create)
        case.expect_requests("GET POST GET GET GET", rooms=0)


async def test_a_connection_closed_while_idle(case: FaultCase) -> None:
    """It is not used again, so that nothing is lost."""
    case.server.inject(rewrite_response(lambda answer: answer, "close"))
    await case.expect_result(read)
    await case.time.sleep(0.1)
    await case.expect_result(create)
    case.expect_requests("GET POST", rooms=1)
