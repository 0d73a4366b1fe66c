"""Tasks without end: conversations with pocket's tools and known right answers.

Drawn from a seed, for training, evaluation, demonstrations and benchmarks. Needs no torch and
knows nothing of chat formats.
"""

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from aios.models.pocket import phrases_more as more
from aios.models.pocket.plan import Call, Request, carry_out
from aios.models.pocket.requests import FOLLOW_UPS, Scene, draw, follow_ups
from aios.models.pocket.tools import TIMEOUT, TOOLS, State
from aios.models.pocket.tools import call as run_tool
from aios.models.pocket.voice import Voice, fill

WEIGHTS: Mapping[str, float] = {
    "calc": 4.0,
    "calc_save": 1.6,
    "calc_note": 1.3,
    "remember": 3.2,
    "recall": 2.2,
    "write": 3.6,
    "read": 2.2,
    "recall_calc": 1.2,
    "read_calc": 1.2,
    "sum_recalled": 0.8,
    "read_save": 0.7,
    "recall_note": 0.9,
    "cannot": 2.4,
    "repeat": 2.0,
    "chat": 0.8,
    "count": 0.5,
    "follow_calc": 4.0,  # only possible after an answer with a number
    "follow_save": 4.0,
}
_DECOYS = tuple(
    """
search web_search weather send_mail book_flight calendar translate browser shell python file_read
file_write note_list note_delete memory_list get_time pay flight_search maps http_get sql_query
image_draw human_approval delegate
    """.split()  # noqa: SIM905  one word after another reads better
)
_ERRORS = ("permission denied", "busy", "budget spent", "denied by the user", "too many calls")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """How often which kind of request comes, and what goes wrong how often."""

    weights: Mapping[str, float] = field(default_factory=lambda: WEIGHTS)
    missing: float = 0.14  # a needed tool is not listed
    faults: float = 0.08  # a tool fails
    conversations: float = 0.25  # more than one request
    blurred: float = 0.0  # one word of a frame means nothing: for training, which must be hard


MIX = Mix()


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One request with everything a perfect assistant does about it."""

    kind: str
    user: str
    calls: tuple[Call, ...]
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A conversation to be held: what is said, what is listed, and what must come of it."""

    kind: str  # of the only request, or "missing", "retry" or "conversation"
    system: str | None
    tools: tuple[str, ...]  # names listed; some may be none of pocket's
    turns: tuple[Turn, ...]
    memory: Mapping[str, str] = field(default_factory=dict)  # before the first turn
    notes: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()

    def state(self) -> State:
        """A fresh state for the tools to work on."""
        return State(memory=dict(self.memory), notes=dict(self.notes), faults=list(self.faults))

    def end_state(self) -> State:
        """The state after every call of the turns: what a right run must leave behind."""
        state = self.state()
        for turn in self.turns:
            for call in turn.calls:
                run_tool(call.tool, call.arguments, state)
        return state

    def schemas(self) -> list[dict[str, object]]:
        """The listed tools in OpenAI style; invented ones have an empty schema."""
        return [TOOLS[name].schema if name in TOOLS else _decoy_schema(name) for name in self.tools]


def tasks(
    seed: int | str,
    count: int,
    kinds: Collection[str] | None = None,
    *,
    held_out: bool = False,
    turns: int | None = None,
    mix: Mix = MIX,
) -> Iterator[Task]:
    """Draw tasks; `held_out` ones each use a phrase that training never shows.

    `turns` fixes how many requests a conversation has; otherwise one in four has two or more.
    """
    if kinds is not None:
        weights = {kind: weight for kind, weight in mix.weights.items() if kind in kinds}
        mix = replace(mix, weights=weights)
    rng = random.Random(f"pocket {seed}")
    for _ in range(count):
        length = turns or _turns(rng, mix.conversations)
        yield _accepted(rng, mix, length, held_out=held_out)


def _accepted(rng: random.Random, mix: Mix, length: int, *, held_out: bool) -> Task:
    """Draw until a held-out task really has something held out, keeping its length."""
    while True:
        voice = Voice(rng, held_out=held_out, blurred=mix.blurred)
        task = _draw_task(voice, mix, length)
        if not held_out or voice.held_used:
            return task


def _turns(rng: random.Random, conversations: float) -> int:
    if rng.random() >= conversations:
        return 1
    return rng.randint(2, 5) if rng.random() < 0.85 else rng.randint(5, 9)


def _draw_task(voice: Voice, mix: Mix, count: int) -> Task:
    scene = Scene(voice=voice)
    requests = [_next_request(scene, mix.weights) for _ in range(count)]
    fragile = any(request.kind in FOLLOW_UPS for request in requests)
    needed = _needed(requests)
    lost = needed and not fragile and voice.rng.random() < mix.missing
    listed = _listed(voice, needed, voice.rng.choice(needed) if lost else None)
    fails = needed and not lost and voice.rng.random() < mix.faults
    faults = _faults(voice.rng, len(requests), fragile=fragile) if fails else ()
    kind = requests[0].kind if count == 1 else "conversation"
    if count == 1 and (lost or faults):
        kind = "missing" if lost else "retry"
    state = State(
        memory=dict(scene.start.memory), notes=dict(scene.start.notes), faults=list(faults)
    )
    return Task(
        kind=kind,
        system=_system(voice),
        tools=listed,
        turns=tuple(_turn(request, state, listed) for request in requests),
        memory=scene.start.memory,
        notes=scene.start.notes,
        faults=faults,
    )


def _next_request(scene: Scene, weights: Mapping[str, float]) -> Request:
    """Draw a request and let it happen, so that later ones can refer to it."""
    impossible = set(FOLLOW_UPS) - set(follow_ups(scene))
    possible = [kind for kind in weights if kind not in impossible]
    kind = scene.voice.rng.choices(possible, [weights[kind] for kind in possible])[0]
    request = draw(kind, scene)
    outcome = carry_out(request, scene.now, TOOLS)
    computed = outcome.answer.startswith("The result is ")
    results = [call.result for call in outcome.calls if call.tool == "calculator"]
    scene.last_result = results[-1] if computed and results else None
    return request


def _turn(request: Request, state: State, listed: Collection[str]) -> Turn:
    outcome = carry_out(request, state, listed)
    return Turn(kind=request.kind, user=request.text, calls=outcome.calls, answer=outcome.answer)


def _needed(requests: Sequence[Request]) -> list[str]:
    return sorted({step.tool for request in requests for step in request.plan})


def _listed(voice: Voice, needed: Sequence[str], lost: str | None) -> tuple[str, ...]:
    """The tools listed: how many others there are does not depend on whether one is lost."""
    rng = voice.rng
    names = [name for name in needed if name != lost]
    others = [name for name in TOOLS if name not in needed]
    names += rng.sample(others, rng.randint(0, len(others)))
    decoys = rng.choices((0, 1, 2, 3, 4), (12, 4, 3, 1, 1))[0]
    # A lost tool's place is often taken, so that both cases have the same lengths.
    decoys += 1 if lost and rng.random() < 0.6 else 0
    names += [_decoy(voice) for _ in range(decoys)]
    unique = sorted(set(names) - {lost})
    rng.shuffle(unique)
    return tuple(unique)


def _decoy(voice: Voice) -> str:
    rng, words = voice.rng, voice.words
    if rng.random() < 0.3:
        return rng.choice(_DECOYS)
    return words.word() if rng.random() < 0.5 else f"{words.word()}_{words.word()}"


def _faults(rng: random.Random, requests: int, *, fragile: bool) -> tuple[str, ...]:
    """Tool errors that will come, each after some calls that go well."""
    before = ("",) * rng.randint(0, 2 * requests - 2)
    if fragile or rng.random() < 0.6:
        return (*before, TIMEOUT)
    if rng.random() < 0.5:
        return (*before, TIMEOUT, TIMEOUT)
    return (*before, f"error: {rng.choice(_ERRORS)}")


def _system(voice: Voice) -> str | None:
    rng, words = voice.rng, voice.words
    count = rng.choices((0, 1, 2, 3), (35, 35, 20, 10))[0]
    parts = []
    for _ in range(count):
        values = {"w": words.word(), "u": words.word(), "p": words.name()}
        values |= {"h": words.moment(), "t": words.text()}
        parts.append(fill(rng.choice(more.SYSTEM), values))
    return " ".join(parts) or None


def _decoy_schema(name: str) -> dict[str, object]:
    parameters = {"type": "object", "properties": {}, "additionalProperties": False}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}
