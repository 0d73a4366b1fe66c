"""Small tokenizers trained on the spot, with the special tokens of the common chat formats."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

EOS = "<|im_end|>"
ROLES = ("<|system|>", "<|user|>", "<|assistant|>", "<|tool|>")
SENTENCES = [
    'call {"name": "add", "arguments": {"a": 12, "b": 34}} now, then stop.',
    "The quick brown fox jumps over the lazy dog; über 日本語 naïve café 🦊🦊.",
    '<answer>{"city": "Paris", "days": [1, 2, 3], "sunny": true}</answer>',
]
TEMPLATE = """\
{%- for tool in tools or [] %}{{ '<|system|>' ~ tool | tojson ~ '<|im_end|>' }}{% endfor -%}
{%- for message in messages -%}
{%- if message.role == 'user' and loop.index0 and messages[loop.index0 - 1].role == 'user' -%}
{{- raise_exception('two user turns in a row') -}}
{%- endif -%}
{{- '<|' ~ message.role ~ '|>' ~ message.content -}}
{%- for call in message.tool_calls or [] -%}
{{- '<tool_call>' ~ (call.function | tojson) ~ '</tool_call>' -}}
{%- endfor -%}
{{- '<|im_end|>' -}}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|assistant|>' }}{% endif -%}
"""


@cache
def byte_level(
    marks: tuple[str, ...] = ("<tool_call>", "</tool_call>"), special: bool = True
) -> Any:
    """A byte-level BPE; `marks` are single tokens, special or merely added ones."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=[EOS, *ROLES],
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES * 4, trainer)
    tokenizer.add_tokens([AddedToken(mark, special=special, normalized=False) for mark in marks])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=EOS)
    fast.chat_template = TEMPLATE
    return fast


@cache
def sentencepiece_like() -> Any:
    """Spaces as U+2581 and unknown characters as single bytes, as in Llama 2."""
    pieces = ["<unk>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "\u2581"]
    letters = sorted({char for text in SENTENCES for char in text if char.isascii()} - {" "})
    words = ["\u2581the", "\u2581fox", "ick", "own", "\u2581caf"]
    vocab = {piece: index for index, piece in enumerate([*pieces, *letters, *words])}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[], unk_token="<unk>", byte_fallback=True))
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("\u2581", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(content=" ", left=1),
        ]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>")


def ids(tokenizer: Any, text: str) -> Sequence[int]:
    """Token ids of a text with nothing added."""
    found: list[int] = tokenizer.encode(text, add_special_tokens=False)
    return found
