"""Carries out an assembly: counts tokens, recalls notes, has old turns summarised.

What is chosen is `assemble.py`'s matter. A message's own count is only an estimate, as a chat
template may add more to it among others; so the whole is counted at the end, and while it is over
the budget the oldest turn goes. Counts of messages are kept, a bounded number of them.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from aios.errors import InvalidArgument
from aios.memory.assemble import (
    TURN_WHY,
    Choice,
    Recalled,
    choose,
    instructions_of,
    notes_message,
    units_of,
)
from aios.syscalls.history import Assemble, Assembled, LeftOut, RecalledNote
from aios.syscalls.llm import Message
from aios.syscalls.note import Note

COUNTS_MAX = 100_000
SUMMARY_SHARE = 8  # a summary takes one part in so many of the budget
SUMMARY_TITLE = "Summary of the conversation before this:"
SUMMARISED_WHY = "older turns do not fit the budget; they are summarised"
NO_ROOM_WHY = "does not fit beside the instructions"


class Models(Protocol):
    """What the assembler asks of the LLMs, on behalf of an agent."""

    async def count(self, messages: Sequence[Message], model: str) -> int:
        """Tokens of the messages through the model's chat template."""
        ...

    async def summarise(
        self, agent: str, messages: Sequence[Message], tokens: int, model: str
    ) -> str:
        """The messages told in at most so many tokens."""
        ...


class Recall(Protocol):
    """Where notes come from."""

    async def recall(self, agent: str, query: str, limit: int) -> Sequence[Note]:
        """The notes nearest to the query that the agent may read, best first."""
        ...


@dataclass(slots=True, kw_only=True)
class _Draft:
    """An assembly in the making."""

    instructions: Sequence[Message]
    notes: list[Recalled]
    summary: str
    turns: list[Sequence[Message]]  # units, oldest first
    numbers: list[int]  # of each unit's first message
    left_out: list[LeftOut]

    def messages(self) -> tuple[Message, ...]:
        told = [notes_message(self.notes)] if self.notes else []
        if self.summary:
            told.append(Message(role="system", content=f"{SUMMARY_TITLE}\n{self.summary}"))
        turns = [message for unit in self.turns for message in unit]
        return (*self.instructions, *told, *turns)


class Assembler:
    """One for all agents."""

    def __init__(self, models: Models, notes: Recall) -> None:
        self._models = models
        self._notes = notes
        self._counts: OrderedDict[tuple[str, Message], int] = OrderedDict()  # oldest use first

    async def assemble(self, agent: str, call: Assemble, messages: Sequence[Message]) -> Assembled:
        """At most `budget_tokens` as the model counts them."""
        costs = [await self._cost(message, call.model) for message in messages]
        found = await self._found(agent, call)
        notes = await self._weighed(found, call.model)
        choice = choose(messages, costs, notes, call.budget_tokens)
        summary = ""
        if call.summarise and choice.first > choice.instructions:
            share = call.budget_tokens // SUMMARY_SHARE
            choice = choose(messages, costs, notes, call.budget_tokens, reserve=share)
            old = messages[choice.instructions : choice.first]
            summary = await self._models.summarise(agent, old, share, call.model)
        draft = _draft(choice, messages, costs, notes, summary)
        tokens = await self._fit(draft, call, costs)
        return Assembled(
            messages=draft.messages(),
            tokens=tokens,
            left_out=tuple(sorted(draft.left_out, key=_place)),
            notes=tuple(RecalledNote(note.owner, note.id) for note in found),
        )

    async def _fit(self, draft: _Draft, call: Assemble, costs: Sequence[int]) -> int:
        """Leave out what is still too much; the tokens of the rest."""
        while True:
            messages = draft.messages()
            tokens = await self._models.count(messages, call.model) if messages else 0
            if tokens <= call.budget_tokens:
                return tokens
            if len(draft.turns) > 1:
                _drop_oldest(draft, costs, TURN_WHY)
            elif draft.notes:
                note = draft.notes.pop()
                draft.left_out.append(LeftOut("note", note.id, note.tokens, NO_ROOM_WHY))
            elif draft.summary:
                draft.summary = ""
            elif draft.turns:
                _drop_oldest(draft, costs, NO_ROOM_WHY)
            else:
                raise InvalidArgument(
                    f"budget_tokens: the instructions take {tokens} tokens; "
                    f"expected at least that, got {call.budget_tokens}"
                )

    async def _found(self, agent: str, call: Assemble) -> Sequence[Note]:
        if not call.query or not call.notes_max:
            return ()
        return await self._notes.recall(agent, call.query, call.notes_max)

    async def _weighed(self, notes: Sequence[Note], model: str) -> list[Recalled]:
        return [
            Recalled(note.id, _line(note), await self._cost(_as_message(note), model))
            for note in notes
        ]

    async def _cost(self, message: Message, model: str) -> int:
        key = (model, message)
        known = self._counts.get(key)
        if known is None:
            known = await self._models.count((message,), model)
            if len(self._counts) >= COUNTS_MAX:
                self._counts.popitem(last=False)
        self._counts[key] = known
        self._counts.move_to_end(key)
        return known


def _draft(
    choice: Choice,
    messages: Sequence[Message],
    costs: Sequence[int],
    notes: Sequence[Recalled],
    summary: str,
) -> _Draft:
    units = units_of(messages, costs, choice.first)
    why = SUMMARISED_WHY if summary else TURN_WHY
    left_out = [
        LeftOut(one.kind, one.id, one.tokens, why) if one.kind == "message" else one
        for one in choice.left_out
    ]
    return _Draft(
        instructions=messages[: instructions_of(messages)],
        notes=[notes[place] for place in choice.notes],
        summary=summary,
        turns=[messages[unit.start : unit.end] for unit in units],
        numbers=[unit.start for unit in units],
        left_out=left_out,
    )


def _drop_oldest(draft: _Draft, costs: Sequence[int], why: str) -> None:
    unit, start = draft.turns.pop(0), draft.numbers.pop(0)
    draft.left_out += [
        LeftOut("message", str(number), costs[number], why)
        for number in range(start, start + len(unit))
    ]


def _line(note: Note) -> str:
    return f"{note.text} ({note.context})" if note.context else note.text


def _as_message(note: Note) -> Message:
    return Message(role="system", content=f"- {_line(note)}")


def _place(one: LeftOut) -> tuple[str, int]:
    return (one.kind, int(one.id) if one.kind == "message" else 0)
