"""The shipped weights in plain transformers, and the training step."""

import pytest
import torch
from safetensors import safe_open
from tokenizers import Tokenizer

from aios.models.pocket import PATH, Task, tasks
from aios.models.pocket.chat import segments
from aios.models.pocket.data import collate, rows_of
from aios.models.pocket.evaluate import Player, refusal_tasks
from aios.models.pocket.model import loss_of, new_model, optimisers
from aios.models.pocket.tasks import Turn


@pytest.fixture(scope="module")
def player() -> Player:
    return Player()


def test_the_file_is_small_and_in_bf16() -> None:
    path = PATH / "model.safetensors"
    assert path.stat().st_size < 16 * 2**20
    with safe_open(path, framework="pt") as kept:
        assert {kept.get_tensor(name).dtype for name in kept.keys()} == {torch.bfloat16}  # noqa: SIM118


def test_a_call_is_two_single_tokens_around_json_and_ends_the_turn(player: Player) -> None:
    tokenizer = player.tokenizer
    for mark in ("<tool_call>", "</tool_call>", "<|end|>"):
        assert len(tokenizer(mark, add_special_tokens=False)["input_ids"]) == 1
    assert tokenizer.decode(tokenizer("<tool_call>")["input_ids"], skip_special_tokens=True)
    assert player.model.config.eos_token_id == tokenizer.convert_tokens_to_ids("<|end|>")
    assert player.model.config.max_position_embeddings == 2048


def test_it_does_simple_tasks_of_every_kind(player: Player) -> None:
    plays = player.play(_simple())
    wrong = [(play.task.kind, play.written) for play in plays if not play.is_right]
    assert not wrong


def test_it_holds_a_conversation_of_several_requests(player: Player) -> None:
    plays = player.play(tasks("talk", 8, ["calc_save", "remember", "recall", "calc"], turns=4))
    assert sum(play.is_right for play in plays) >= 7
    assert not sum(play.malformed for play in plays)


def test_it_refuses_what_no_listed_tool_can_do_at_every_list_length(player: Player) -> None:
    plays = player.play(refusal_tasks("shipped", 32))
    assert sum(play.is_right for play in plays) >= 29


def test_one_training_step_lowers_the_loss_on_a_small_batch() -> None:
    tokenizer = Tokenizer.from_file(str(PATH / "tokenizer.json"))
    torch.manual_seed(0)
    model = new_model(tokenizer)
    batch = collate(tokenizer, rows_of(tokenizer, list(tasks("step", 6, turns=1))))
    before = loss_of(model, batch)
    before.backward()  # type: ignore[no-untyped-call]
    for optimiser in optimisers(model, 3e-3):
        optimiser.step()
    assert loss_of(model, batch).item() < before.item() - 0.05


def test_only_what_the_assistant_wrote_has_full_weight() -> None:
    tokenizer = Tokenizer.from_file(str(PATH / "tokenizer.json"))
    (task,) = tasks("weights", 1, turns=3)
    (row,) = rows_of(tokenizer, [task])
    learned = [token for token, weight in zip(row.ids, row.weights, strict=True) if weight == 1.0]
    text = "".join(part.text for part in segments(task) if part.learned)
    assert tokenizer.decode(learned, skip_special_tokens=False) == text


def _simple() -> list[Task]:
    """The plainest wording of each kind, with all tools listed."""
    result = "The result is {}."
    listed = ("calculator", "memory_set", "memory_get", "note_write", "note_read")
    said: tuple[tuple[str, str, str, dict[str, str], dict[str, str]], ...] = (
        ("calc", "What is 37 + 58?", result.format(95), {}, {}),
        ("recall", "What is my fare?", "The fare is 240.", {"fare": "240"}, {}),
        ("recall", "What is my gate?", "I do not know the gate.", {}, {}),
        ("read", "Read the note trip", "The note trip says: pack", {}, {"trip": "pack"}),
        ("read", "Read the note trip", "There is no note trip.", {}, {}),
        ("recall_calc", "Recall the fare and add 15", result.format(255), {"fare": "240"}, {}),
        ("cannot", "Book a flight to Oslo", "I cannot do that with my tools.", {}, {}),
        ("repeat", "Repeat: blue house", "blue house", {}, {}),
        ("chat", "Who are you?", "I am pocket, a small model.", {}, {}),
        ("count", "Count from 12 to 30", ", ".join(map(str, range(12, 31))), {}, {}),
    )
    return [
        Task(
            kind=kind,
            system=None,
            tools=listed,
            turns=(Turn(kind=kind, user=user, calls=(), answer=answer),),
            memory=memory,
            notes=notes,
        )
        for kind, user, answer, memory, notes in said
    ]
