"""Real text that is on every machine with Python: its own library and its manual.

Prose: sentences of the manual. A corpus: each documented function or class of the library is a
file, its docstring taken out; its docstring's first sentence is the question. People wrote both,
without a thought of each other's words.
"""

import ast
import re
import sysconfig
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

from aios.bench.corpus import Corpus, Question, TextFile

BYTES_MIN, BYTES_MAX = 300, 6_000
QUESTION_WORDS_MIN = 4
_LEFT_OUT = {"test", "tests", "site-packages", "lib2to3", "idlelib", "pydoc_data", "turtledemo"}
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def manual_prose() -> list[str]:
    """Sentences of Python's manual."""
    from pydoc_data.topics import topics

    text = " ".join(" ".join(topics[name].split()) for name in sorted(topics))
    return [one for one in _SENTENCE.split(text) if 30 < len(one) < 300]


def library_corpus(questions: int, seed: int, part: int | None = None) -> Corpus:
    """Functions and classes of the standard library; `part` 0 or 1: of every other module only."""
    files, asked = [], []
    for number, path in enumerate(_modules()):
        if part is None or number % 2 == part:
            for file, question in _documented(path, float(number)):
                files.append(file)
                asked.append(question)
    told = Counter(question.text for question in asked)
    unique = [question for question in asked if told[question.text] == 1]
    Random(seed).shuffle(unique)
    return Corpus("library", tuple(files), tuple(unique[:questions]))


def _modules() -> list[Path]:
    root = Path(sysconfig.get_paths()["stdlib"])
    found = (path.relative_to(root) for path in root.rglob("*.py"))
    return sorted(root / path for path in found if not _LEFT_OUT & set(path.parts))


def _documented(path: Path, time: float) -> Iterator[tuple[TextFile, Question]]:
    try:
        source = path.read_text("utf-8")
        tree = ast.parse(source)
    except (SyntaxError, UnicodeDecodeError):
        return
    lines = source.splitlines()
    for node in ast.walk(tree):
        if not isinstance(node, Documented) or node.end_lineno is None:
            continue
        asked = " ".join((ast.get_docstring(node) or "").partition("\n\n")[0].split())
        said = node.body[0]
        assert said.end_lineno is not None
        rest = [
            *lines[node.lineno - 1 : said.lineno - 1],
            *lines[said.end_lineno : node.end_lineno],
        ]
        text = "\n".join(rest)
        if BYTES_MIN <= len(text) <= BYTES_MAX and len(asked.split()) >= QUESTION_WORDS_MIN:
            name = f"{path.parent.name}/{path.stem}/{node.name}-{node.lineno}.py"
            yield TextFile(name, text, time), Question(asked, "docstring", name)
