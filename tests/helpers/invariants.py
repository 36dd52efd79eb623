"""What holds after every case, whatever went wrong in it."""

import asyncio
import copy
import gc
import logging
import pickle
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final

from telnyx_rooms_async import TelnyxRoomsError
from tests.helpers.case import Case, read
from tests.helpers.ledger import CANARIES

_TESTS: Final = str(Path(__file__).parent.parent)
_GRACE: Final = 0.5


async def check_invariants(case: Case) -> None:
    """Check all of them."""
    assert case.counted, "a case states its requests and its rooms"
    check_calls(case)
    for error in case.errors:
        check_error(error)
    if not case.past_healing:
        await case.server.heal()
        case.server.ledger.restore()
        await asyncio.sleep(case.rest)
        await read(case.client)
    views = [
        repr(view) + repr(vars(view)) for client in case.clients for view in (client, client.with_options())
    ]
    await close(case)
    await check_nothing_is_left(case)
    told = [*views, *map(repr, case.answers), *map(told_by_record, case.records)]
    check_secrets("".join(told))


async def close(case: Case) -> None:
    """Close all that a case has opened."""
    for client in case.clients:
        await client.close()
    for session in case.lent:
        await session.close()


def check_calls(case: Case) -> None:
    """Check that each call ended in time, made one room at most, and repeated itself exactly."""
    for call in case.calls:
        assert call.seconds <= call.deadline + _GRACE, f"{call.seconds} s, of {call.deadline} s"
        assert call.made <= call.creates, f"{call.made} rooms of {call.creates} calls"
    heads: dict[tuple[str, str, bytes], set[bytes]] = {}
    for asked in case.server.requests:
        if asked.path.startswith("/files/"):  # a download goes on where it was cut
            continue
        heads.setdefault((asked.method, asked.target, asked.body), set()).add(asked.head)
    assert all(len(alike) == 1 for alike in heads.values()), "the headers differ between attempts"
    if not case.at_once:
        for call in case.calls:
            assert len({asked.body for asked in call.requests if asked.method == "POST"}) <= 1


def check_error(error: BaseException) -> None:
    """Check that an exception is ours, is plain data, and keeps our secrets."""
    assert isinstance(error, TelnyxRoomsError | asyncio.CancelledError)
    check_secrets("".join(told_by(error)))
    if isinstance(error, TelnyxRoomsError):
        assert len(str(error)) <= 300
        assert str(error).isprintable()
        pickled = pickle.dumps(error)
        check_secrets(pickled.decode("latin-1"))
        for twin in (pickle.loads(pickled), copy.copy(error), copy.deepcopy(error)):
            assert type(twin) is type(error)
            assert (str(twin), twin.args) == (str(error), error.args)


def told_by(error: BaseException) -> Iterator[str]:
    """Yield all that an exception, its chain and its traceback with locals say, without the tests' own."""
    below = below_the_test(error.__traceback__)
    yield from traceback.TracebackException(type(error), error, below, capture_locals=True).format()
    links: list[BaseException | None] = [error]
    while links:
        if link := links.pop():
            yield f"{link} {link!r} {link.args!r} {vars(link)!r}"
            links += [link.__cause__, link.__context__]


def below_the_test(frames: TracebackType | None) -> TracebackType | None:
    """Leave out the frames of the test, which hold the canaries themselves."""
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(_TESTS):
        frames = frames.tb_next
    return frames


def told_by_record(record: logging.LogRecord) -> str:
    """Return all that a log record says."""
    trace = "".join(traceback.format_exception(record.exc_info[1])) if record.exc_info else ""
    return f"{record.getMessage()} {vars(record)} {trace}"


def check_secrets(told: str) -> None:
    """Check that no canary sings."""
    for canary in CANARIES:
        place = told.find(canary)
        assert place < 0, f"{canary} in: {told[max(0, place - 300) : place + 100]}"


async def check_nothing_is_left(case: Case) -> None:
    """Check that no socket is open, no task pends, and nobody has complained."""
    for _ in range(50):
        if not case.server.open:
            break
        await asyncio.sleep(0.1)
    assert case.server.open == 0, "a socket is open after close()"
    assert asyncio.all_tasks() - case.server.tasks == {asyncio.current_task()}
    case.clients.clear()
    del case.client
    case.calls.clear()
    gc.collect()
    await asyncio.sleep(0)
    assert case.troubles == [], f"complaints: {case.troubles}"
