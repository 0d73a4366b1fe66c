"""Arithmetic as it is spoken, with the expression that a calculator needs.

Numbers stay fields until the sentence is finished. Knows nothing of tools or conversations.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from aios.models.pocket import phrases as say
from aios.models.pocket.voice import Voice, fill

_IMPERATIVES = {"+": say.ADD, "-": say.SUBTRACT, "*": say.MULTIPLY, "/": say.DIVIDE}
_SPOKEN = {"+": say.PLUS, "-": say.MINUS, "*": say.TIMES, "/": say.OVER}
_CHAIN = {
    "+": (" and add {c} to the result", ", then add {c}", " and add {c}", ", then plus {c}"),
    "-": (" and subtract {c} from the result", ", then subtract {c}", " and take away {c}"),
    "*": (" and multiply the result by {c}", ", then multiply by {c}", ", then times {c}"),
    "/": (" and divide the result by {c}", ", then divide by {c}", ", then split it by {c}"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """Something to compute: a phrase for it and an expression, over the same numbered fields."""

    spoken: str
    expression: str
    numbers: Mapping[str, str]
    is_order: bool = False  # the phrase is an imperative and takes no verb before it

    def fill(self, text: str) -> str:
        return fill(text, self.numbers)

    def filled(self) -> "Sum":
        """The same with the expression's numbers put in."""
        return Sum(
            spoken=self.spoken,
            expression=self.fill(self.expression),
            numbers=self.numbers,
            is_order=self.is_order,
        )


def draw_sum(voice: Voice, *, plain: bool = False) -> Sum:
    """Something to compute; `plain` gives a noun phrase only."""
    way = voice.rng.random()
    if way < 0.4:
        return _symbols(voice)
    if way < 0.62:
        return _spoken_words(voice)
    if way < 0.82 and not plain:
        return _order(voice)
    if way < 0.88:
        return _one_number(voice)
    return _travel(voice)


def speak_sum(voice: Voice, total: Sum) -> str:
    """A sentence that asks for a sum."""
    if total.is_order or voice.rng.random() < 0.04:
        return total.spoken
    if voice.rng.random() < 0.35:
        frame = voice.pick(say.HOW_MUCH)
        return frame.replace("{e}", total.spoken) if "{e}" in frame else f"{frame} {total.spoken}"
    return f"{voice.verb(say.COMPUTE)} {total.spoken}"


def _numbers(voice: Voice, fields: str) -> dict[str, str]:
    return {name: voice.words.amount() for name in fields}


def _symbols(voice: Voice) -> Sum:
    rng = voice.rng
    fields = "abcd"[: rng.choices((2, 3, 4), (7, 3, 1))[0]]
    space = rng.choice(("", "", " "))
    spoken = expression = f"{{{fields[0]}}}"
    for index, name in enumerate(fields[1:]):
        sign = rng.choice("++--***/")
        shown = rng.choice(("x", "×", "*", "*", "*", "*")) if sign == "*" else sign
        gap = " " if shown == "x" else space
        spoken += f"{gap}{shown}{gap}{{{name}}}"
        expression += f"{sign}{{{name}}}"
        if index == 0 and len(fields) > 2 and rng.random() < 0.4:
            spoken, expression = f"({spoken})", f"({expression})"
    numbers = _numbers(voice, fields)
    return Sum(spoken=spoken, expression=expression, numbers=numbers).filled()


def _spoken_words(voice: Voice) -> Sum:
    fields = "abc"[: voice.rng.choices((2, 3), (8, 2))[0]]
    spoken = expression = "{a}"
    for name in fields[1:]:
        sign = voice.rng.choice("++-**/")
        spoken += f" {voice.pick(_SPOKEN[sign])} {{{name}}}"
        expression += f"{sign}{{{name}}}"
    numbers = _numbers(voice, fields)
    return Sum(spoken=spoken, expression=expression, numbers=numbers).filled()


def _order(voice: Voice) -> Sum:
    sign = voice.rng.choice("++--**/")
    spoken, expression, fields = voice.pick(_IMPERATIVES[sign]), f"{{a}}{sign}{{b}}", "ab"
    if voice.rng.random() < 0.15:
        second = voice.rng.choice("+-*/")
        spoken += voice.rng.choice(_CHAIN[second])
        expression, fields = f"({expression}){second}{{c}}", "abc"
    numbers = _numbers(voice, fields)
    return Sum(spoken=spoken, expression=expression, numbers=numbers, is_order=True).filled()


def _one_number(voice: Voice) -> Sum:
    form = voice.rng.choice(list(say.ONE_NUMBER))
    spoken = voice.pick(say.ONE_NUMBER[form])
    numbers = {"a": voice.words.number(digits_max=3), "b": voice.words.number(digits_max=4)}
    is_order = spoken.split()[0] in {"double", "triple", "halve", "square", "divide", "take"}
    return Sum(spoken=spoken, expression=form, numbers=numbers, is_order=is_order).filled()


def _travel(voice: Voice) -> Sum:
    form = voice.rng.choice(list(say.TRAVEL_SUMS))
    numbers = {name: voice.words.number(digits_max=4) for name in "abc"}
    if "*" in form:
        numbers["a"] = voice.words.number(digits_max=2)
    spoken = voice.pick(say.TRAVEL_SUMS[form])
    return Sum(spoken=spoken, expression=form, numbers=numbers).filled()
