"""The model without a kernel computes what `transformers` does, and reads its own tool calls."""

from collections.abc import Iterator

import pytest
import torch
from transformers import AutoModelForCausalLM

from aios.bench.plain import PlainModel
from aios.bench.site import kv_token_bytes
from aios.models import pocket
from aios.syscalls import Decoding, Generate, Message, ToolSpec

QUESTION = "What is 12 + 30?"
CALCULATOR = ToolSpec("calculator", "", {"type": "object"})


@pytest.fixture(scope="module")
def model() -> Iterator[PlainModel]:
    threads = torch.get_num_threads()
    yield PlainModel(pocket.PATH)
    torch.set_num_threads(threads)


def question() -> Generate:
    return Generate(
        messages=(Message(role="user", content=QUESTION),),
        decoding=Decoding(max_tokens=60, tools=(CALCULATOR,)),
    )


def answered(model: PlainModel, prompt: list[int], most: int) -> list[int]:
    answer = model.begin(prompt)
    while len(answer.produced) < most and not answer.has_ended:
        answer.step()
    return answer.produced


def test_greedy_tokens_are_those_of_generate(model: PlainModel) -> None:
    prompt = model.prompt(question())
    reference = AutoModelForCausalLM.from_pretrained(pocket.PATH, dtype=torch.float32).eval()
    ids = torch.tensor([prompt])
    made = reference.generate(ids, max_new_tokens=60, do_sample=False)[0, len(prompt) :]
    assert answered(model, prompt, 60) == made.tolist()


def test_the_first_step_adds_the_prompt_and_the_others_one_token(model: PlainModel) -> None:
    prompt = model.prompt(question())
    answer = model.begin(prompt)
    grown = [answer.growth]
    for _ in range(3):
        answer.step()
        grown.append(answer.growth)
    assert grown == [len(prompt), 1, 1, 1]


def test_a_tool_call_is_taken_out_of_the_text(model: PlainModel) -> None:
    prompt = model.prompt(question())
    message = model.message(answered(model, prompt, 60))
    assert [call.name for call in message.tool_calls] == ["calculator"]
    assert message.content is None


def test_a_tool_call_survives_the_way_back_into_the_prompt(model: PlainModel) -> None:
    first = model.prompt(question())
    produced = answered(model, first, 60)
    conversation = (*question().messages, model.message(produced))
    again = model.prompt(Generate(messages=conversation, decoding=question().decoding))
    assert again[: len(first) + len(produced)] == [*first, *produced]


def test_bytes_of_a_token_are_what_the_configuration_says(model: PlainModel) -> None:
    assert model.kv_token_bytes == kv_token_bytes(pocket.PATH)
