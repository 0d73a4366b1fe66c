"""Puts a request into words: draws phrases from slots, adds noise, punctuation and case.

Unseen words in closed places (noise) teach structure instead of vocabulary. After an open argument
only set phrases may follow, or its end would be a matter of luck. Knows nothing of tools.
"""

import random
from collections.abc import Mapping, Sequence

from aios.models.pocket import phrases
from aios.models.pocket.words import FUNCTION, Words

HELD_EVERY = 8  # each eighth phrase of a wide slot is kept out of training
# A narrow slot is a closed class, such as "my, the, our" or the words for a note: an unseen word
# there carries the meaning of the whole request, and nothing could tell it.
HELD_FROM = 25
_HELD_RATE = 0.35
_OPEN = ("{k}", "{v}", "{t}", "{j}", "{w}", "{p}", "{h}")
_CLOSED = frozenset(phrases.slot("a|an|the|my|our|is|of|I|it|what|not"))
_PARTICLES = phrases.slot("up|down|out|off|over|through|away|back")
_SAFE_CLOSERS = (" please", " thanks", " now", ", thank you", ", please", " please")
_QUESTIONS = frozenset(phrases.slot("what|what's|how|which|is|who|where|when|why|any|can|will"))
_NOT_ORDERS = _QUESTIONS | frozenset(
    phrases.slot("""
do|the|I|so|my|our|your|this|from|for|in|into|under|let's|may|tell|half|twice|one|two|three|note|
file|quick|math|calculator|a|now|us|number|numbers|result|answer|they|we|it|as|to|here|that|about|
with|new|you
""")
)


def held_of(slot: Sequence[str]) -> Sequence[str]:
    """The phrases of a slot that training never shows."""
    return slot[HELD_EVERY - 1 :: HELD_EVERY] if len(slot) >= HELD_FROM else ()


class Voice:
    """One speaker. With `held_out` it also uses the phrases that training never shows.

    `blurred` is the share of frames in which one word means nothing.
    """

    def __init__(self, rng: random.Random, *, held_out: bool = False, blurred: float = 0.0) -> None:
        self.rng = rng
        self.words = Words(rng)
        self.held_out = held_out
        self.blurred = blurred
        self.held_used = 0  # phrases never seen in training, so far

    def pick(self, slot: Sequence[str]) -> str:
        """One phrase of a slot."""
        held = held_of(slot)
        if held and self.held_out and self.rng.random() < _HELD_RATE:
            self.held_used += 1
            return self.rng.choice(held)
        while True:
            index = self.rng.randrange(len(slot))
            if not held or index % HELD_EVERY != HELD_EVERY - 1:
                return slot[index]

    def verb(self, slot: Sequence[str], *, noise: float = 0.1) -> str:
        """A verb of a slot, or now and then a word that means nothing, such as "zint up"."""
        if self.rng.random() >= noise:
            return self.pick(slot)
        particle = f" {self.rng.choice(_PARTICLES)}" if self.rng.random() < 0.25 else ""
        return self.words.word() + particle

    def frame(self, slot: Sequence[str]) -> str:
        """A frame of a slot, now and then with one word made unknown: the others must do."""
        held_before = self.held_used
        frame = self.pick(slot)
        is_known = self.held_used == held_before
        return self._blur(frame) if is_known and self.rng.random() < self.blurred else frame

    def _blur(self, frame: str) -> str:
        pieces = frame.split(" ")
        places = [at for at in range(len(pieces)) if _may_blur(pieces, at)]
        if len(pieces) > 3 and places:
            pieces[self.rng.choice(places)] = self.words.word()
        return " ".join(pieces)

    def expand(self, frame: str, slots: Mapping[str, Sequence[str]]) -> str:
        """Replace each field named in `slots` by a phrase, every occurrence by its own."""
        for name, slot in slots.items():
            field = f"{{{name}}}"
            while field in frame:
                frame = frame.replace(field, self.pick(slot), 1)
        return frame

    def finish(self, frame: str) -> str:
        """A whole message from a frame whose open fields are not filled in yet."""
        opener = self._opener()
        first = frame.split()[0].rstrip(",:")
        question = first in _QUESTIONS or frame.startswith("do you")
        if first.isalpha() and first not in _NOT_ORDERS:
            frame = self._ask() + frame
        text = opener + frame + self._closer(frame)
        if self.rng.random() < 0.55 and text[0].isalpha():
            text = text[0].upper() + text[1:]
        return text + self._mark(text, question=question)

    def _opener(self) -> str:
        way = self.rng.random()
        if way < 0.60:
            return ""
        if way < 0.68:
            return f"{self._noise()}, "
        return self.pick(phrases.OPENER) + self.rng.choice((", ", ", ", " ", ": ", "! "))

    def _ask(self) -> str:
        return f"{self.pick(phrases.ASK)} " if self.rng.random() < 0.4 else ""

    def _closer(self, frame: str) -> str:
        if self.rng.random() < 0.7 or frame.endswith(("{t}", "?")):
            return ""
        if frame.endswith(("{k}", "{v}", "{n}", "{j}")):
            closers = [f", {self.pick(phrases.CLOSER)}", *_SAFE_CLOSERS]
            return closers[0] if self.rng.random() < 0.5 else self.rng.choice(closers)
        closer = self._noise() if self.rng.random() < 0.15 else self.pick(phrases.CLOSER)
        return self.rng.choice((" ", ", ")) + closer

    def _noise(self) -> str:
        """One to three words that mean nothing here."""
        count = self.rng.choices((1, 2, 3), (6, 2, 2))[0]
        return " ".join(
            self.rng.choice(FUNCTION) if self.rng.random() < 0.2 else self.words.word()
            for _ in range(count)
        )

    def _mark(self, text: str, *, question: bool) -> str:
        if text.endswith(("?", ".", "!")):
            return ""
        if question:
            return "?" if self.rng.random() < 0.7 else ""
        return self.rng.choices(("", ".", "!", "?"), (12, 8, 0.6, 0.4))[0]


def _may_blur(pieces: Sequence[str], at: int) -> bool:
    """Whether an unknown word here would still leave the borders of open arguments clear."""
    before = pieces[at - 1] if at else ""
    after = pieces[at + 1] if at + 1 < len(pieces) else ""
    if not pieces[at].isalpha() or pieces[at] in _CLOSED:
        return False
    if after.startswith("{t}") and before in {"the", "{n}"}:
        return True  # no text begins with "the", and a name is one word
    if after.startswith(_OPEN):
        return False
    return not before.endswith(_OPEN) or after.isalpha() or after in {"{my}", "{note}"}


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put the open values into a finished frame."""
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text
