"""The process of one contender: ``python -m benchmarks.worker ENTRANT LOOP URL``.

It prints a line when it is ready. Then each line that it reads is a case, for which it runs one round
and prints the sample; it ends with its input.
"""

import asyncio
import json
import logging
import sys
from collections.abc import Callable

from attrs import asdict, evolve

from benchmarks.cases import CASES, Case
from benchmarks.contenders import ENTRANTS, Contender, Entrant, NotHereError
from benchmarks.measuring import Sample
from benchmarks.tasks import Round

_LoopFactory = Callable[[], asyncio.AbstractEventLoop]


class _Warnings(logging.Handler):
    """Counts warnings, and keeps them off the terminal."""

    count = 0

    def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002 - what it says is of no use here
        self.count += 1


def main() -> None:
    """Get ready, and run a round for each line."""
    name, loop, server = sys.argv[1:]
    entrant = ENTRANTS[name]
    try:
        contender, loop_factory = entrant.load(), _loop_factory(loop)
    except NotHereError as error:
        _tell({"missing": str(error)})
        return
    _tell({})
    warnings = _Warnings(logging.WARNING)
    logging.getLogger().addHandler(warnings)
    for line in sys.stdin:
        case_name, _, size = line.strip().partition(" ")
        case = CASES[case_name]
        warnings.count = 0
        sample = _run(case.small if size else case, entrant, contender, server, loop_factory)
        _tell(asdict(evolve(sample, warnings=warnings.count)))


def _run(
    case: Case, entrant: Entrant, contender: Contender, server: str, loop_factory: _LoopFactory
) -> Sample:
    this = Round(
        entrant=entrant,
        contender=contender,
        url=f"{server}/{case.rooms}/{case.latency_ms}/v2",
        seconds=case.seconds,
        rooms=case.rooms,
        at_once=case.at_once,
    )

    async def once() -> Sample:
        return await case.task(this)

    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            return runner.run(once())
    except Exception as error:  # noqa: BLE001 - whatever a contender raises is part of the result
        return Sample(units=0, wall=0.0, cpu=0.0, failures=1, failure=repr(error))


def _loop_factory(loop: str) -> _LoopFactory:
    if loop == "asyncio":
        return asyncio.new_event_loop
    try:
        import uvloop  # noqa: PLC0415 - only where it is asked for
    except ImportError as error:
        raise NotHereError(str(error)) from None
    return uvloop.new_event_loop


def _tell(value: object) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main()
