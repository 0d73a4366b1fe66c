"""Beam search: the same answers as transformers, from a tree that may lie on disk between steps."""

import math
from functools import cache
from typing import Any

import msgspec
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from aios.cores.torch.beam import BeamTree, Hypothesis, advance, harvest, plant
from aios.errors import CoreFailed
from aios.syscalls.llm import Beams

torch.set_num_threads(1)
VOCAB = 40
PROMPTS = [[1, 5, 9], [7, 7, 7, 7, 7, 7, 7], [30, 2, 17, 11, 3]]


@cache
def model(seed: int) -> Any:
    """A random model; larger weights make its next token less uniform."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=VOCAB,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=64,
        initializer_range=0.35,
        pad_token_id=0,
        bos_token_id=None,
        eos_token_id=None,
    )
    return LlamaForCausalLM(config).eval()


def likelier_end(seed: int, boost: float) -> torch.Tensor:
    """Added to all logits, so that end tokens are likely or not."""
    bias = torch.randn(VOCAB, generator=torch.Generator().manual_seed(seed)) * 0.5
    bias[[3, 4]] += boost
    return bias


def expected(
    seed: int, prompt: list[int], beams: Beams, boost: float, **more: Any
) -> list[tuple[tuple[int, ...], float]]:
    """What transformers' own beam search answers, cut after the end token, with scores."""
    eos: list[int] = more["eos"]
    net = model(seed)
    bias = likelier_end(seed, boost)
    hook = net.lm_head.register_forward_hook(lambda _m, _i, out: out + bias)
    with torch.no_grad():
        out = net.generate(
            torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.int64),
            num_beams=beams.width,
            num_return_sequences=more["n"],
            max_new_tokens=more["max_tokens"],
            length_penalty=beams.length_penalty,
            early_stopping=beams.early_stopping,
            eos_token_id=eos or None,
            pad_token_id=0,
            do_sample=False,
            return_dict_in_generate=True,
            output_scores=True,
        )
    hook.remove()
    found = []
    for ids, score in zip(out.sequences.tolist(), out.sequences_scores.tolist(), strict=True):
        answer = ids[len(prompt) :]
        ends = [at for at, token in enumerate(answer) if token in eos]
        found.append((tuple(answer[: ends[0] + 1] if ends else answer), score))
    return found


def searched(
    seed: int, prompt: list[int], beams: Beams, boost: float, **more: Any
) -> tuple[Hypothesis, ...]:
    """Our search over full forward passes; between steps the tree is bytes."""
    tree = plant(beams, len(prompt), more["max_tokens"], more["n"], frozenset(more["eos"]))
    rows = [list(prompt)]
    while not tree.done:
        with torch.no_grad():
            logits = model(seed)(torch.tensor(rows)).logits[:, -1] + likelier_end(seed, boost)
        tree, move = advance(tree, logits.float().log_softmax(-1))
        rows = [
            [*rows[parent], token] for parent, token in zip(move.parents, move.tokens, strict=True)
        ]
        assert rows == [[*prompt, *beam.token_ids] for beam in tree.live]
        assert move.done == tree.done
        packed = msgspec.msgpack.encode(tree)
        assert msgspec.msgpack.decode(packed, type=BeamTree) == tree
        tree = msgspec.msgpack.decode(packed, type=BeamTree)
    return harvest(tree)


@pytest.mark.parametrize("width", [2, 3, 5, 8])
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("length_penalty", [-1.0, 0.0, 1.0, 2.5])
def test_answers_and_scores_are_those_of_transformers(
    width: int, early_stopping: bool, length_penalty: float
) -> None:
    beams = Beams(width=width, length_penalty=length_penalty, early_stopping=early_stopping)
    for case in range(9):
        more: dict[str, Any] = {
            "eos": ([3], [3, 4], [])[case % 3],
            "max_tokens": (1, 12, 7)[case // 3],
            "n": (1, width)[case % 2],
        }
        args: tuple[int, list[int], Beams, float] = (
            case % 4,
            PROMPTS[case % 3],
            beams,
            (4.0, 1.0, -3.0, 2.5)[case % 4],
        )

        found = searched(*args, **more)

        wanted = expected(*args, **more)
        assert [one.token_ids for one in found] == [tokens for tokens, _ in wanted]
        scores = [score for _, score in wanted]
        assert [one.score for one in found] == pytest.approx(scores, rel=1e-6, abs=1e-5)
        assert all(one.finished == (one.token_ids[-1] in more["eos"]) for one in found)


def rows(*probabilities: list[float]) -> torch.Tensor:
    return torch.tensor(probabilities).log()


def test_the_first_step_takes_one_row_and_gives_width_branches() -> None:
    tree = plant(Beams(width=3), 4, 10, 1, frozenset({0}))

    tree, move = advance(tree, rows([0.1, 0.2, 0.3, 0.25, 0.15]))

    assert (move.parents, move.tokens, move.done) == ((0, 0, 0), (2, 3, 1), False)


def test_of_equal_continuations_the_better_beam_and_the_lower_id_win() -> None:
    tree = plant(Beams(width=2), 1, 10, 1, frozenset())
    tree, first = advance(tree, rows([0.25] * 4))
    _, second = advance(tree, rows([0.25] * 4, [0.25] * 4))

    assert first.tokens == (0, 1)
    assert (second.parents, second.tokens) == ((0, 0), (0, 1))


def test_masked_continuations_are_never_taken_and_dead_beams_leave() -> None:
    tree = plant(Beams(width=2), 1, 10, 1, frozenset({0}))
    tree, _ = advance(tree, rows([0.0, 0.5, 0.3, 0.2]))

    tree, move = advance(tree, rows([0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.9]))

    assert (move.parents, move.tokens, move.done) == ((1,), (3,), False)
    tree, move = advance(tree, rows([0.9, 0.0, 0.0, 0.0]))
    assert (move.parents, move.done) == ((), True)
    assert harvest(tree)[0].token_ids == (2, 3, 0)


def test_a_search_with_nowhere_to_go_and_no_answer_fails() -> None:
    tree = plant(Beams(width=2), 1, 10, 1, frozenset({0}))

    with pytest.raises(CoreFailed, match="every continuation is masked"):
        advance(tree, rows([0.0] * 4))


def test_unusable_log_probabilities_fail() -> None:
    tree = plant(Beams(width=2), 1, 10, 1, frozenset())

    with pytest.raises(CoreFailed, match="finite"):
        advance(tree, torch.tensor([[0.0, math.nan, -1.0, -2.0]]))


def test_a_search_cut_short_is_harvested_from_its_live_beams() -> None:
    tree = plant(Beams(width=2), 1, 10, 2, frozenset({0}))
    tree, _ = advance(tree, rows([0.6, 0.2, 0.15, 0.05]))

    best, second = harvest(tree)

    assert (best.token_ids, best.finished) == ((0,), True)
    assert (second.token_ids, second.finished) == ((1,), False)
    assert (best.score, second.score) == pytest.approx((math.log(0.6), math.log(0.2)))
