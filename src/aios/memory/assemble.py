"""Which messages go into the next call: instructions, the newest turns, notes. Pure.

A unit is what must stay together: one message, or an assistant's tool calls and everything up to
the last result that answers them. Units are taken from the newest back, without a gap, so that what
is left out is always the oldest part of the conversation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aios.errors import InvalidArgument
from aios.syscalls.history import LeftOut
from aios.syscalls.llm import Message

NOTES_SHARE = 4  # notes take at most one part in so many of the budget
TURN_WHY = "older turns do not fit the budget"
NOTE_SHARE_WHY = "notes take at most a quarter of the budget"
NOTE_ROOM_WHY = "no room besides the instructions and the newest turn"
NOTES_TITLE = "Notes from memory:"


@dataclass(frozen=True, slots=True)
class Unit:
    """Messages `start` to `end` (exclusive) and what they cost together."""

    start: int
    end: int
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is taken: instructions, the notes of those places, and messages from `first` on."""

    instructions: int  # leading messages
    notes: tuple[int, ...]
    first: int
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True)
class Recalled:
    """A note as a line of text, and what it costs."""

    id: str
    text: str
    tokens: int


def choose(
    messages: Sequence[Message],
    costs: Sequence[int],
    notes: Sequence[Recalled],
    budget: int,
    *,
    reserve: int = 0,
) -> Choice:
    """What fits `budget`; `costs` are the messages' tokens. Best notes first.

    `reserve` tokens are kept free of all but the newest unit.
    """
    instructions = instructions_of(messages)
    room = budget - sum(costs[:instructions])
    if room < 0:
        raise InvalidArgument(
            f"budget_tokens: the instructions take {budget - room} tokens; "
            f"expected at least that, got {budget}"
        )
    units = units_of(messages, costs, instructions)
    newest = units[-1].tokens if units else 0
    spare = max(room - newest - reserve, 0)
    taken, notes_out, spent = _fitting(notes, budget // NOTES_SHARE, spare)
    first = _first_fitting(units, min(room, newest + spare) - spent, len(messages))
    left = [unit for unit in units if unit.start < first]
    return Choice(
        instructions=instructions,
        notes=taken,
        first=first,
        left_out=(*_turns_out(left, costs), *notes_out),
    )


def instructions_of(messages: Sequence[Message]) -> int:
    """How many system messages lead."""
    for number, message in enumerate(messages):
        if message.role != "system":
            return number
    return len(messages)


def units_of(messages: Sequence[Message], costs: Sequence[int], start: int) -> list[Unit]:
    """The units from `start` on, oldest first."""
    ends = _ends(messages)
    units = []
    while start < len(messages):
        end = number = start
        while number <= end:  # A call inside of the unit may make it longer.
            end = max(end, ends[number] - 1)
            number += 1
        units.append(Unit(start, end + 1, sum(costs[start : end + 1])))
        start = end + 1
    return units


def notes_message(notes: Sequence[Recalled]) -> Message:
    """What the model is told of its notes."""
    lines = "\n".join(f"- {note.text}" for note in notes)
    return Message(role="system", content=f"{NOTES_TITLE}\n{lines}")


def _ends(messages: Sequence[Message]) -> list[int]:
    """For each message the end of what must stay with it. Ids of calls may come again later."""
    ends = [number + 1 for number in range(len(messages))]
    asked: dict[str, int] = {}  # by which message the id was used last
    for number, message in enumerate(messages):
        for call in message.tool_calls:
            asked[call.id] = number
        if message.role == "tool" and message.tool_call_id in asked:
            ends[asked[message.tool_call_id]] = number + 1
    return ends


def _fitting(
    notes: Sequence[Recalled], share: int, room: int
) -> tuple[tuple[int, ...], list[LeftOut], int]:
    """Places of the notes that fit, those that do not, and the tokens spent."""
    taken: list[int] = []
    out: list[LeftOut] = []
    spent = 0
    for place, note in enumerate(notes):
        if spent + note.tokens > share:
            out.append(LeftOut("note", note.id, note.tokens, NOTE_SHARE_WHY))
        elif spent + note.tokens > room:
            out.append(LeftOut("note", note.id, note.tokens, NOTE_ROOM_WHY))
        else:
            taken.append(place)
            spent += note.tokens
    return tuple(taken), out, spent


def _first_fitting(units: Sequence[Unit], room: int, end: int) -> int:
    """The first message of the newest units that fit together."""
    first = end
    for unit in reversed(units):
        room -= unit.tokens
        if room < 0:
            break
        first = unit.start
    return first


def _turns_out(units: Sequence[Unit], costs: Sequence[int]) -> list[LeftOut]:
    return [
        LeftOut("message", str(number), costs[number], TURN_WHY)
        for unit in units
        for number in range(unit.start, unit.end)
    ]
