"""The process of one contender: ``python -m benchmarks.worker CONTENDER URL TLS_URL``.

It prints a line when it is ready. Then each line that it reads is a case, for which it runs one round
and prints the sample; it ends with its input.
"""

import asyncio
import json
import sys

from attrs import asdict

from benchmarks.cases import CASES
from benchmarks.contenders import CONTENDERS, NotInstalledError
from benchmarks.measuring import Sample, raise_file_limit
from benchmarks.tasks import Round


def main() -> None:
    """Run a round for each line of the input."""
    name, server, tls_server = sys.argv[1:]
    raise_file_limit()
    row = CONTENDERS[name]
    try:
        contender = row.load()
    except NotInstalledError as error:
        _print_json({"missing": str(error)})
        return
    _print_json({})
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
        try:
            sample = asyncio.run(case.task(turn))
        except Exception as error:  # noqa: BLE001 - whatever a contender raises is part of the result
            sample = Sample(units=0, wall=0.0, cpu=0.0, failures=1, failure=repr(error))
        _print_json(asdict(sample))


def _print_json(value: object) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main()
