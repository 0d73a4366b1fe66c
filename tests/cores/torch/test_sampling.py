"""Choosing a token: the order of the steps, the distributions, and rows that ignore each other."""

import math
import random
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from transformers.generation.logits_process import (
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from aios.cores.torch.sampling import Chosen, Draw, check, choose
from aios.errors import CoreFailed, InvalidArgument
from aios.syscalls.llm import Decoding


def draw(
    seed: int = 0,
    branch: int = 0,
    position: int = 0,
    mask: torch.Tensor | None = None,
    **more: Any,
) -> Draw:
    context: Sequence[int] = more.pop("context", ())
    prompt_tokens = more.pop("prompt_tokens", 0)
    return Draw(
        decoding=Decoding(**more),
        seed=seed,
        branch=branch,
        position=position,
        context=context,
        prompt_tokens=prompt_tokens,
        mask=mask,
    )


def tokens(chosen: Sequence[Chosen]) -> list[int]:
    return [one.token for one in chosen]


def random_logits(rows: int, vocab: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(rows, vocab, generator=torch.Generator().manual_seed(seed)) * 3


@pytest.mark.parametrize("vocab", [2, 17, 512, 4099])
def test_greedy_takes_the_lowest_id_among_equals(vocab: int) -> None:
    rng = random.Random(vocab)
    logits = torch.zeros(40, vocab)
    best = [sorted(rng.sample(range(vocab), min(2, vocab))) for _ in range(40)]
    for row, (low, high) in enumerate(best):
        logits[row, [low, high]] = 1.0

    chosen = choose(logits, [draw(temperature=0)] * 40)

    assert tokens(chosen) == [low for low, _ in best]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"temperature": 0.7},
        {"top_k": 5},
        {"top_p": 0.8},
        {"min_p": 0.1},
        {"temperature": 1.5, "top_k": 9, "top_p": 0.85, "min_p": 0.08},
        {"repetition_penalty": 1.7, "context": (3, 3, 5, 9, 1), "prompt_tokens": 2},
        {"repetition_penalty": 0.6, "context": (3, 3, 5), "top_p": 0.9, "temperature": 2.0},
    ],
)
def test_draws_follow_the_distribution_that_transformers_computes(more: dict[str, Any]) -> None:
    logits = random_logits(1, 16, seed=4)
    count = 20_000
    expected = _warped(logits, more).softmax(-1)[0]

    chosen = choose(
        logits.expand(count, -1), [draw(seed=1, position=i, **more) for i in range(count)]
    )

    seen = torch.bincount(torch.tensor(tokens(chosen)), minlength=16).float()
    assert set(seen.nonzero()[:, 0].tolist()) <= set(expected.nonzero()[:, 0].tolist())
    likely = expected * count > 5
    chi = ((seen - expected * count) ** 2 / (expected * count))[likely].sum()
    assert chi < likely.sum() + 4 * (2 * likely.sum()) ** 0.5


def test_presence_and_frequency_count_produced_tokens_only() -> None:
    logits = torch.tensor([[0.0, 1.0, 1.0, 1.0, 0.5]])
    history: dict[str, Any] = {
        "context": (1, 1, 1, 2, 3, 3),
        "prompt_tokens": 3,
        "temperature": 0,
        "logprobs": 0,
    }

    def best(**more: Any) -> int:
        return choose(logits, [draw(**history, **more)])[0].token

    assert best(presence_penalty=0.2) == 1
    assert best(presence_penalty=-0.2) == 2
    assert best(frequency_penalty=-0.2) == 3
    assert best(frequency_penalty=-0.2, presence_penalty=-9.0) == 3
    assert best(repetition_penalty=3.0) == 4


def test_bias_comes_before_the_mask_and_the_mask_before_penalties() -> None:
    logits = torch.tensor([[1.0, 2.0, 3.0]])
    mask = torch.tensor([True, True, False])

    biased = draw(temperature=0, logit_bias={2: 50.0, 0: 5.0}, mask=mask)
    # The bias makes token 0 positive before the penalty divides it.
    penalised = draw(
        temperature=0, logit_bias={0: 5.0}, repetition_penalty=4.0, context=[0], mask=mask
    )

    assert tokens(choose(logits, [biased])) == [0]
    assert tokens(choose(logits, [penalised])) == [1]


def test_top_k_of_one_is_greedy_among_equals_too() -> None:
    logits = torch.tensor([[0.0, 2.0, 2.0, 1.0]]).expand(50, -1)

    assert tokens(choose(logits, [draw(seed=i, top_k=1) for i in range(50)])) == [1] * 50


def test_top_p_keeps_the_smallest_set_that_reaches_it() -> None:
    logits = torch.tensor([[0.5, 0.25, 0.125, 0.125]]).log().expand(400, -1)

    def support(top_p: float) -> set[int]:
        return set(tokens(choose(logits, [draw(position=i, top_p=top_p) for i in range(400)])))

    assert support(0.5) == {0}
    assert support(0.51) == {0, 1}
    assert support(0.8) == {0, 1, 2}
    assert support(1e-9) == {0}


@pytest.mark.parametrize("temperature", [1e-45, 1e-30, 1e-3])
def test_a_tiny_temperature_is_greedy(temperature: float) -> None:
    logits = random_logits(30, 100)

    chosen = choose(logits, [draw(seed=i, temperature=temperature) for i in range(30)])

    assert tokens(chosen) == logits.argmax(dim=1).tolist()


@pytest.mark.parametrize("vocab", [3, 511, 512, 1000])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_row_is_the_same_bit_for_bit_in_any_batch(vocab: int, threads: int) -> None:
    rng = random.Random(vocab)
    logits = random_logits(61, vocab, seed=vocab)
    draws = [_any_draw(rng, vocab) for _ in range(61)]
    torch.set_num_threads(1)
    alone = [choose(logits[i : i + 1], [draws[i]])[0] for i in range(61)]
    torch.set_num_threads(threads)

    for size in (61, 64, 2, 7, 16, 33):
        order = [rng.randrange(61) for _ in range(size)]
        chosen = choose(logits[order], [draws[i] for i in order])
        assert chosen == [alone[i] for i in order]
    strided = torch.empty(61, vocab + 5)[:, 2 : vocab + 2].copy_(logits)
    assert choose(strided, draws) == alone
    torch.set_num_threads(1)


def test_branches_seeds_and_positions_draw_differently() -> None:
    logits = torch.zeros(1, 1000)

    def one(seed: int, branch: int, position: int) -> int:
        return choose(logits, [draw(seed=seed, branch=branch, position=position)])[0].token

    assert len({one(1, 0, 0), one(2, 0, 0), one(1, 1, 0), one(1, 0, 1), one(-1, 0, 0)}) == 5
    assert one(7, 3, 9) == one(7, 3, 9)


def test_log_probabilities_are_of_the_raw_logits() -> None:
    logits = random_logits(4, 512, seed=9)
    mask = torch.zeros(512, dtype=torch.bool)
    mask[77] = True
    exact = logits.double().log_softmax(-1)

    chosen = choose(
        logits,
        [
            draw(logprobs=5, temperature=3.0, top_k=2),
            draw(logprobs=0, temperature=0, mask=mask, logit_bias={3: 9.0}),
            draw(temperature=0),
            draw(logprobs=20, temperature=0, repetition_penalty=9.0, context=[1, 2, 3]),
        ],
    )

    assert chosen[2].logprob is None
    for row, tops in ((0, 5), (1, 0), (3, 20)):
        found = chosen[row].logprob
        assert found is not None
        assert found.token_id == chosen[row].token
        assert found.logprob == pytest.approx(exact[row, found.token_id].item(), abs=2e-6)
        best = exact[row].topk(max(tops, 1))
        assert [slot for slot, _ in found.top] == best.indices.tolist()[:tops]
        assert [value for _, value in found.top] == pytest.approx(
            best.values.tolist()[:tops], abs=2e-6
        )
    assert chosen[1].token == 77


def test_top_log_probabilities_break_ties_by_id() -> None:
    logits = torch.zeros(1, 300)
    logits[0, 200] = 1.0

    found = choose(logits, [draw(logprobs=4, temperature=0)])[0].logprob

    assert found is not None
    assert [slot for slot, _ in found.top] == [200, 0, 1, 2]


def test_more_log_probabilities_than_tokens_gives_all() -> None:
    found = choose(torch.zeros(1, 3), [draw(logprobs=20)])[0].logprob

    assert found is not None
    assert len(found.top) == 3


def test_the_callers_logits_stay_as_they_are() -> None:
    logits = random_logits(3, 64)
    before = logits.clone()

    choose(
        logits,
        [
            draw(logit_bias={1: 3.0}),
            draw(mask=torch.ones(64, dtype=torch.bool)),
            draw(presence_penalty=1.0, context=[1]),
        ],
    )

    assert torch.equal(logits, before)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_unusable_logits_name_their_row(bad: float) -> None:
    logits = random_logits(3, 8)
    logits[1, 4] = bad

    with pytest.raises(CoreFailed, match="row 1"):
        choose(logits, [draw()] * 3)


def test_a_mask_that_allows_nothing_names_its_row() -> None:
    nothing = torch.zeros(8, dtype=torch.bool)

    with pytest.raises(CoreFailed, match="row 2"):
        choose(random_logits(3, 8), [draw(), draw(temperature=0), draw(mask=nothing)])


@pytest.mark.parametrize("token", [-1, 512, 10**9])
def test_a_bias_outside_the_vocabulary_is_refused_with_the_range(token: int) -> None:
    with pytest.raises(InvalidArgument, match=f"0 to 511 in logit_bias, got {token}"):
        check(Decoding(logit_bias={0: 1.0, token: 1.0}), 512)


def test_a_bias_that_fp32_cannot_add_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="between -1e9 and 1e9"):
        check(Decoding(logit_bias={3: -1e300}), 512)
    check(Decoding(logit_bias={0: 1e9, 511: -1e9}), 512)


def _warped(logits: torch.Tensor, more: dict[str, Any]) -> torch.Tensor:
    steps = LogitsProcessorList()
    if "repetition_penalty" in more:
        steps.append(RepetitionPenaltyLogitsProcessor(more["repetition_penalty"]))
    if "temperature" in more:
        steps.append(TemperatureLogitsWarper(more["temperature"]))
    if "top_k" in more:
        steps.append(TopKLogitsWarper(more["top_k"]))
    if "top_p" in more:
        steps.append(TopPLogitsWarper(more["top_p"]))
    if "min_p" in more:
        steps.append(MinPLogitsWarper(more["min_p"]))
    context = torch.tensor([more.get("context", ())], dtype=torch.int64)
    warped: torch.Tensor = steps(context, logits)
    return warped


def _any_draw(rng: random.Random, vocab: int) -> Draw:
    mask = torch.tensor([rng.random() < 0.5 for _ in range(vocab)])
    mask[rng.randrange(vocab)] = True
    return draw(
        seed=rng.randrange(-(2**63), 2**63),
        position=rng.randrange(1000),
        mask=rng.choice([None, None, mask]),
        context=[rng.randrange(vocab) for _ in range(rng.randrange(1, 50))],
        prompt_tokens=rng.randrange(50),
        temperature=rng.choice([0, 0.3, 1.0, 1.7]),
        top_k=rng.choice([0, 0, 1, 7, 40, vocab, vocab + 5]),
        top_p=rng.choice([1.0, 1.0, 0.9, 0.2]),
        min_p=rng.choice([0.0, 0.0, 0.05]),
        repetition_penalty=rng.choice([1.0, 1.3]),
        presence_penalty=rng.choice([0.0, 0.7]),
        frequency_penalty=rng.choice([0.0, 0.1]),
        logit_bias=rng.choice([{}, {rng.randrange(vocab): 1.5}]),
        logprobs=rng.choice([None, 0, 3]),
    )
