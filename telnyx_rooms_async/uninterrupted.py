"""Work that a cancellation does not cut short."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def finish(work: Callable[[], Awaitable[T]]) -> T:
    """Run work to its end although the caller is cancelled meanwhile; the cancellation is raised afterwards.

    The work runs in a task of its own. An event loop that shuts down cancels that task too; the work is then
    started once more, so it must be safe to repeat.
    """

    async def run() -> T:
        return await work()

    interruption: asyncio.CancelledError | None = None
    task = asyncio.create_task(run())
    is_repeated = False
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError as error:
            interruption = error
        if task.done() and task.cancelled() and interruption is not None and not is_repeated:
            task, is_repeated = asyncio.create_task(run()), True
    if interruption is None:
        return task.result()
    try:
        raise interruption from (None if task.cancelled() else task.exception())
    finally:
        del interruption  # its traceback leads here
