"""``python -m benchmarks``: run the cases, print the tables, store the results."""

import argparse
import json
import sys
from contextlib import closing
from pathlib import Path
from typing import Final

from benchmarks import instructions, results
from benchmarks.cases import CASES, SMOKE
from benchmarks.runner import Runner

_RESULTS: Final = Path(__file__).parent / "results"


def main() -> int:
    """Run the cases of the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--case", action="append", choices=(*CASES, "instructions"), help="only this one; may be repeated"
    )
    parser.add_argument("--keep", action="store_true", help="store the results also of single cases")
    parser.add_argument("--rounds", type=int, help="turns of each contender (7; 1 with --smoke)")
    parser.add_argument(
        "--smoke", action="store_true", help="small, in a few seconds: fails when figures are implausible"
    )
    options = parser.parse_args()
    measured: dict[str, list[results.Standing]] = {}
    if options.smoke:
        print("Small: the sizes are below those of the titles.")
    rounds = options.rounds or (1 if options.smoke else 7)
    names = options.case or (SMOKE if options.smoke else (*CASES, "instructions"))
    with closing(Runner(rounds=rounds, small=options.smoke)) as runner:
        for name in filter(CASES.__contains__, names):
            case = CASES[name].small if options.smoke else CASES[name]
            measured[name] = results.standings(case, runner.run(case))
            print(*results.table(case, measured[name]), sep="\n", flush=True)
    for reason in runner.missing.values():
        print(f"not installed: {reason}")
    counted = instructions.count_all() if "instructions" in names else {}
    print(*instructions.table(counted), sep="\n")
    if options.smoke:
        problems = list(results.implausible(measured))
        print(*(f"implausible: {problem}" for problem in problems), sep="\n", file=sys.stderr)
        return 1 if problems else 0
    if options.keep or not options.case:
        from benchmarks import chart  # noqa: PLC0415 - a smoke test needs no matplotlib

        _RESULTS.mkdir(exist_ok=True)
        path = _RESULTS / "results.json"
        results.write_json(path, measured, counted, runner.missing)
        chart.draw(_RESULTS / "chart.svg", results.read_json(path))
        print("", *results.markdown(json.loads(path.read_text())), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
