"""The model as evaluator: it is asked under a schema, and only where there is an answer."""

import asyncio

import jsonschema
import pytest

from aios.agents import Judge, Outcome, Verdict
from aios.agents.judge import SCHEMA
from aios.errors import CoreFailed
from aios.sdk import Client
from tests.sdk.fakes import FakeKernel, contents


def judge(kernel: FakeKernel, *, answered: bool = True) -> Verdict:
    trial = Outcome(answer="4", succeeded=answered, steps=(), messages=())
    return asyncio.run(Judge(max_tokens=50)(Client(kernel, kernel.token), "2 + 2?", trial))


def test_the_verdict_is_what_the_model_said() -> None:
    said = '{"feedback": "too low", "passed": false}'
    jsonschema.validate({"feedback": "", "passed": True}, SCHEMA)
    assert judge(FakeKernel(said)) == Verdict(passed=False, feedback="too low")


def test_the_model_is_shown_task_and_answer_and_held_to_the_schema() -> None:
    kernel = FakeKernel('{"feedback": "", "passed": true}')
    judge(kernel)
    asked = kernel.generated[0]
    assert contents(asked.messages)[-1] == '{"task":"2 + 2?","answer":"4"}'
    assert asked.decoding.schema == SCHEMA
    assert asked.decoding.temperature == 0
    assert asked.decoding.max_tokens == 50


def test_a_trial_without_an_answer_fails_without_a_generation() -> None:
    kernel = FakeKernel()
    assert not judge(kernel, answered=False).passed
    assert kernel.generated == []


def test_a_reply_that_is_no_verdict_is_the_cores_fault() -> None:
    with pytest.raises(CoreFailed, match="expected a verdict"):
        judge(FakeKernel("fine, I think"))
