"""Calls that the evaluation lets through are those that the engine lets through, and always end."""

import random

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer

from aios.cores.torch.grammar import Grammars
from aios.models.pocket import PATH, TOOLS
from aios.models.pocket.chat import parse_call
from aios.models.pocket.evaluate import Play
from aios.models.pocket.grammar import CallGrammars, InCalls
from aios.models.pocket.tasks import Task
from aios.models.pocket.tools import State
from aios.syscalls.llm import Decoding, ToolSpec

SCHEMAS = [tool.schema for tool in TOOLS.values()]
SPECS = tuple(ToolSpec(**schema["function"]) for schema in SCHEMAS)
TOKENIZER = AutoTokenizer.from_pretrained(PATH)
BEGIN, END = (TOKENIZER.convert_tokens_to_ids(mark) for mark in ("<tool_call>", "</tool_call>"))


@pytest.fixture(scope="module")
def grammars() -> CallGrammars:
    return CallGrammars(TOKENIZER)


@pytest.mark.parametrize("seed", range(8))
def test_any_way_through_the_grammar_is_a_valid_call_that_the_engine_allows_too(
    grammars: CallGrammars, seed: int
) -> None:
    rng = random.Random(seed)
    engine = Grammars(TOKENIZER, len(TOKENIZER)).constraint(Decoding(tools=SPECS))
    assert engine is not None
    engine.accept(BEGIN)
    matcher, written = grammars.after_begin(SCHEMAS), [BEGIN]
    while not matcher.is_stopped():
        packed = np.frombuffer(matcher.compute_bitmask(), dtype=np.uint8)
        bits = np.unpackbits(packed, count=len(TOKENIZER), bitorder="little")
        mask = torch.from_numpy(bits).bool()
        assert not (mask & ~engine.mask()).any()
        token = rng.choice(mask.nonzero().flatten().tolist())
        matcher.consume_token(token)
        engine.accept(token)
        written.append(token)
    assert _is_well_formed(TOKENIZER.decode(written))


@pytest.mark.parametrize("word", ["fare", "8", "\\", "é", '"'])
def test_a_word_repeated_without_end_is_closed_in_time(grammars: CallGrammars, word: str) -> None:
    processor = InCalls(grammars, [SCHEMAS])
    wish = TOKENIZER(word, add_special_tokens=False)["input_ids"][0]
    ids = torch.tensor([[BEGIN]])
    processor(torch.tensor([[wish]]), torch.zeros(1, len(TOKENIZER)))  # the prompt's last token
    for _ in range(400):
        scores = torch.zeros(1, len(TOKENIZER))
        scores[0, wish] = 1.0
        chosen = processor(ids, scores).argmax(-1)
        ids = torch.cat([ids, chosen[None]], dim=1)
        if int(chosen) == END:
            break
    assert _is_well_formed(TOKENIZER.decode(ids[0].tolist()))


@pytest.mark.parametrize("word", ["fare", "8", "\\", "é", '"'])
def test_the_engine_closes_it_too(word: str) -> None:
    engine = Grammars(TOKENIZER, len(TOKENIZER)).constraint(Decoding(tools=SPECS))
    assert engine is not None
    wish = TOKENIZER(word, add_special_tokens=False)["input_ids"][0]
    written = [BEGIN]
    engine.accept(BEGIN)
    while written[-1] != END and len(written) < 400:
        mask = engine.mask()
        written.append(wish if mask[wish] else int(mask.int().argmax()))
        engine.accept(written[-1])
    assert _is_well_formed(TOKENIZER.decode(written))


def test_text_outside_calls_and_rows_without_tools_are_free(grammars: CallGrammars) -> None:
    processor = InCalls(grammars, [SCHEMAS, []])
    for last in (7, BEGIN):
        scores = processor(torch.tensor([[last], [last]]), torch.zeros(2, len(TOKENIZER)))
        assert not scores[1].isinf().any()
        assert bool(scores[0].isinf().any()) == (last == BEGIN)


def _is_well_formed(text: str) -> bool:
    """Whether the evaluation itself finds nothing wrong with a call."""
    assert parse_call(text) is not None
    play = Play(task=Task(kind="", system=None, tools=tuple(TOOLS), turns=()), state=State())
    play.hear(text)
    return play.calls == 1 and play.malformed == 0
