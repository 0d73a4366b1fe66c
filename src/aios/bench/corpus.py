"""Files with known answers, made from a seed: what is asked, in which words, and which file knows.

A file of about 2 KB holds facts (who did what to what, for whom, where, when, for how much) among
prose. Facts share their persons, things and organisations with many other files, so that no single
word of a question gives its file away; the facts that a question names together are in one file
only. Questions ask in other words, of the kinds and in the shares of `SHARES`.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from aios.bench.corpus_words import Deed, Stock, Topic

SHARES = {  # kinds of questions, and how many of a hundred are of it
    "plain": 30,  # the words of the file
    "inflected": 15,  # the deed as a noun where the file has a verb, things in the plural
    "typo": 15,  # one word misspelt
    "compound": 10,  # a compound written apart
    "initials": 5,  # an organisation by its initials
    "file name": 10,  # words of the file's name, and the person only
    "date": 5,  # the day written in another way
    "synonym": 10,  # the thing by another word that no file has: only meaning could tell
}
FILE_BYTES = 2_000
FACTS_A_FILE = 5
FIRST_DAY = date(2019, 1, 1)
DAYS = 6 * 365
TRIES_MAX = 10_000
_NAMES = re.compile(r"{(\w+)}")
ALPHABET = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file of the corpus; `time` in seconds since the epoch."""

    path: str
    text: str
    time: float


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, of which kind, and the path of the one file that answers."""

    text: str
    kind: str
    answer: str


@dataclass(frozen=True, slots=True)
class Corpus:
    name: str
    files: tuple[TextFile, ...]
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fact:
    person: str
    deed: Deed
    topic: Topic
    body: str
    place: str
    day: date
    amount: str

    def written(self, template: str) -> str:
        return template.format(
            person=self.person, past=self.deed.past, noun=self.deed.noun, topic=self.topic.name,
            body=self.body, place=self.place, amount=self.amount, date=_long(self.day),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Known:
    """A fact, the file it is in, and the sentence that tells it."""

    fact: _Fact
    path: str
    template: str


def generated(
    name: str, stock: Stock, prose: Sequence[str], sizes: tuple[int, int], seed: int
) -> Corpus:
    """`sizes`: files and questions. `prose`: sentences of any other text, to fill the files."""
    rng = Random(seed)
    people = _people(stock, rng, sizes[0])
    bodies = [" ".join(rng.choice(part) for part in stock.body_parts) for _ in range(200)]
    files, known = [], []
    for number in range(sizes[0]):
        facts = [_fact(stock, people, bodies, rng) for _ in range(FACTS_A_FILE)]
        templates = [rng.choice(stock.facts) for _ in facts]
        path = _path(stock, facts[0], number, rng)
        known += [_Known(*pair, template) for pair, template in
                  zip(((fact, path) for fact in facts), templates, strict=True)]  # fmt: skip
        sentences = [fact.written(how) for fact, how in zip(facts, templates, strict=True)]
        files.append(TextFile(path, _text(sentences, prose, rng), 1.6e9 + 3_600.0 * number))
    return Corpus(name, tuple(files), tuple(_questions(stock, known, sizes[1], rng)))


def _people(stock: Stock, rng: Random, files: int) -> list[str]:
    """Fewer than there are facts: each person is in several files, under a name like others'."""
    lasts = ["".join(rng.choice(part) for part in stock.name_parts) for _ in range(400)]
    count = max(50, files // 2)
    return [f"{rng.choice(stock.first_names)} {rng.choice(lasts)}" for _ in range(count)]


def _fact(stock: Stock, people: Sequence[str], bodies: Sequence[str], rng: Random) -> _Fact:
    return _Fact(
        person=rng.choice(people),
        deed=rng.choice(stock.deeds),
        topic=rng.choice(stock.topics),
        body=rng.choice(bodies),
        place=rng.choice(stock.places),
        day=FIRST_DAY + timedelta(days=rng.randrange(DAYS)),
        amount=f"{rng.randrange(2, 900) * 50:,} euros",
    )


def _path(stock: Stock, fact: _Fact, number: int, rng: Random) -> str:
    """A name as people give them, after the file's first fact."""
    last = fact.person.split()[-1]
    parts = [fact.topic.name, fact.deed.noun.split()[0], last]
    styled = rng.choice((
        "_".join(parts).lower(),
        "-".join(parts).lower(),
        "".join(part.capitalize() for part in parts),
    ))  # fmt: skip
    return f"{rng.choice(stock.folders)}/{styled}{number % 97}-{number}.{rng.choice(('md', 'txt'))}"


def _text(sentences: Sequence[str], prose: Sequence[str], rng: Random) -> str:
    parts = list(sentences)
    size = sum(map(len, parts))
    while size < FILE_BYTES:
        parts.append(rng.choice(prose))
        size += len(parts[-1]) + 1
    rng.shuffle(parts)
    return "\n".join(parts) + "\n"


def _questions(stock: Stock, known: Sequence[_Known], count: int, rng: Random) -> list[Question]:
    told = {(one.fact.person, one.fact.topic.name, one.path) for one in known}
    files = Counter((person, topic) for person, topic, _ in told)
    # A question is of a person and a thing that only one file has together.
    single = [one for one in known if files[one.fact.person, one.fact.topic.name] == 1]
    firsts = {one.path: one for one in reversed(known)}
    named = [one for one in single if firsts[one.path] is one]
    kinds = [kind for kind, share in SHARES.items() for _ in range(share)]
    found: list[Question] = []
    for _ in range(count):
        kind = rng.choice(kinds)
        found.append(_question(stock, kind, named if kind == "file name" else single, rng))
    return found


def _question(stock: Stock, kind: str, known: Sequence[_Known], rng: Random) -> Question:
    """A question of that kind; not every fact can be asked for in every way."""
    for _ in range(TRIES_MAX):
        one = rng.choice(known)
        text = _ASK[kind](one, rng.choice(_fitting(stock.questions, one.template)), rng)
        if text:
            return Question(text, kind, one.path)
    raise AssertionError(f"no fact can be asked for by {kind}")


def _fitting(questions: Sequence[str], told: str) -> list[str]:
    """Questions that name nothing but what the fact's sentence tells, but for verb or noun."""
    named = set(_NAMES.findall(told)) | {"past", "noun"}
    return [question for question in questions if set(_NAMES.findall(question)) <= named]


def _plain(one: _Known, template: str, rng: Random) -> str:
    return one.fact.written(template)


def _inflected(one: _Known, template: str, rng: Random) -> str:
    topic = one.fact.topic.name
    many = f"{topic[:-1]}ies" if topic.endswith("y") else f"{topic}s"
    return f"{one.fact.deed.noun} of {many} by {one.fact.person}"


def _typo(one: _Known, template: str, rng: Random) -> str:
    wrong = rng.choice((one.fact.person.split()[-1], one.fact.topic.name))
    return one.fact.written(template).replace(wrong, misspelt(wrong, rng))


def _compound(one: _Known, template: str, rng: Random) -> str:
    topic = one.fact.topic
    return one.fact.written(template).replace(topic.name, topic.apart) if topic.apart else ""


def _initials(one: _Known, template: str, rng: Random) -> str:
    if "{body}" not in one.template:
        return ""
    short = "".join(word[0] for word in one.fact.body.split())
    first = one.fact.person.split()[0]
    return f"what about the {one.fact.topic.name} of the {short} with {first}"


def _file_name(one: _Known, template: str, rng: Random) -> str:
    last = one.fact.person.split()[-1]
    kind = rng.choice(("file", "notes", "document"))
    return f"the {kind} called {one.fact.topic.name} {one.fact.deed.noun.split()[0]} {last}"


def _date(one: _Known, template: str, rng: Random) -> str:
    if "{date}" not in one.template:
        return ""
    shown = rng.choice((one.fact.day.isoformat(), f"{one.fact.day:%d.%m.%Y}", _short(one.fact.day)))
    return f"what happened to the {one.fact.topic.name} on {shown}"


def _synonym(one: _Known, template: str, rng: Random) -> str:
    topic = one.fact.topic
    return one.fact.written(template).replace(topic.name, topic.synonym) if topic.synonym else ""


_ASK: dict[str, Callable[[_Known, str, Random], str]] = {
    "plain": _plain,
    "inflected": _inflected,
    "typo": _typo,
    "compound": _compound,
    "initials": _initials,
    "file name": _file_name,
    "date": _date,
    "synonym": _synonym,
}


def misspelt(word: str, rng: Random) -> str:
    """One slip of the fingers; of long words, in one of three, two."""
    slips = 2 if len(word) > 7 and rng.random() < 1 / 3 else 1
    for _ in range(slips):
        at = rng.randrange(1, len(word) - 1)
        word = rng.choice((
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + rng.choice(ALPHABET) + word[at + 1 :],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        ))  # fmt: skip
    return word


def _long(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _short(day: date) -> str:
    return f"{day:%b} {day.day}, {day.year}"
