"""``python -m benchmarks``: run the cases, print the tables, keep the figures."""

import argparse
import json
import sys
from contextlib import closing
from pathlib import Path
from typing import Final

from benchmarks import report, sanity, summary
from benchmarks.cases import CASES, SMOKE
from benchmarks.figures import Standing, standings
from benchmarks.race import Race

_RESULTS: Final = Path(__file__).parent / "results"


def main() -> int:
    """Run what the command line asks for."""
    asked = _arguments()
    results: dict[str, list[Standing]] = {}
    if asked.smoke:
        print("Small: the sizes are below those of the titles.")
    with closing(Race(rounds=asked.rounds, small=asked.smoke)) as race:
        for name in asked.case or (SMOKE if asked.smoke else CASES):
            case = CASES[name].small if asked.smoke else CASES[name]
            results[name] = standings(case, race.run(case))
            print(*report.table(case, results[name]), sep="\n", flush=True)
        for why in race.missing.values():
            print(f"left out: {why}")
        missing = race.missing
    if asked.smoke:
        return _judge(results)
    if asked.keep or not asked.case:
        _keep(results, missing)
    return 0


def _keep(results: dict[str, list[Standing]], missing: dict[str, str]) -> None:
    from benchmarks import chart  # noqa: PLC0415 - it needs what a smoke test can do without

    _RESULTS.mkdir(exist_ok=True)
    path = _RESULTS / "results.json"
    report.write_json(path, results, missing)
    chart.draw(_RESULTS / "chart.svg", report.read_json(path))
    print("", *summary.lines(json.loads(path.read_text())), sep="\n")


def _judge(results: dict[str, list[Standing]]) -> int:
    wrong = list(sanity.faults(results))
    print(*(f"not sane: {fault}" for fault in wrong), sep="\n", file=sys.stderr)
    return 1 if wrong else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--case", action="append", choices=CASES, help="only this one; may be repeated")
    parser.add_argument("--keep", action="store_true", help="keep the figures also of single cases")
    parser.add_argument("--rounds", type=int, help="turns of each contender (7; 1 with --smoke)")
    parser.add_argument(
        "--smoke", action="store_true", help="small, in a few seconds: fails when figures are not sane"
    )
    asked = parser.parse_args()
    asked.rounds = asked.rounds or (1 if asked.smoke else 7)
    return asked


if __name__ == "__main__":
    sys.exit(main())
