"""The processes of a race: the server and the workers, told what to do line by line."""

import json
import subprocess
import sys
from select import select
from types import TracebackType
from typing import Any, Final, Self

from benchmarks.contenders import NotHereError
from benchmarks.measuring import Sample

_PATIENCE: Final = 60.0


class Process:
    """A module of this package that runs by itself, and answers each line with a line of JSON."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"benchmarks.{module}", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.greeting = self._hear()

    def ask(self, line: str = "", *, seconds: float | None = None) -> Any:  # noqa: ANN401 - JSON may be anything
        """Send a line, and wait for the answer.

        Raises:
            TimeoutError: there was none in that time.
        """
        assert self._process.stdin is not None
        print(line, file=self._process.stdin, flush=True)
        return self._hear(seconds)

    def _hear(self, seconds: float | None = None) -> Any:  # noqa: ANN401
        assert self._process.stdout is not None
        if not select([self._process.stdout], [], [], seconds)[0]:
            raise TimeoutError
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"a process ended with {self._process.wait()}: {self._process.args!r}")
        return json.loads(line)

    def close(self) -> None:
        """End it."""
        self._process.communicate()

    def kill(self) -> None:
        """End it, whatever it does."""
        self._process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Server(Process):
    """The server, and how many connections it has."""

    def __init__(self) -> None:
        super().__init__("server")
        self.url = f"http://127.0.0.1:{self.greeting}"

    def sockets(self) -> int:
        """Return the most connections that were open since the last time."""
        return int(self.ask()["peak"])


class Worker(Process):
    """A contender.

    Raises:
        NotHereError: it cannot compete here.
    """

    def __init__(self, entrant: str, loop: str, server: Server) -> None:
        super().__init__("worker", entrant, loop, server.url)
        if missing := self.greeting.get("missing"):
            self.close()
            raise NotHereError(missing)

    def run(self, case: str, *, small: bool) -> Sample:
        """Run one round. One that takes too long has failed, and is the worker's last."""
        try:
            return Sample(**self.ask(f"{case} small" if small else case, seconds=_PATIENCE))
        except TimeoutError:
            self.kill()
            return Sample(units=0, wall=0.0, cpu=0.0, failures=1, failure=f"not done after {_PATIENCE:.0f} s")
