"""The invariants can be broken, and are then found broken."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from telnyx_rooms_async import ConnectError, Room, RoomsClient, TelnyxRoomsError
from telnyx_rooms_async.core.retry import RetryPolicy
from tests.helpers.case import Case, create_nameless, read
from tests.helpers.faulty import Faulty
from tests.helpers.haste import Haste
from tests.helpers.invariants import check_error, check_invariants, close, told_by
from tests.helpers.ledger import CANARY_KEY, CANARY_TOKEN


async def _state_nothing(case: Case) -> None:
    await case.succeeds(read)


async def _miscount(case: Case) -> None:
    await case.succeeds(read)
    case.saw("GET GET")


async def _make_two(case: Case) -> None:
    async def twice(client: RoomsClient) -> Room:
        await create_nameless(client)
        return await create_nameless(client)

    await case.succeeds(twice)
    case.saw("POST POST", rooms=2)


async def _take_too_long(case: Case) -> None:
    async def slowly(client: RoomsClient) -> Room:
        await case.time.sleep(46)
        return await read(client)

    await case.succeeds(slowly)
    case.saw("GET")


async def _change_headers(case: Case) -> None:
    await case.succeeds(read)
    case.client._api.transport._headers["X-Attempt"] = "2"
    await case.succeeds(read)
    case.saw("GET GET")


async def _change_body(case: Case) -> None:
    async def differently(client: RoomsClient) -> Room:
        await client.rooms.create(unique_name="One")
        return await client.rooms.create(unique_name="Two")

    await case.succeeds(differently, creates=2)
    case.saw("POST POST", rooms=2)


async def _log_the_key(case: Case) -> None:
    case.records.append(logging.makeLogRecord({"msg": "sent %s", "args": (CANARY_KEY,)}))
    case.saw("")


async def _answer_with_a_token(case: Case) -> None:
    case.answers.append({"token": CANARY_TOKEN})
    case.saw("")


async def _leave_a_task(case: Case) -> None:
    case.answers.append(asyncio.create_task(asyncio.sleep(1e6)))
    case.saw("")


async def _leave_a_socket(case: Case) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", case.server.port)
    case.answers.append(writer)
    case.saw("")


async def _complain(case: Case) -> None:
    asyncio.get_running_loop().call_exception_handler({"message": "something is wrong"})
    case.saw("")


async def _break_the_client(case: Case) -> None:
    await case.client.close()
    case.saw("")


async def _leave_a_foreign_exception(case: Case) -> None:
    case.errors.append(OSError("foreign"))
    case.saw("")


BREACHES: list[Callable[[Case], Awaitable[None]]] = [
    _state_nothing,
    _miscount,
    _make_two,
    _take_too_long,
    _change_headers,
    _change_body,
    _log_the_key,
    _answer_with_a_token,
    _leave_a_task,
    _leave_a_socket,
    _complain,
    _leave_a_foreign_exception,
]


@pytest.fixture
async def loose(server: Faulty, time: Haste) -> Case:
    """A case whose invariants nobody checks by himself."""
    it = Case.of(server, time)
    asyncio.get_running_loop().set_exception_handler(lambda _, told: it.troubles.append(told))
    return it


@pytest.mark.parametrize("breach", BREACHES, ids=lambda breach: breach.__name__.strip("_"))
async def test_a_breach_is_found(loose: Case, breach: Callable[[Case], Awaitable[None]]) -> None:
    """Each of them fails a case."""
    with pytest.raises(AssertionError):  # noqa: PT012 - found at once, or at the end
        await breach(loose)
        await check_invariants(loose)
    await close(loose)
    for left in loose.answers:
        if isinstance(left, asyncio.Task):
            left.cancel()
        if isinstance(left, asyncio.StreamWriter):
            left.close()


async def test_a_broken_client_is_found(loose: Case) -> None:
    """A case after which nothing works any more fails, unless it says so."""
    await _break_the_client(loose)
    with pytest.raises(TelnyxRoomsError):
        await check_invariants(loose)


async def test_a_key_in_an_error_is_found(case: Case) -> None:
    """Be it in an attribute, in the chain, or in a frame of the client."""
    with pytest.raises(AssertionError, match=CANARY_KEY):
        check_error(ConnectError(f"sent {CANARY_KEY}"))
    error = ConnectError("hidden")
    error.__context__ = KeyError(CANARY_KEY)
    with pytest.raises(AssertionError, match=CANARY_KEY):
        check_error(error)
    case.saw("")


async def test_frames_are_searched_below_the_test(case: Case) -> None:
    """What the client's own frames hold is told by the traceback, and what the test's hold is not."""
    secret = CANARY_KEY
    case.uses(base_url="http://127.0.0.1:9/v2", retry=RetryPolicy(attempts=1))
    error = await case.fails(ConnectError, read)
    told = "".join(told_by(error))
    assert "attempt" in told
    assert secret not in told
    case.saw("")
    case.uses()
