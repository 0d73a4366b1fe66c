"""Runs a program inside its framework's environment: `judge.py PROGRAM.py EXPECTED`.

Ends with 0 only where the text that the program's `main` returns holds what is expected; with 1
otherwise, whatever went wrong. Knows the standard library alone.
"""

import runpy
import sys
import traceback


def main(program: str, expected: str) -> int:
    try:
        answer = runpy.run_path(program)["main"]()
    except BaseException:
        traceback.print_exc()
        return 1
    print(f"answer: {answer}")
    return 0 if expected in answer else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
