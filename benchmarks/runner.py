"""The processes of a benchmark. Contenders take turns, so that other load on the machine hits all of them."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from select import select
from tempfile import TemporaryDirectory
from typing import Any, Final

from attrs import define, evolve, field

from benchmarks.cases import Case
from benchmarks.contenders import NotInstalledError
from benchmarks.measuring import Sample

_ROUND_TIMEOUT: Final = 60.0


class _Process:
    """A module of this package in a process of its own, which answers each line with a line of JSON."""

    def __init__(self, module: str, *arguments: str, environment: Mapping[str, str] = {}) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"benchmarks.{module}", *arguments],
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.first_line = self._receive()

    def request(self, line: str = "", *, timeout: float | None = None) -> Any:  # noqa: ANN401 - any JSON
        """Send a line, and return the response.

        Raises:
            TimeoutError: there was none in that time; the process is killed.
        """
        assert self._process.stdin is not None
        print(line, file=self._process.stdin, flush=True)
        return self._receive(timeout)

    def _receive(self, timeout: float | None = None) -> Any:  # noqa: ANN401 - any JSON
        assert self._process.stdout is not None
        if not select([self._process.stdout], [], [], timeout)[0]:
            self._process.kill()
            raise TimeoutError
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"a process ended with {self._process.wait()}: {self._process.args!r}")
        return json.loads(line)

    def close(self) -> None:
        self._process.communicate()


class Server:
    """The server of all contenders, in a process of its own, without and with TLS."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory()
        ca_file = Path(self._folder.name, "ca.pem")
        self._process = _Process("server", str(ca_file))
        port, tls_port = self._process.first_line
        self.urls = (f"http://127.0.0.1:{port}", f"https://127.0.0.1:{tls_port}")
        self.environment = {"SSL_CERT_FILE": str(ca_file)}
        """Of a client that trusts the certificate of the server."""

    def count_connections(self) -> int:
        """Return the most connections that were open at once since the last count."""
        return int(self._process.request()["peak"])

    def close(self) -> None:
        """End the process."""
        self._process.close()
        self._folder.cleanup()


@define
class Runner:
    """Runs cases; its workers stay until it is closed."""

    rounds: int
    small: bool
    missing: dict[str, str] = field(factory=dict[str, str])
    """The contenders that are not installed, and why."""
    _workers: dict[str, _Process] = field(factory=dict[str, _Process])
    _server: Server = field(factory=Server)

    def run(self, case: Case) -> Mapping[str, list[Sample]]:
        """Run all rounds of a case: every contender has a turn in each. Return their samples by name."""
        names = [name for name in case.contenders if self._is_installed(name)]
        samples: dict[str, list[Sample]] = {name: [] for name in names}
        for number in range(min(self.rounds, case.rounds_max or self.rounds)):
            start = number % len(names)  # no contender is always the first
            for name in names[start:] + names[:start]:
                # A contender that did not finish a round would not finish the next.
                if all(sample.units for sample in samples[name]):
                    samples[name].append(self._turn(case, name))
        return samples

    def close(self) -> None:
        """End all processes."""
        with ExitStack() as stack:
            stack.callback(self._server.close)
            for worker in self._workers.values():
                stack.callback(worker.close)

    def _start_worker(self, contender: str) -> _Process:
        worker = _Process("worker", contender, *self._server.urls, environment=self._server.environment)
        if missing := worker.first_line.get("missing"):
            worker.close()
            raise NotInstalledError(missing)
        return worker

    def _is_installed(self, contender: str) -> bool:
        if contender not in self._workers and contender not in self.missing:
            try:
                self._workers[contender] = self._start_worker(contender)
            except NotInstalledError as error:
                self.missing[contender] = str(error)
        return contender in self._workers

    def _turn(self, case: Case, contender: str) -> Sample:
        self._server.count_connections()  # starts a new count
        if case.fresh and not self.small:
            with closing(self._start_worker(contender)) as worker:
                sample = self._run_round(worker, case)
        else:
            sample = self._run_round(self._workers[contender], case)
            if not sample.units:
                self._workers.pop(contender).close()
        return evolve(sample, sockets=self._server.count_connections())

    def _run_round(self, worker: _Process, case: Case) -> Sample:
        try:
            response = worker.request(
                f"{case.name} small" if self.small else case.name, timeout=_ROUND_TIMEOUT
            )
        except TimeoutError:
            failure = f"not finished in {_ROUND_TIMEOUT:.0f} s"
            return Sample(units=0, wall=0.0, cpu=0.0, failures=1, failure=failure)
        return Sample(**response)
