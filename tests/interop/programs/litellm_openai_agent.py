"""LiteLLM over OpenAI's protocol, streamed, with a tool."""

import json
from typing import Any

import litellm

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


def ask(messages: list[Any]) -> Any:
    chunks = litellm.completion(
        model="openai/gpt-4o-mini", messages=messages, tools=[TOOL], max_tokens=256, stream=True
    )
    return litellm.stream_chunk_builder(list(chunks), messages=messages).choices[0].message


def main() -> str:
    messages: list[Any] = [{"role": "user", "content": "What is 123 * 47?"}]
    while True:
        said = ask(messages)
        messages.append(said)
        if not said.tool_calls:
            return said.content or ""
        for call in said.tool_calls:
            result = calculator(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})


if __name__ == "__main__":
    print(main())
