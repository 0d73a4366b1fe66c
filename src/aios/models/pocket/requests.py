"""Requests of every kind: what is said, and the plan that answers it.

Each builder draws one request from a scene, the conversation so far. `KINDS` names them all.
Knows nothing of chat formats or models.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aios.models.pocket import asked, tools
from aios.models.pocket import phrases as say
from aios.models.pocket import phrases_more as more
from aios.models.pocket.arithmetic import Sum, draw_sum, speak_sum
from aios.models.pocket.plan import CANNOT, Request
from aios.models.pocket.voice import Voice, fill

FOLLOW_UPS = ("follow_calc", "follow_save")


@dataclass(slots=True, kw_only=True)
class Scene:
    """A conversation while it is being made up."""

    voice: Voice
    start: tools.State = field(default_factory=tools.State)
    now: tools.State = field(default_factory=tools.State)
    last_result: str | None = None

    def known_key(self, *, numeric: bool = False) -> str:
        """A key that has a value: one of the conversation's, or one from before it."""
        words = self.voice.words
        known = _usable(self.now.memory, numeric=numeric)
        if known and self.voice.rng.random() < 0.6:
            return self.voice.rng.choice(known)
        key = words.key()
        if key not in self.now.memory:
            value = words.number(digits_max=4) if numeric else words.value()
            self.start.memory[key] = self.now.memory[key] = value
        return key

    def known_note(self, *, numeric: bool = False) -> str:
        """The name of a note that exists."""
        words = self.voice.words
        known = _usable(self.now.notes, numeric=numeric)
        if known and self.voice.rng.random() < 0.6:
            return self.voice.rng.choice(known)
        name = words.note()
        if name not in self.now.notes:
            text = words.number(digits_max=4) if numeric else words.text()
            self.start.notes[name] = self.now.notes[name] = text
        return name


def draw(kind: str, scene: Scene) -> Request:
    """One request of a kind."""
    return KINDS[kind](scene)


def follow_ups(scene: Scene) -> tuple[str, ...]:
    """Kinds that only make sense now, after an answer with a number."""
    return () if scene.last_result is None else FOLLOW_UPS


def _usable(store: Mapping[str, str], *, numeric: bool) -> list[str]:
    return sorted(key for key, text in store.items() if not numeric or text.isdigit())


def _calc(scene: Scene) -> Request:
    total = draw_sum(scene.voice)
    text = total.fill(scene.voice.finish(speak_sum(scene.voice, total)))
    return asked.calc(text, total.expression)


def _calc_save(scene: Scene) -> Request:
    frame, total = _sum_frame(scene, more.COMPUTE_SAVE)
    key = scene.voice.words.key()
    text = total.fill(fill(scene.voice.finish(frame), {"k": key}))
    return asked.calc_save(text, total.expression, key)


def _calc_note(scene: Scene) -> Request:
    frame, total = _sum_frame(scene, more.COMPUTE_NOTE)
    name = scene.voice.words.note()
    frame = scene.voice.expand(frame, {"note": more.NOTE})
    text = total.fill(fill(scene.voice.finish(frame), {"n": name}))
    return asked.calc_note(text, total.expression, name)


def _remember(scene: Scene) -> Request:
    voice = scene.voice
    if voice.rng.random() < 0.35:
        frame = voice.frame(say.STATE)
    else:
        frame = voice.frame(say.REMEMBER_THAT)
        noise = 0.0 if "{rv} {k}" in frame or "{k} {rv}" in frame else 0.1
        frame = frame.replace("{rv}", voice.verb(say.REMEMBER, noise=noise))
    key, value = voice.words.key(), voice.words.value()
    frame = voice.finish(voice.expand(frame, {"my": say.MY}))
    return asked.remember(fill(frame, {"k": key, "v": value}), key, value)


def _recall(scene: Scene) -> Request:
    voice = scene.voice
    key = voice.words.key() if voice.rng.random() < 0.15 else scene.known_key()
    if voice.rng.random() < 0.45:
        frame = voice.frame(say.RECALL_WHOLE)
    else:
        frame = f"{voice.verb(say.RECALL)} {{my}} {{k}}"
    frame = voice.finish(voice.expand(frame, {"my": say.MY}))
    return asked.recall(fill(frame, {"k": key}), key)


def _write(scene: Scene) -> Request:
    voice = scene.voice
    frame = voice.frame(more.WRITE_WHOLE)
    frame = frame.replace("{wv}", voice.verb(more.WRITE))
    frame = voice.finish(voice.expand(frame, {"note": more.NOTE}))
    name, content = voice.words.note(), voice.words.text()
    return asked.write(fill(frame, {"n": name, "t": content}), name, content)


def _read(scene: Scene) -> Request:
    voice = scene.voice
    name = voice.words.note() if voice.rng.random() < 0.15 else scene.known_note()
    if voice.rng.random() < 0.3:
        frame = voice.frame(more.READ_WHOLE)
    else:
        frame = f"{voice.verb(more.READ)} {{note}} {{n}}"
    frame = voice.finish(voice.expand(frame, {"note": more.THE_NOTE}))
    return asked.read(fill(frame, {"n": name}), name)


def _recall_calc(scene: Scene) -> Request:
    key = scene.known_key(numeric=True)
    get = f"{scene.voice.verb(say.RECALL, noise=0.05)} {{my}} {{k}}"
    frame, change = _changed(scene, get, "{my} {k}")
    frame = scene.voice.expand(frame, {"my": say.MY})
    text = change.fill(fill(scene.voice.finish(frame), {"k": key}))
    return asked.recall_calc(text, key, change.expression)


def _read_calc(scene: Scene) -> Request:
    voice = scene.voice
    name = scene.known_note(numeric=True)
    get = f"{voice.verb(more.READ, noise=0.05)} {{note}} {{n}}"
    whats = ("the number in {note} {n}", "what {note} {n} says", "the value in {note} {n}")
    frame, change = _changed(scene, get, voice.rng.choice(whats))
    frame = voice.expand(frame, {"note": more.THE_NOTE})
    text = change.fill(fill(voice.finish(frame), {"n": name}))
    return asked.read_calc(text, name, change.expression)


def _sum_recalled(scene: Scene) -> Request:
    voice = scene.voice
    first = scene.known_key(numeric=True)
    second = scene.known_key(numeric=True)
    frame = voice.expand(voice.frame(more.SUM_RECALLED), {"my": say.MY})
    text = fill(voice.finish(frame), {"k": first, "j": second})
    return asked.sum_recalled(text, first, second)


def _read_save(scene: Scene) -> Request:
    voice = scene.voice
    name, key = scene.known_note(), voice.words.key()
    frame = voice.expand(voice.frame(more.READ_SAVE), {"my": say.MY, "note": more.THE_NOTE})
    text = fill(voice.finish(frame), {"n": name, "k": key})
    return asked.read_save(text, name, key)


def _recall_note(scene: Scene) -> Request:
    voice = scene.voice
    key, name = scene.known_key(), voice.words.note()
    frame = voice.expand(voice.frame(more.RECALL_NOTE), {"my": say.MY, "note": more.NOTE})
    text = fill(voice.finish(frame), {"n": name, "k": key})
    return asked.recall_note(text, key, name)


def _follow_calc(scene: Scene) -> Request:
    voice = scene.voice
    change = _draw_change(voice, more.CHANGE)
    text = change.fill(voice.finish(change.spoken))
    expression = change.expression.replace("{0}", scene.last_result or "0")
    return asked.calc(text, expression, "follow_calc")


def _follow_save(scene: Scene) -> Request:
    voice, value = scene.voice, scene.last_result or "0"
    key = voice.words.key()
    frame = voice.expand(voice.frame(more.SAVE_THAT), {"my": say.MY})
    return asked.remember(fill(voice.finish(frame), {"k": key}), key, value, "follow_save")


def _cannot(scene: Scene) -> Request:
    words = scene.voice.words
    frame = scene.voice.frame(more.CANNOT)
    values = {"w": words.word(), "p": words.name(), "h": words.moment()}
    return asked.request("cannot", fill(scene.voice.finish(frame), values), (), CANNOT)


def _repeat(scene: Scene) -> Request:
    voice = scene.voice
    words = " ".join(
        voice.rng.choice((voice.words.word, voice.words.value, voice.words.name))()
        for _ in range(voice.rng.randint(1, 6))
    )
    joint = voice.rng.choice((": ", ": ", " ", ' "'))
    text = voice.pick(say.ASK) + " " if voice.rng.random() < 0.2 else ""
    text += voice.pick(more.REPEAT) + joint + words + ('"' if joint == ' "' else "")
    if voice.rng.random() < 0.5:
        text = text[0].upper() + text[1:]
    return asked.request("repeat", text, (), words)


def _chat(scene: Scene) -> Request:
    voice = scene.voice
    answer = voice.rng.choice(list(more.TALK))
    text = voice.pick(more.TALK[answer])
    if voice.rng.random() < 0.5:
        text = text[0].upper() + text[1:]
    return asked.request("chat", text + voice.rng.choice(("", ".", "!", "?")), (), answer)


def _count(scene: Scene) -> Request:
    voice, rng = scene.voice, scene.voice.rng
    step = 1 if rng.random() < 0.7 else rng.choice((2, 2, 5, 5, 10, 10, 3))
    count = min(rng.choice((rng.randint(3, 12), rng.randint(5, 35), rng.randint(20, 90))), 90)
    first = rng.choice((rng.randint(0, 20), rng.randint(1, 100), rng.randint(0, 400)))
    numbers = [str(first + step * index) for index in range(count)]
    down = rng.random() < 0.25
    if down:
        numbers.reverse()
    frame = voice.pick(more.COUNT_DOWN if down else more.COUNT)
    if step > 1:
        frame = f"{frame} {voice.pick(more.BY_STEPS)}"
    values = {"a": numbers[0], "b": numbers[-1], "s": str(step)}
    return asked.request("count", fill(voice.finish(frame), values), (), ", ".join(numbers))


def _sum_frame(scene: Scene, slot: tuple[str, ...]) -> tuple[str, Sum]:
    """A compute-and-then frame with the arithmetic put into words."""
    voice = scene.voice
    frame = voice.frame(slot)
    total = draw_sum(voice, plain="{e}" in frame)
    phrase = speak_sum(voice, total).rstrip("?= ")
    frame = frame.replace("{c}", phrase).replace("{e}", total.spoken)
    return voice.expand(frame, {"my": say.MY}), total


def _draw_change(voice: Voice, slots: Mapping[str, tuple[str, ...]]) -> Sum:
    form = voice.rng.choice(list(slots))
    spoken = voice.pick(slots[form])
    numbers = {"b": voice.words.number(digits_max=3), "x": "{0}"}
    return Sum(spoken=spoken, expression=form, numbers=numbers).filled()


def _changed(scene: Scene, get: str, what: str) -> tuple[str, Sum]:
    """A frame that fetches a number and then changes it, in two verbs or in one."""
    voice = scene.voice
    if voice.rng.random() < 0.5:
        change = _draw_change(voice, more.DIRECT)
        return change.spoken.replace("{what}", what), change
    change = _draw_change(voice, more.CHANGE)
    frame = voice.pick(more.TAKE_THEN).replace("{get}", get).replace("{what}", what)
    return frame.replace("{change}", change.spoken), change


KINDS: Mapping[str, Callable[[Scene], Request]] = {
    "calc": _calc,
    "calc_save": _calc_save,
    "calc_note": _calc_note,
    "remember": _remember,
    "recall": _recall,
    "write": _write,
    "read": _read,
    "recall_calc": _recall_calc,
    "read_calc": _read_calc,
    "sum_recalled": _sum_recalled,
    "read_save": _read_save,
    "recall_note": _recall_note,
    "follow_calc": _follow_calc,
    "follow_save": _follow_save,
    "cannot": _cannot,
    "repeat": _repeat,
    "chat": _chat,
    "count": _count,
}
