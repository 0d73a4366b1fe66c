"""Random generations of every kind that a context switch must not change. Pure."""

from collections.abc import Callable
from random import Random

import msgspec

from aios.syscalls import Beams, Decoding, Generate, Message, ToolSpec

TEXT = (
    "the agent waits while another one writes a long letter to its old friend about rain and "
    "numbers 7 12 480 please remember every file add them up tell me what time it is now"
)
WORDS = TEXT.split()
PROMPT_WORDS_MAX = 160
SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 40},
        "count": {"type": "integer", "minimum": 0, "maximum": 100_000},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 12}, "maxItems": 6},
    },
    "required": ["name", "count", "tags"],
    "additionalProperties": False,
}
TOOL = ToolSpec(
    name="note",
    description="Keep a note.",
    parameters={
        "type": "object",
        "properties": {"text": {"type": "string", "maxLength": 60}},
        "required": ["text"],
        "additionalProperties": False,
    },
)


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One generation: `kind` says how its tokens are chosen."""

    id: str
    kind: str
    call: Generate


def case(kind: str, number: int, rng: Random) -> Case:
    """A new case; every choice in it is drawn from `rng`."""
    decoding = KINDS[kind](rng)
    text = " ".join(rng.choices(WORDS, k=rng.randint(4, PROMPT_WORDS_MAX)))
    if decoding.tools:
        call = Generate(messages=(Message("user", text),), decoding=decoding)
    else:
        call = Generate(prompt=text, decoding=decoding)
    return Case(id=f"{kind}-{number}", kind=kind, call=call)


def _greedy(rng: Random) -> Decoding:
    return Decoding(
        temperature=0.0,
        max_tokens=rng.randint(16, 96),
        repetition_penalty=rng.choice((1.0, 1.2)),
        seed=rng.getrandbits(62),
    )


def _sampled(rng: Random) -> Decoding:
    return Decoding(
        temperature=rng.uniform(0.6, 1.5),
        top_p=rng.choice((1.0, 0.9)),
        top_k=rng.choice((0, 40)),
        min_p=rng.choice((0.0, 0.02)),
        presence_penalty=rng.choice((0.0, 0.5)),
        max_tokens=rng.randint(16, 96),
        n=rng.choice((1, 1, 2, 3)),
        seed=rng.getrandbits(62),
    )


def _grammar(rng: Random) -> Decoding:
    common = Decoding(
        temperature=rng.choice((0.0, 1.0)), max_tokens=rng.randint(32, 96), seed=rng.getrandbits(62)
    )
    if rng.random() < 0.5:
        return msgspec.structs.replace(common, schema=SCHEMA)
    return msgspec.structs.replace(common, tools=(TOOL,), tool_choice="required")


def _beam(rng: Random) -> Decoding:
    return Decoding(
        beams=Beams(width=rng.randint(2, 4), length_penalty=rng.choice((0.0, 1.0))),
        max_tokens=rng.randint(16, 64),
        seed=rng.getrandbits(62),
    )


KINDS: dict[str, Callable[[Random], Decoding]] = {
    "greedy": _greedy,
    "sampled": _sampled,
    "grammar": _grammar,
    "beam": _beam,
}
