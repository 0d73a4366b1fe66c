"""Measures pocket in a closed loop: `python -m aios.models.pocket.evaluate --json FILE`.

Greedy generation with plain transformers, calls held to the tools' schemas as the engine holds
them, real tools, their results fed back. A task counts only if every answer and everything the
tools leave behind is right. Knows nothing of training.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LogitsProcessorList

from aios.models.pocket import PATH
from aios.models.pocket.by_hand import by_hand
from aios.models.pocket.chat import call_message, parse_call, render_call
from aios.models.pocket.grammar import CallGrammars, InCalls
from aios.models.pocket.tasks import Task, tasks
from aios.models.pocket.tools import TEXT_MAX, TOOLS, WORDS_MAX, State, call

BARS = {
    "held_out_values": 0.97,
    "held_out_phrasings": 0.85,
    "by_hand": 0.80,
    "refusals": 0.95,
    "json_valid": 1.0,
}
_CALLS_MAX = 8  # for one request; a model that calls on and on has failed
_ROWS = 64
_SPARE_TOKENS = 40  # a turn may be this much longer than the right one
_CALL_TOKENS = 4 * (WORDS_MAX + TEXT_MAX) + 40  # any call in bounds: a character is four at most


@dataclass(slots=True)
class Play:
    """One task while it is played, and afterwards its result."""

    task: Task
    state: State
    told: list[dict[str, Any]] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)  # every turn the model wrote
    malformed: int = 0
    calls: int = 0
    calls_in_turn: int = 0
    is_over: bool = False

    @property
    def is_right(self) -> bool:
        end = self.task.end_state()
        answers = [turn.answer for turn in self.task.turns]
        same = (self.state.memory, self.state.notes) == (end.memory, end.notes)
        return same and self.answers == answers

    def begin(self) -> None:
        """Say the first thing."""
        if self.task.system:
            self.told.append({"role": "system", "content": self.task.system})
        self._ask()

    def hear(self, text: str) -> None:
        """Take one turn of the model: a call is carried out, an answer brings the next request."""
        self.written.append(text)
        try:
            wanted = parse_call(text)
        except ValueError:
            self.malformed += 1
            self.is_over = True
            return
        if wanted is None:
            self._answered(text)
        else:
            self._called(*wanted)

    def _called(self, name: str, arguments: dict[str, object]) -> None:
        self.calls += 1
        self.calls_in_turn += 1
        if not _is_valid(self.task, name, arguments):
            self.malformed += 1
        if self.calls_in_turn > _CALLS_MAX:
            self.is_over = True
            return
        self.told.append(call_message(name, arguments))
        self.told.append({"role": "tool", "content": call(name, arguments, self.state)})

    def _answered(self, text: str) -> None:
        self.answers.append(text.strip())
        self.told.append({"role": "assistant", "content": text})
        if len(self.answers) == len(self.task.turns):
            self.is_over = True
        else:
            self._ask()

    def _ask(self) -> None:
        self.calls_in_turn = 0
        turn = self.task.turns[len(self.answers)]
        self.told.append({"role": "user", "content": turn.user})

    def longest_turn(self) -> str:
        """The longest thing the model should write for the present request."""
        turn = self.task.turns[len(self.answers)]
        calls = [render_call(made.tool, made.arguments) for made in turn.calls]
        return max([turn.answer, *calls], key=len)


class Player:
    """Plays many tasks at once on one model; `free` lets it write calls that break a schema."""

    def __init__(self, folder: Path = PATH, *, free: bool = False) -> None:
        self.free = free
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self.grammars = CallGrammars(self.tokenizer)

    def play(self, drawn: Iterable[Task]) -> list[Play]:
        """Play each task to its end."""
        plays = [Play(task=task, state=task.state()) for task in drawn]
        for play in plays:
            play.begin()
        while going := [play for play in plays if not play.is_over]:
            # Like goes with like, so that one long answer holds up few others.
            going.sort(key=lambda play: (len(play.longest_turn()), len(play.told)))
            for at in range(0, len(going), _ROWS):
                self._round(going[at : at + _ROWS])
        return plays

    def _round(self, plays: Sequence[Play]) -> None:
        prompts = [self._prompt(play) for play in plays]
        given = self.tokenizer(prompts, return_tensors="pt", padding=True, add_special_tokens=False)
        longest = self.tokenizer([play.longest_turn() for play in plays])["input_ids"]
        made = self.model.generate(
            input_ids=given["input_ids"],
            attention_mask=given["attention_mask"],
            max_new_tokens=max(_CALL_TOKENS, max(map(len, longest)) + _SPARE_TOKENS),
            do_sample=False,
            logits_processor=LogitsProcessorList([] if self.free else [self._in_calls(plays)]),
        )
        fresh = made[:, given["input_ids"].shape[1] :]
        for play, row in zip(plays, fresh, strict=True):
            play.hear(self._text(row.tolist()))

    def _in_calls(self, plays: Sequence[Play]) -> InCalls:
        return InCalls(self.grammars, [play.task.schemas() for play in plays])

    def _prompt(self, play: Play) -> str:
        text = self.tokenizer.apply_chat_template(
            play.told,
            tools=play.task.schemas() or None,
            add_generation_prompt=True,
            tokenize=False,
        )
        return str(text)

    def _text(self, ids: list[int]) -> str:
        end = self.tokenizer.eos_token_id
        kept = ids[: ids.index(end)] if end in ids else ids
        return str(self.tokenizer.decode(kept, skip_special_tokens=False))


def refusal_tasks(seed: str, count: int) -> list[Task]:
    """Half with a needed tool missing, the same number at every list length; half out of scope."""
    lengths: dict[int, list[Task]] = {length: [] for length in range(8)}
    each = -(-count // (2 * len(lengths)))
    for task in tasks(seed, 400 * count, turns=1):
        place = lengths.get(len(task.tools))
        if task.kind == "missing" and place is not None and len(place) < each:
            place.append(task)
            if all(len(place) == each for place in lengths.values()):
                break
    missing = [task for place in lengths.values() for task in place]
    return missing + list(tasks(f"{seed} cannot", count - len(missing), ["cannot"], turns=1))


def main(arguments: list[str]) -> None:
    """Play every set, print slices, write the scores."""
    given = _parser().parse_args(arguments)
    player = Player(given.model, free=given.free)
    count = 80 if given.quick else given.count
    sets = {
        "held_out_values": list(tasks(f"evaluation {given.seed}", count)),
        "held_out_phrasings": list(tasks(f"evaluation {given.seed}", count, held_out=True)),
        "by_hand": by_hand(),
        "refusals": refusal_tasks(f"refusals {given.seed}", count // 2),
    }
    plays = {name: player.play(drawn) for name, drawn in sets.items()}
    for name, played in plays.items():
        _print_slices(name, played)
        if given.failures:
            _print_failures(played)
    scores = _scores(plays)
    for name, score in scores.items():
        print(f"{name:20} {score:.4f}  (bar {BARS[name]})")
    if given.json:
        given.json.write_text(json.dumps(scores, indent=1) + "\n")


def _scores(plays: dict[str, list[Play]]) -> dict[str, float]:
    scores = {name: _share(played) for name, played in plays.items()}
    everything = [play for played in plays.values() for play in played]
    calls = sum(play.calls for play in everything)
    malformed = sum(play.malformed for play in everything)
    scores["json_valid"] = round(1 - malformed / max(1, calls), 4)
    return scores


def _share(played: Sequence[Play]) -> float:
    return round(sum(play.is_right for play in played) / max(1, len(played)), 4)


def _is_valid(task: Task, name: str, arguments: dict[str, object]) -> bool:
    """Whether a call names a tool and gives it just what its schema asks for.

    Calling a tool that is not listed is a wrong refusal, not bad JSON: `is_right` judges it.
    """
    if name not in TOOLS:
        return name in task.tools and not arguments
    most = TOOLS[name].arguments
    return set(arguments) == set(most) and all(
        isinstance(value, str) and len(value) <= most[key] for key, value in arguments.items()
    )


def _print_slices(name: str, played: Sequence[Play]) -> None:
    print(f"{name}: {_share(played):.4f} of {len(played)}")
    for title, key in (
        ("kind", lambda play: play.task.kind),
        ("tools listed", lambda play: len(play.task.tools)),
        ("requests", lambda play: len(play.task.turns)),
    ):
        slices: dict[Any, list[Play]] = defaultdict(list)
        for play in played:
            slices[key(play)].append(play)
        shown = (
            f"{slot} {sum(play.is_right for play in part)}/{len(part)}"
            for slot, part in sorted(slices.items())
        )
        print(f"  by {title}: {', '.join(shown)}")


def _print_failures(played: Sequence[Play]) -> None:
    for play in played:
        if not play.is_right:
            users = [turn.user for turn in play.task.turns]
            wanted = [turn.answer for turn in play.task.turns]
            print(f"  FAILED {play.task.kind} {play.task.tools} {users}")
            print(f"    wanted {wanted}\n    wrote  {play.written}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m aios.models.pocket.evaluate")
    parser.add_argument("--json", type=Path, help="write the scores here")
    parser.add_argument("--model", type=Path, default=PATH)
    parser.add_argument("--count", type=int, default=400, help="tasks in each drawn set")
    parser.add_argument("--quick", action="store_true", help="80 tasks in each drawn set")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--free", action="store_true", help="do not hold calls to the schemas")
    parser.add_argument("--failures", action="store_true", help="print what went wrong")
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
