"""``python -m benchmarks``: run the cases, print tables, store the results, update the guides."""

import argparse
import sys
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from benchmarks import instructions, results
from benchmarks.cases import CASES, SMOKE
from benchmarks.runner import Runner


def main() -> int:
    """Run the cases of the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--case", action="append", choices=(*CASES, "instructions"), help="only this one; may be repeated"
    )
    parser.add_argument(
        "--keep", action="store_true", help="store and publish the results of single cases too"
    )
    parser.add_argument("--rounds", type=int, help="turns of each contender (7; 1 with --smoke)")
    parser.add_argument(
        "--smoke", action="store_true", help="small, in a few seconds: fails when figures are implausible"
    )
    parser.add_argument(
        "--publish",
        action="store_true",
        help="only draw the chart and update the guides, from the stored results",
    )
    options = parser.parse_args()
    if options.publish:
        publish(results.read())
        return 0
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
        publish(results.store(measured, counted, runner.missing))
    return 0


def publish(stored: Mapping[str, Any]) -> None:
    """Draw the chart, and write the figures into the guides."""
    from benchmarks import chart  # noqa: PLC0415 - a smoke test needs no matplotlib

    chart.draw(stored)
    for path, text in results.guides(stored).items():
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    sys.exit(main())
