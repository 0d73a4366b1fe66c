"""A causal model as a developer without a kernel uses it: `transformers`, batch 1, a KV cache.

Renders prompts with the tokenizer's own chat template and reads Hermes tool calls. Knows nothing
of other callers, of memory limits or of AIOS cores.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aios.models.pocket.chat import CALL, parse_call
from aios.syscalls import Generate, Message, ToolCall, ToolSpec


class PlainModel:
    """Weights in memory, shared by all threads; a forward changes nothing but its own cache."""

    def __init__(self, path: Path, device: str = "cpu") -> None:
        # Heavy, and only the direct way needs them: the kernel's process never loads a model.
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache

        from aios.cores.torch.device import resolve, use

        self.device = resolve(device)
        # A token of a small model is too little work to share: two threads were never faster.
        use(self.device, threads=1)
        self._torch, self._cache = torch, DynamicCache
        self._tokenizer = AutoTokenizer.from_pretrained(path)
        self._model = (
            AutoModelForCausalLM.from_pretrained(
                path, dtype=torch.float32, attn_implementation="sdpa"
            )
            .eval()
            .to(self.device.place)
        )
        config = self._model.config
        head_dim = getattr(config, "head_dim", config.hidden_size // config.num_attention_heads)
        width = config.num_key_value_heads * head_dim
        self.kv_token_bytes = 2 * config.num_hidden_layers * width * torch.float32.itemsize
        self.end = int(self._tokenizer.eos_token_id)

    def prompt(self, call: Generate) -> list[int]:
        """Token ids of a conversation, ready to be answered."""
        rendered = self._tokenizer.apply_chat_template(
            [_as_dict(message) for message in call.messages],
            tools=[_as_schema(tool) for tool in call.decoding.tools] or None,
            add_generation_prompt=True,
            return_dict=True,
        )
        ids: list[int] = rendered["input_ids"]
        return ids

    def begin(self, prompt: Sequence[int]) -> "Answer":
        """An answer of which nothing is computed yet; it holds its own cache."""
        return Answer(self, self._cache(config=self._model.config), prompt)

    def forward(self, ids: Sequence[int], cache: Any) -> int:
        """The likeliest token after `ids`, whose KV goes into `cache`."""
        with self._torch.inference_mode():
            out = self._model(
                input_ids=self._torch.tensor([ids], device=self.device.place),
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
            return int(out.logits[0, -1].argmax())

    def message(self, token_ids: Sequence[int]) -> Message:
        """What the model said, with its tool call taken out of the text."""
        text = self._tokenizer.decode(token_ids, skip_special_tokens=False)
        text = text.removesuffix(self._tokenizer.eos_token)
        try:
            found = parse_call(text)
        except ValueError:
            found = None
        if found is None:
            return Message(role="assistant", content=text)
        return Message(
            role="assistant",
            content=text.partition(CALL)[0] or None,
            tool_calls=(ToolCall(id="call-1", name=found[0], arguments=json.dumps(found[1])),),
        )


class Answer:
    """One greedy answer while it is made, a token a step; nothing is ever computed twice."""

    def __init__(self, model: PlainModel, cache: Any, prompt: Sequence[int]) -> None:
        self._model, self._cache = model, cache
        self._next: Sequence[int] = prompt
        self.produced: list[int] = []

    @property
    def growth(self) -> int:
        """Tokens by which the next step makes the cache longer."""
        return len(self._next)

    @property
    def has_ended(self) -> bool:
        return self._model.end in self.produced[-1:]

    def step(self) -> None:
        """Compute one more token."""
        self.produced.append(self._model.forward(self._next, self._cache))
        self._next = self.produced[-1:]


def _as_dict(message: Message) -> dict[str, Any]:
    calls = [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
        }
        for call in message.tool_calls
    ]
    told: dict[str, Any] = {"role": message.role, "content": message.content}
    return told | ({"tool_calls": calls} if calls else {})


def _as_schema(tool: ToolSpec) -> dict[str, Any]:
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
    }
    return {"type": "function", "function": function}
