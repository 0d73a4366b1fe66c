"""Anthropic's SDK: messages, streamed, with a tool."""

from typing import Any

from anthropic import Anthropic

TOOL: Any = {
    "name": "calculator",
    "description": "Compute a product, such as 12 * 7.",
    "input_schema": {
        "type": "object",
        "properties": {"expr": {"type": "string"}},
        "required": ["expr"],
    },
}


def calculator(expr: str) -> str:
    left, right = expr.split("*")
    return str(int(left) * int(right))


def main() -> str:
    client = Anthropic()
    messages: list[Any] = [{"role": "user", "content": "What is 123 * 47?"}]
    while True:
        with client.messages.stream(
            model="claude-sonnet-4-5", max_tokens=256, messages=messages, tools=[TOOL]
        ) as stream:
            said = stream.get_final_message()
        uses = [block for block in said.content if block.type == "tool_use"]
        if not uses:
            return "".join(block.text for block in said.content if block.type == "text")
        results = [
            {"type": "tool_result", "tool_use_id": use.id, "content": calculator(**use.input)}
            for use in uses
        ]
        messages += [
            {"role": "assistant", "content": said.content},
            {"role": "user", "content": results},
        ]


if __name__ == "__main__":
    print(main())
