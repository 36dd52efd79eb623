"""The process of one contender: ``python -m benchmarks.worker CONTENDER LOOP URL TLS_URL``.

It prints a line when it is ready. Then each line that it reads is a case, for which it runs one round
and prints the sample; it ends with its input.
"""

import asyncio
import json
import logging
import sys
from importlib import import_module
from typing import cast

from attrs import asdict, evolve

from benchmarks.cases import CASES
from benchmarks.contenders import CONTENDERS, Contender
from benchmarks.measuring import Sample, raise_file_limit
from benchmarks.tasks import Round, Task


class _WarningCounter(logging.Handler):
    count = 0

    def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002 - only the number counts
        self.count += 1


def main() -> None:
    """Run a round for each line of the input."""
    name, loop, server, tls_server = sys.argv[1:]
    raise_file_limit()
    row = CONTENDERS[name]
    module, _, attribute = row.path.partition(":")
    try:
        contender = cast("Contender", getattr(import_module(f"benchmarks.contenders.{module}"), attribute))
        loop_factory = import_module(loop).new_event_loop
    except (ImportError, AttributeError) as error:
        _print_json({"missing": f"{row.title}: {error}"})
        return
    _print_json({})
    warnings = _WarningCounter(logging.WARNING)
    logging.getLogger().addHandler(warnings)
    for line in sys.stdin:
        case_name, _, size = line.strip().partition(" ")
        case = CASES[case_name].small if size else CASES[case_name]
        turn = Round(
            contender=contender,
            imports=row.imports,
            url=f"{tls_server if case.tls else server}/{case.rooms}/{case.latency_ms}/v2",
            seconds=case.seconds,
            rooms=case.rooms,
            concurrency=case.concurrency,
        )

        async def run(task: Task = case.task, turn: Round = turn) -> Sample:
            return await task(turn)

        warnings.count = 0
        try:
            with asyncio.Runner(loop_factory=loop_factory) as runner:
                sample = runner.run(run())
        except Exception as error:  # noqa: BLE001 - whatever a contender raises is part of the result
            sample = Sample(units=0, wall=0.0, cpu=0.0, failures=1, failure=repr(error))
        _print_json(asdict(evolve(sample, warnings=warnings.count)))


def _print_json(value: object) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main()
