"""Builds pocket's tokenizer: a small byte-level BPE in which copying is easy.

Words, digits and punctuation stand alone, so that a name has the same pieces in a question and
inside JSON; only the fixed pieces of a tool call are longer. Knows nothing of torch.
"""

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from aios.models.pocket.chat import END, PAD, SPECIAL, TEMPLATE, segments
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
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD,
        clean_up_tokenization_spaces=False,
        model_max_length=2048,
        padding_side="left",
    )
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)


def _texts(seed: int, conversations: int) -> Iterable[str]:
    for task in tasks(f"tokenizer {seed}", conversations):
        for part in segments(task):
            yield part.text
