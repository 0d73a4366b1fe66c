"""Open Interpreter: writes code, runs it on this machine, and tells what came of it."""

import os

from interpreter import interpreter


def main() -> str:
    interpreter.llm.model = "openai/gpt-4o-mini"
    interpreter.llm.api_base = os.environ["OPENAI_BASE_URL"]
    interpreter.auto_run = True
    messages = interpreter.chat("What is 123 * 47?", display=False)
    return str(messages[-1]["content"])


if __name__ == "__main__":
    print(main())
