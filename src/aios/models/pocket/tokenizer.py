"""Builds pocket's tokenizer: a small byte-level BPE in which copying is easy.

Words, digits and punctuation stand alone, so that a name has the same pieces in a question and
inside JSON; only the fixed pieces of a tool call are longer. Knows nothing of torch.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from aios.models.pocket.chat import CALL, CALL_END, END, PAD, SPECIAL, TEMPLATE, segments
from aios.models.pocket.tasks import tasks

VOCABULARY = 704
_PIECES = r"""\{"name": "|", "arguments": \{"|": "|", "|"\}\}|[A-Za-z_]+|[\s\S]"""


def train_tokenizer(seed: int, conversations: int = 12_000) -> Tokenizer:
    """Learn the merges from generated conversations."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(seed, conversations), trainer)
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Write what `AutoTokenizer` reads, chat template included."""
    fast = PreTrainedTokenizerFast(
        tokenizer_object=_with_visible_calls(tokenizer),
        eos_token=END,
        pad_token=PAD,
        clean_up_tokenization_spaces=False,
        model_max_length=2048,
        padding_side="left",
    )
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)
    # The name that every version of transformers knows.
    settings = folder / "tokenizer_config.json"
    told = json.loads(settings.read_text())
    told["tokenizer_class"] = "PreTrainedTokenizerFast"
    settings.write_text(json.dumps(told, indent=2) + "\n")


def _with_visible_calls(tokenizer: Tokenizer) -> Tokenizer:
    """The same tokens, but the marks of a call stay when special tokens are skipped."""
    data = json.loads(tokenizer.to_str())
    for token in data["added_tokens"]:
        token["special"] = token["content"] not in (CALL, CALL_END)
    return Tokenizer.from_str(json.dumps(data))


def _texts(seed: int, conversations: int) -> Iterable[str]:
    for task in tasks(f"tokenizer {seed}", conversations):
        for part in segments(task):
            yield part.text
