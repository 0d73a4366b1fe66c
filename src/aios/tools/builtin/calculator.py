"""`aios/calculator`: what models get wrong."""

from collections.abc import Mapping
from typing import Any

from aios.syscalls.tool import Text
from aios.tools.base import Outside, Terms, Tool
from aios.tools.builtin.arithmetic import CHARACTERS_MAX, evaluate, spelled
from aios.tools.builtin.base import fields, say, text, tool


async def run(arguments: Mapping[str, Any], outside: Outside) -> tuple[Text, ...]:
    return say(spelled(evaluate(arguments["expression"])))


def tools() -> tuple[Tool, ...]:
    return (
        tool(
            "calculator",
            "Compute an expression exactly. Operators: + - * / // % **. Functions: sqrt, abs, min, "
            "max, round, floor, ceil, factorial, gcd, lcm, comb, exp, ln, log10, log2, sin, cos, "
            "tan. Constants: pi, e.",
            fields(
                expression=text(
                    "For example: (1234.5 * 12) / 7 + sqrt(2)",
                    minLength=1,
                    maxLength=CHARACTERS_MAX,
                )
            ),
            run,
            Terms(repeatable=True, timeout_s=10.0),
        ),
    )
