"""What pocket learns from must be right: tools, labels, phrasing, lists and the chat format."""

import random
from collections import defaultdict

import pytest
from transformers import AutoTokenizer

from aios.models.pocket import PATH, TOOLS, State, Task, call, phrases, tasks
from aios.models.pocket.by_hand import by_hand
from aios.models.pocket.chat import messages, parse_call, render_call, segments
from aios.models.pocket.evaluate import Play, refusal_tasks
from aios.models.pocket.plan import CANNOT
from aios.models.pocket.tasks import WEIGHTS
from aios.models.pocket.tools import calculate
from aios.models.pocket.voice import Voice, held_of


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("37+58", "95"),
        ("2*(3+4)", "14"),
        ("10/4", "2.5"),
        ("0.1+0.2", "0.3"),
        ("1/3", "0.3333"),
        ("3-10", "-7"),
        ("1/0", "error: division by zero"),
        ("__import__('os')", "error: not an expression"),
        ("9**9**9", "error: not an expression"),
    ],
)
def test_the_calculator_is_exact_and_safe(expression: str, value: str) -> None:
    assert calculate(expression) == value


def test_tools_change_only_their_state_and_answer_mistakes_with_errors() -> None:
    state = State(faults=["error: timeout", ""])
    fact = {"key": "fare", "value": "240"}
    assert call("memory_set", fact, state) == "error: timeout"
    assert call("memory_get", {"key": "fare"}, state) == "null"
    assert call("memory_set", fact, state) == "ok"
    assert call("memory_get", {"key": "fare"}, state) == "240"
    assert call("note_read", {"name": "trip"}, state) == "error: not found"
    assert call("note_read", {"title": "trip"}, state).startswith("error: expected")
    assert call("fly", {}, state) == "error: no tool fly"
    assert (
        call("memory_get", {"key": "a" * 41}, state)
        == "error: expected at most 40 characters in key"
    )


def test_every_tool_has_an_openai_schema_with_text_arguments() -> None:
    for name, tool in TOOLS.items():
        function = tool.schema["function"]
        assert function["name"] == name
        assert function["parameters"]["required"] == list(tool.arguments)
        for text in function["parameters"]["properties"].values():
            assert text["type"] == "string"
            assert text["maxLength"] >= 40


def test_a_seed_gives_the_same_tasks_again() -> None:
    assert list(tasks(5, 40)) == list(tasks(5, 40))
    assert list(tasks(5, 40)) != list(tasks(6, 40))


def test_the_tools_reproduce_the_result_of_every_call_in_every_trace() -> None:
    for task in _all_sorts():
        state = task.state()
        for turn in task.turns:
            for made in turn.calls:
                assert made.tool in task.tools
                assert call(made.tool, made.arguments, state) == made.result


def test_a_perfect_assistant_wins_every_task_and_a_silent_one_wins_none() -> None:
    for task in [*tasks("perfect", 200), *by_hand()]:
        play = Play(task=task, state=task.state())
        play.begin()
        for turn in task.turns:
            for made in turn.calls:
                play.hear(render_call(made.tool, made.arguments))
            play.hear(turn.answer)
        assert play.is_over
        assert play.is_right
        assert not Play(task=task, state=task.state()).is_right


def test_no_task_needs_a_longer_argument_than_the_schemas_allow() -> None:
    for task in _all_sorts():
        for made in (made for turn in task.turns for made in turn.calls):
            for name, text in made.arguments.items():
                assert len(text) <= TOOLS[made.tool].arguments[name]


def test_calls_out_of_their_schema_are_malformed_and_others_are_not() -> None:
    judged = {
        render_call("calculator", {"expr": "1+2"}): 0,
        render_call("calculator", {"expr": "1" * 41}): 1,
        render_call("calculator", {"sum": "1+2"}): 1,
        render_call("calculator", {"expr": 3}): 1,
        render_call("memory_set", {"key": "a"}): 1,
        render_call("decoy", {}): 0,
        render_call("decoy", {"a": "b"}): 1,
        render_call("fly", {}): 1,
        '<tool_call>{"name": "calculator", "arguments": {"expr": "1': 1,
    }
    for text, malformed in judged.items():
        task = Task(kind="calc", system=None, tools=("calculator", "decoy"), turns=())
        play = Play(task=task, state=State())
        play.hear(text)
        assert play.malformed == malformed, text


def test_a_repeated_word_comes_up_in_texts() -> None:
    texts = [
        task.turns[0].calls[0].arguments["text"]
        for task in tasks("twice", 300, ["write"])
        if task.turns[0].calls
    ]
    assert sum(len(set(words)) < len(words) for words in map(str.split, texts)) > 5


def test_refusals_name_the_tool_that_is_missing_at_every_list_length() -> None:
    drawn = refusal_tasks("test", 64)
    lengths = {len(task.tools) for task in drawn if task.kind == "missing"}
    assert lengths == set(range(8))
    for task in drawn:
        answer = task.turns[0].answer
        assert answer == CANNOT or "is not listed" in answer
        assert not any(f"the tool {name} " in answer for name in task.tools)


def test_the_length_of_the_list_does_not_tell_whether_a_tool_is_missing() -> None:
    counts: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for task in tasks("lengths", 4000, turns=1):
        if task.turns[0].calls or task.kind == "missing":
            counts[len(task.tools)][task.kind == "missing"] += 1
    for length in range(1, 6):
        present, missing = counts[length]
        assert 0.04 < missing / (present + missing) < 0.5, (length, counts[length])


def test_held_out_phrases_never_reach_training() -> None:
    held = held_of(phrases.COMPUTE)
    assert held
    seen = " | ".join(_users(list(tasks(1, 3000, ["calc"]))))
    unseen = " | ".join(_users(list(tasks(1, 300, ["calc"], held_out=True))))
    assert not [verb for verb in ("ascertain", "tot up") if verb in seen]
    assert [verb for verb in held if verb in unseen]


def test_a_blurred_frame_has_one_unknown_word_that_bounds_no_key_and_value() -> None:
    plain, blurred = Voice(random.Random(1)), Voice(random.Random(1), blurred=1.0)
    changed = 0
    for slot in (phrases.STATE, phrases.REMEMBER_THAT, phrases.RECALL_WHOLE):
        for _ in range(200):
            assert plain.frame(slot) in slot
            made = blurred.frame(slot)
            near = [frame for frame in slot if _words_changed(frame, made) == 1]
            changed += made not in slot
            assert made in slot or any(_keeps_borders(frame, made) for frame in near), made
    assert changed > 200


def test_every_kind_of_task_can_be_drawn_alone() -> None:
    for kind in set(WEIGHTS) - {"follow_calc", "follow_save"}:
        (task,) = tasks("alone", 1, [kind], turns=1)
        assert task.turns[0].kind == kind


def test_no_sentence_by_hand_is_one_the_generator_made() -> None:
    by_people = set(_users(by_hand()))
    assert len(by_people) >= 60
    assert not by_people & set(_users(list(tasks(1, 4000))))


def test_the_shipped_template_renders_what_training_showed() -> None:
    tokenizer = AutoTokenizer.from_pretrained(PATH)
    for task in tasks("template", 60):
        text = tokenizer.apply_chat_template(
            messages(task), tools=task.schemas() or None, tokenize=False
        )
        assert text == "".join(part.text for part in segments(task))
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        assert tokenizer.decode(ids) == text


def test_a_call_renders_alike_from_a_dict_and_from_any_json_text() -> None:
    tokenizer = AutoTokenizer.from_pretrained(PATH)
    expected = render_call("memory_set", {"key": "fare", "value": "240"})
    for arguments in (
        {"key": "fare", "value": "240"},
        '{"key":"fare","value":"240"}',
        '{"key": "fare", "value": "240"}',
    ):
        made = {"type": "function", "function": {"name": "memory_set", "arguments": arguments}}
        told = [{"role": "assistant", "content": None, "tool_calls": [made]}]
        text = tokenizer.apply_chat_template(told, tokenize=False, add_generation_prompt=True)
        assert text == f"<|system|>Tools: none<|end|><|assistant|>{expected}<|end|><|assistant|>"
    assert parse_call(expected) == ("memory_set", {"key": "fare", "value": "240"})


def test_a_call_that_is_not_closed_or_no_json_is_malformed() -> None:
    for text in ("<tool_call>{}", "<tool_call>{x}</tool_call>", "<tool_call>[1]</tool_call>"):
        with pytest.raises(ValueError, match=r"."):
            parse_call(text)
    assert parse_call("The result is 95.") is None


def _all_sorts() -> list[Task]:
    return [*tasks("sorts", 400), *tasks("sorts", 200, held_out=True), *by_hand()]


def _users(drawn: list[Task]) -> list[str]:
    return [turn.user for task in drawn for turn in task.turns]


def _words_changed(frame: str, made: str) -> int:
    old, new = frame.split(), made.split()
    return sum(a != b for a, b in zip(old, new, strict=True)) if len(old) == len(new) else 99


def _keeps_borders(frame: str, made: str) -> bool:
    """No unknown word stands before a key or a value, nor between the two."""
    old, new = frame.split(), made.split()
    (at,) = (at for at in range(len(old)) if old[at] != new[at])
    following = old[at + 1] if at + 1 < len(old) else ""
    return not following.startswith(("{k}", "{v}"))
