"""Faults of the connection: refused, unknown host, silent, lost, dead."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from telnyx_rooms_async import APITimeoutError, ConnectError, NotFoundError, OutcomeUnknownError, RoomsClient
from tests.helpers.case import Case, create, delete, ids_of, read
from tests.helpers.haste import until
from tests.helpers.ledger import HEALTHY
from tests.helpers.tricks import HANGS, Then, answers, cuts, rewrites
from tests.helpers.ways import FINAL, REPEATED, Way

# --- no connection ------------------------------------------------------------------------------------------


refusing = pytest.mark.parametrize("server", ["refusing"], indirect=True)


@refusing
@pytest.mark.parametrize("deed", [read, create, delete, ids_of], ids=lambda deed: deed.__name__)
async def test_connection_refused(case: Case, deed: Callable[[RoomsClient], Any]) -> None:
    """It is a ConnectError after 3 tries, of a create too, and no room is made."""
    error = await case.fails(ConnectError, deed)
    assert (error.sent, [attempt.failure for attempt in error.attempts]) == (False, ["connect"] * 3)
    case.saw("", rooms=0)


@refusing
async def test_connection_refused_once(case: Case) -> None:
    """A create is tried again as soon as the server listens, and makes one room."""
    later = asyncio.create_task(case.server.listen())
    await case.succeeds(create)
    await later
    case.saw("POST", rooms=1)


@pytest.mark.parametrize("deed", [read, create], ids=lambda deed: deed.__name__)
async def test_dns_failure(
    case: Case, deed: Callable[[RoomsClient], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a ConnectError after 3 tries, and the client goes on when the name resolves again."""
    resolve = socket.getaddrinfo

    def unknown(host: str, *args: Any, **options: Any) -> Any:
        if host == "telnyx.localhost":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", unknown)
        case.uses(base_url=f"http://telnyx.localhost:{case.server.port}/v2", allow_insecure=True)
        error = await case.fails(ConnectError, deed)
        assert (error.sent, [attempt.failure for attempt in error.attempts]) == (False, ["connect"] * 3)
        case.saw("", rooms=0)
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


@pytest.mark.parametrize("deed", [read, create], ids=lambda deed: deed.__name__)
async def test_a_syn_that_is_never_answered(case: Case, deed: Callable[[RoomsClient], Any]) -> None:
    """It is a ConnectError after 3 tries of 5 seconds each."""
    with unanswering() as port:
        case.uses(base_url=f"http://127.0.0.1:{port}/v2")
        error = await case.fails(ConnectError, deed)
    assert [attempt.failure for attempt in error.attempts] == ["connect"] * 3
    assert all(attempt.elapsed == pytest.approx(5, abs=0.2) for attempt in error.attempts)
    case.saw("", rooms=0)
    case.uses()


# --- no answer ----------------------------------------------------------------------------------------------

repeated = pytest.mark.parametrize("way", REPEATED.values(), ids=REPEATED)
final = pytest.mark.parametrize("way", FINAL.values(), ids=FINAL)


@repeated
async def test_a_read_that_always_fails_so(case: Case, way: Way) -> None:
    """It is tried 3 times, never 6, and ends with its own error."""
    case.server.keeps_playing(way.trick)
    error: Any = await case.fails(way.kind, read)
    assert len(error.attempts) == 3
    case.saw("GET GET GET")


@repeated
async def test_a_read_that_fails_so_once(case: Case, way: Way) -> None:
    """It succeeds with the second request."""
    case.server.plays(way.trick)
    assert (await case.succeeds(read)).unique_name == "Healthy"
    case.saw("GET GET")


@final
async def test_a_read_that_nothing_can_mend(case: Case, way: Way) -> None:
    """It ends after one request, and the connection is not used again unless it is clean."""
    case.server.plays(way.trick)
    error: Any = await case.fails(way.kind, read)
    assert len(error.attempts) == 1
    case.saw("GET")


without_body = {
    name: way for name, way in REPEATED.items() if not any(word in name for word in ("body", "chunk", "gzip"))
}


@pytest.mark.parametrize("way", without_body.values(), ids=without_body)
async def test_a_delete_whose_answer_is_lost(case: Case, way: Way) -> None:
    """The room is gone at the second request, and that is a success."""
    case.server.ledger.seed()
    case.server.plays(way.trick)
    await case.succeeds(delete)
    assert case.server.ledger.ids == []
    case.saw("DELETE DELETE")


async def update(client: RoomsClient) -> Any:
    """Change a room."""
    return await client.rooms.update(HEALTHY, max_participants=3)


async def make_token(client: RoomsClient) -> Any:
    """Make a token."""
    return await client.tokens.create(HEALTHY)


@repeated
@pytest.mark.parametrize("deed", [update, make_token], ids=lambda deed: deed.__name__)
async def test_what_may_be_done_twice(case: Case, way: Way, deed: Callable[[RoomsClient], Any]) -> None:
    """A change and a token are asked for again, with the same bytes."""
    case.server.plays(way.trick)
    await case.succeeds(deed)
    first, second = case.server.requests
    assert (first.method, first.target, first.body) == (second.method, second.target, second.body)
    case.saw("PATCH PATCH" if deed is update else "POST POST")


async def test_a_delete_of_nothing(case: Case) -> None:
    """A 404 on the first try is NotFoundError."""
    error = await case.fails(NotFoundError, delete)
    assert len(error.attempts) == 1
    case.saw("DELETE")


async def test_a_delete_that_was_turned_away(case: Case) -> None:
    """So is one after a 429: nothing was done by the first try."""
    case.server.plays(answers(429))
    await case.fails(NotFoundError, delete)
    case.saw("DELETE DELETE")


async def test_no_connection_is_free(case: Case) -> None:
    """Who waits for others in vain is told in time, and that nothing was sent."""
    case.server.plays(HANGS)
    case.uses(max_connections=1)
    busy = asyncio.create_task(read(case.client))
    await until(lambda: bool(case.server.requests))
    view = case.client.with_options(timeout=3)
    case.client, whole = view, case.client
    error = await case.fails(APITimeoutError, create)
    assert (error.sent, error.deadline, error.attempts) == (False, True, ())
    case.client = whole
    busy.cancel()
    with pytest.raises(asyncio.CancelledError):
        await busy
    case.saw("GET")


async def test_a_server_that_never_reads(case: Case) -> None:
    """A read ends in time, having tried 3 connections."""
    case.server.deaf = 9
    error = await case.fails(APITimeoutError, read)
    assert (error.sent, len(error.attempts), case.server.connections) == (True, 3, 3)
    case.saw("")


async def test_a_server_that_never_reads_a_create(case: Case) -> None:
    """It may have arrived: it is looked up, and not found."""
    case.server.deaf = 1
    await case.fails(OutcomeUnknownError, create)
    case.saw("GET GET GET", rooms=0)


async def test_the_attempt_timeout_and_the_deadline_are_told_apart(case: Case) -> None:
    """The error says whether the time of one attempt ran out, or that of the whole call."""
    case.server.keeps_playing(HANGS)
    case.uses(timeout=30, attempt_timeout=2)
    assert (await case.fails(APITimeoutError, read)).deadline is False
    case.saw("GET GET GET")
    case.uses(timeout=2, attempt_timeout=30)
    assert (await case.fails(APITimeoutError, read)).deadline is True
    case.saw("GET GET GET GET")


@pytest.mark.parametrize("then", ["close", "reset"])
async def test_a_kept_alive_connection_found_dead(case: Case, then: Then) -> None:
    """A read costs one request more."""
    await case.succeeds(read)
    case.server.plays(cuts("before", then))
    await case.succeeds(read)
    case.saw("GET GET GET")
    assert case.server.connections == 2


@pytest.mark.parametrize("then", ["close", "reset"])
@pytest.mark.parametrize("committed", [True, False], ids=["committed", "lost"])
async def test_a_create_on_a_dead_connection(case: Case, then: Then, *, committed: bool) -> None:
    """It makes one room at most, with one POST."""
    await case.succeeds(read)
    trick = cuts("before", then)
    case.server.plays(trick if committed else trick.uncommitted)
    if committed:
        await case.succeeds(create)
        case.saw("GET POST GET", rooms=1)
    else:
        await case.fails(OutcomeUnknownError, create)
        case.saw("GET POST GET GET GET", rooms=0)


async def test_a_connection_closed_while_idle(case: Case) -> None:
    """It is not used again, so that nothing is lost."""
    case.server.plays(rewrites(lambda answer: answer, "close"))
    await case.succeeds(read)
    await case.time.sleep(0.1)
    await case.succeeds(create)
    case.saw("GET POST", rooms=1)
