"""`aios/ask_human`: a question to whoever answers approvals, and what they say."""

from collections.abc import Mapping
from typing import Any

from aios.errors import Denied, WrongState
from aios.syscalls.approval import AskHuman, HumanAnswer
from aios.syscalls.tool import Text
from aios.tools.base import Outside, Ran, Terms, Tool
from aios.tools.builtin.base import fields, text, tool, words

ANSWER_S_MAX = 86_400.0  # the kernel's own limit to a human's answer is far below


async def run(arguments: Mapping[str, Any], outside: Outside) -> Ran:
    call = AskHuman(question=arguments["question"], choices=tuple(arguments.get("choices", ())))
    try:
        answer: HumanAnswer = await outside.call(call)
    except (Denied, WrongState) as problem:  # Nobody answered: the agent goes on without.
        return Ran(contents=(Text(f"no answer: {problem.message}"),), is_error=True)
    if answer.is_no:
        return Ran(contents=(Text(f"no. {answer.text}".rstrip()),))
    return Ran(contents=(Text(answer.text or "yes"),))


def tools() -> tuple[Tool, ...]:
    return (
        tool(
            "ask_human",
            "Ask the human you work for a question, and wait for the answer. It may take minutes: "
            "ask only what you cannot find out yourself.",
            fields(
                question=text(
                    "The question, with all that is needed to answer it.",
                    minLength=1,
                    maxLength=4_000,
                ),
                choices=words("Answers to choose from, if there are such.", default=[]),
            ),
            run,
            Terms(timeout_s=ANSWER_S_MAX),
        ),
    )
