"""`python -m aios.testing.sim`: many worlds, two for each seed; a seed that fails is printed."""

import argparse
import sys
import time
from collections import Counter

from aios.testing.undying import Undying
from aios.testing.world import World


def run(seeds: range) -> tuple[list[int], Counter[str], float]:
    """Live through every seed: those that failed, all outcomes, virtual seconds lived."""
    failed: list[int] = []
    outcomes: Counter[str] = Counter()
    seconds = 0.0
    for seed in seeds:
        try:
            report = World(seed).run()
            fate = Undying(seed).run()
        except Exception as problem:  # Whatever it is, it is the finding.
            failed.append(seed)
            sys.stdout.write(f"seed {seed}: {_told(problem)}\n")
        else:
            outcomes += report.outcomes
            outcomes += Counter(killed=fate.kills, answered_over_kills=fate.answered)
            seconds += report.seconds + fate.seconds
    return failed, outcomes, seconds


def _told(problem: BaseException) -> str:
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    return f"{type(problem).__name__}: {problem}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    asked = parser.parse_args()
    began = time.perf_counter()
    failed, outcomes, seconds = run(range(asked.first, asked.first + asked.seeds))
    took = time.perf_counter() - began
    told = ", ".join(f"{count} {name}" for name, count in outcomes.most_common())
    sys.stdout.write(
        f"{asked.seeds} worlds, {seconds:.0f} virtual seconds in {took:.1f} real ones "
        f"({seconds / took:.0f}x); {told}\n"
        f"{len(failed)} failed{': ' + str(failed) if failed else ''}\n"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
