"""Contenders take turns, so that what the machine does meanwhile falls on all of them alike."""

from collections.abc import Iterator
from contextlib import ExitStack

from attrs import define, evolve, field, frozen

from benchmarks.cases import Case
from benchmarks.contenders import NotHereError
from benchmarks.measuring import Sample
from benchmarks.processes import Server, Worker


@frozen(order=True)
class Row:
    """An entrant on an event loop."""

    loop: str
    entrant: str


@define
class Race:
    """Runs cases; its workers stay until it is closed."""

    rounds: int
    small: bool
    missing: dict[str, str] = field(factory=dict[str, str])
    """Who could not compete, and why."""
    _workers: dict[Row, Worker] = field(factory=dict[Row, Worker])
    _server: Server = field(factory=Server)

    def run(self, case: Case) -> dict[Row, list[Sample]]:
        """Run all rounds of a case: in each of them every contender has a turn."""
        rows = [row for row in _rows(case) if self._is_here(row)]
        rounds = min(self.rounds, case.rounds_max or self.rounds)
        samples: dict[Row, list[Sample]] = {row: [] for row in rows}
        for number in range(rounds):
            start = number % len(rows)  # nobody is always first
            for row in rows[start:] + rows[:start]:
                # Who did not finish a round would not finish the next.
                if all(sample.units for sample in samples[row]):
                    samples[row].append(self._turn(case, row))
        return samples

    def close(self) -> None:
        """End all processes."""
        with ExitStack() as stack:
            stack.callback(self._server.close)
            for worker in self._workers.values():
                stack.callback(worker.close)

    def _is_here(self, row: Row) -> bool:
        if row in self._workers:
            return True
        if row.entrant in self.missing or row.loop in self.missing:
            return False
        try:
            self._workers[row] = Worker(row.entrant, row.loop, self._server)
        except NotHereError as error:
            self.missing[row.entrant if row.loop == "asyncio" else row.loop] = str(error)
            return False
        return True

    def _turn(self, case: Case, row: Row) -> Sample:
        self._server.sockets()
        if case.fresh and not self.small:
            with Worker(row.entrant, row.loop, self._server) as worker:
                sample = worker.run(case.name, small=False)
        else:
            sample = self._workers[row].run(case.name, small=self.small)
            if not sample.units:
                self._workers.pop(row).close()
        return evolve(sample, sockets=self._server.sockets())


def _rows(case: Case) -> Iterator[Row]:
    for loop in case.loops:
        for entrant in case.entrants:
            yield Row(loop, entrant)
