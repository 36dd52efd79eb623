"""Everything that error reporters show of an exception: its chain, and the local variables of its frames."""

import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, cast

from rich.traceback import Traceback

_TESTS: Final = str(Path(__file__).parent.parent)
_REPR_LIMIT: Final = 100
_DEPTH: Final = 3


def reported_texts(
    error: BaseException, rich_limits: tuple[int, ...] = (20, 40, 80, 10_000)
) -> Iterator[str]:
    """Yield what traceback, rich and Sentry show of an exception, without the frames of tests.

    rich is slow: it cuts strings at each of its limits.
    """
    pending: list[BaseException | None] = [error]
    seen = set[int]()
    while pending:
        link = pending.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        pending += [link.__cause__, link.__context__]
        yield f"{link} {link!r} {link.args!r} {vars(link)!r}"
        yield from _by_traceback(link)
        yield from _by_rich(link, rich_limits)
        yield from _by_sentry(link.__traceback__)


def traceback_files(error: BaseException) -> set[str]:
    """Return the names of the files whose frames an exception carries."""
    return {frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)}


def _by_traceback(error: BaseException) -> Iterator[str]:
    report = traceback.TracebackException(type(error), error, error.__traceback__, capture_locals=True)
    yield from (str(frame.locals) for frame in report.stack if not frame.filename.startswith(_TESTS))


def _by_rich(error: BaseException, limits: tuple[int, ...]) -> Iterator[str]:
    for limit in limits:
        trace = Traceback.extract(
            type(error), error, error.__traceback__, show_locals=True, locals_max_string=limit
        )
        for frame in trace.stacks[0].frames:
            if not frame.filename.startswith(_TESTS):
                yield from (f"{name} = {node.render()}" for name, node in (frame.locals or {}).items())


def _by_sentry(frames: TracebackType | None) -> Iterator[str]:
    for frame, _ in traceback.walk_tb(frames):
        if not frame.f_code.co_filename.startswith(_TESTS):
            yield from (f"{name} = {_serialized(value)}" for name, value in frame.f_locals.items())


def _serialized(value: object, depth: int = _DEPTH) -> str:
    if depth and isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        return str([(_serialized(name, 0), _serialized(item, depth - 1)) for name, item in items])
    if depth and isinstance(value, list | tuple | set | frozenset):
        return str([_serialized(item, depth - 1) for item in cast("list[object]", value)])
    if isinstance(value, str | bytes):
        return repr(value[:_REPR_LIMIT])
    return f"{value!r}"[:_REPR_LIMIT]
