"""Work that runs to its end although its caller is cancelled."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import Any, TypeVar

T = TypeVar("T")


async def run_shielded(work: Callable[[], Awaitable[T]]) -> T:
    """Run work to its end; a cancellation that arrives meanwhile is raised afterwards.

    The work runs in a task of its own. An event loop that shuts down cancels that task too; the work is then
    started once more, so it must be safe to repeat.
    """

    async def run() -> T:
        return await work()

    task = asyncio.create_task(run())
    try:
        await wait_until_done(task)
    except asyncio.CancelledError:
        if task.cancelled():
            await wait_until_done(asyncio.create_task(run()))
        raise
    return task.result()


async def run_in_thread(function: Callable[[], T], *, executor: Executor | None = None) -> T:
    """Run a function in a thread to its end; a cancellation that arrives meanwhile is raised afterwards."""
    future = asyncio.get_running_loop().run_in_executor(executor, function)
    try:
        await wait_until_done(future)
        return future.result()
    finally:
        del future  # its exception refers to this frame


async def wait_until_done(future: asyncio.Future[Any]) -> None:
    """Wait until a future is done; a cancellation that arrives meanwhile is raised afterwards.

    The cancellation is chained to the exception of the future, if there is one.
    """
    cancellation: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait((future,))
        except asyncio.CancelledError as error:
            cancellation = error
    if cancellation is None:
        return
    try:
        raise cancellation from (None if future.cancelled() else future.exception())
    finally:
        del cancellation, future  # the traceback refers to this frame
