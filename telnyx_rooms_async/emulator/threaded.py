"""The emulator in a thread of its own."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from functools import partial
from inspect import isawaitable
from typing import Any, Final, Self

from telnyx_rooms_async.emulator.server import Emulator

_NOT_RUNNING: Final = "the emulator is not running: use it in a `with` block"


class ThreadedEmulator:
    """An `Emulator` with an event loop in a thread of its own.

    Blocking test clients, as those of Starlette, Flask and Django, would block an emulator in the event loop
    of the test. Attributes and methods are those of `Emulator`; they run in its thread, and async ones block
    until they are done.

    Args:
        options: as for `Emulator`.

    Example:
        >>> with ThreadedEmulator() as telnyx:
        ...     telnyx.seed(3)
        ...     print(len(telnyx.rooms))
        3
    """

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - of `Emulator`, which checks them
        self._emulator = Emulator(**options)
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        """The event loop while it accepts calls; set with the lock, so that it still runs what it accepts."""
        self._stopped = asyncio.Event()
        self._failure: BaseException | None = None
        self._is_ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="telnyx-emulator", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._is_ready.wait()
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - of any attribute of an emulator
        if name.startswith("_"):
            raise AttributeError(name)
        value = self.run(lambda: getattr(self._emulator, name))
        if not callable(value):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the method
            return self.run(partial(value, *args, **kwargs))

        return call

    def run(self, function: Callable[[], Any]) -> Any:  # noqa: ANN401 - what the function returns
        """Call a function in the thread of the emulator, and return its result.

        An awaitable result is awaited, except in that thread itself, which must not wait for itself.

        Raises:
            RuntimeError: the emulator is not running.
        """
        if threading.current_thread() is self._thread:  # called by `when` of a fault, for example
            return function()

        async def call() -> Any:  # noqa: ANN401 - what the function returns
            result = function()
            return await result if isawaitable(result) else result

        with self._lock:
            if self._loop is None:
                raise RuntimeError(_NOT_RUNNING)
            future = asyncio.run_coroutine_threadsafe(call(), self._loop)
        try:
            return future.result()
        except CancelledError:
            raise RuntimeError(_NOT_RUNNING) from None

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - raised by `__enter__` or `__exit__`
            self._failure = error
        finally:
            self._loop = None
            self._is_ready.set()

    async def _serve(self) -> None:
        async with self._emulator:
            self._loop = asyncio.get_running_loop()
            self._is_ready.set()
            await self._stopped.wait()
            with self._lock:
                self._loop = None
            await asyncio.sleep(0)  # calls that were accepted start, and are cancelled if they do not end
