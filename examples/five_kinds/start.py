"""Runs a program when it is told to: `start.py PROGRAM.py`, in whatever environment it needs.

Frameworks take from a second to twenty to be imported. Each says when it is ready, and begins when
a line comes, so that all of them run at once. Knows the standard library alone.
"""

import runpy
import sys


def main(program: str) -> None:
    run = runpy.run_path(program)["main"]
    print("ready", flush=True)
    if sys.stdin.readline():
        print(f"\nanswer: {run()}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
