"""OpenAI's SDK: chat completions, streamed, with a tool."""

import json
from typing import Any

from openai import OpenAI

TOOL: Any = {
    "type": "function",
    "function": {
        "name": "calculator",
        "description": "Compute a product, such as 12 * 7.",
        "parameters": {
            "type": "object",
            "properties": {"expr": {"type": "string"}},
            "required": ["expr"],
        },
    },
}


def calculator(expr: str) -> str:
    left, right = expr.split("*")
    return str(int(left) * int(right))


def main() -> str:
    client = OpenAI()
    messages: list[Any] = [{"role": "user", "content": "What is 123 * 47?"}]
    while True:
        with client.chat.completions.stream(
            model="gpt-4o-mini", messages=messages, tools=[TOOL]
        ) as stream:
            said = stream.get_final_completion().choices[0].message
        if not said.tool_calls:
            return said.content or ""
        messages.append(said)
        for call in said.tool_calls:
            result = calculator(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})


if __name__ == "__main__":
    print(main())
