"""Writes docs/guide/frameworks from the table and the programs: `python -m tests.interop.pages`.

A test keeps them equal, so that the lines which the guide tells are the lines that were tried.
"""

from collections.abc import Iterator
from pathlib import Path

from tests.interop.homes import HERE, ROOT, Framework, quiet, table

PLACE = ROOT / "docs/guide/frameworks"
URL = "http://127.0.0.1:8642"
TOKEN = "aios-..."
SETTINGS = {
    "OpenAI": (f"OPENAI_BASE_URL={URL}/v1", f"OPENAI_API_KEY={TOKEN}"),
    "Anthropic": (f"ANTHROPIC_BASE_URL={URL}", f"ANTHROPIC_API_KEY={TOKEN}"),
}
INDEX = """# Frameworks

Each of these runs on the kernel unchanged: its settings tell it where the model is, and who it is.
`aios serve` prints both; `aios agents token NAME` opens an agent of its own for a program: under
that name `aios ps` shows it, and it is paused, resumed and killed. [Five of them at
once](../five-kinds.md) are `make five`.

| framework | tried with | protocol | its programs that the small model is equal to |
|---|---|---|---|
{rows}

Every program on these pages is a file of `tests/interop/programs`. `make interop` installs each
framework into an environment of its own and runs its programs on a served kernel whose model
follows a few rules. It demands the right answer, which only the program's tool computes, and that
the same program fails where the base URL leads nowhere. `make interop ONLY=autogen` tries one.
Programs that the small model is equal to are tried on that, too: others have longer prompts than it
reads, or ask for more than it can.

The model names in the programs are not served here: a name that the kernel does not know runs on
its default model ([serving](../serve.md#aliases)).

Several of these frameworks report to their makers how they are used. They are tried with this,
which asks them not to:

```
{quiet}
```
"""


def pages() -> Iterator[tuple[Path, str]]:
    """Every page with its text."""
    known = table()
    yield PLACE / "README.md", _index(known)
    for framework in known.values():
        yield PLACE / f"{framework.name}.md", _page(framework)


def _index(known: dict[str, Framework]) -> str:
    rows = [
        f"| [{one.title}]({one.name}.md) | {one.version} | {', '.join(_protocols(one))} "
        f"| {len(one.pocket)} of {len(one.programs)} |"
        for one in known.values()
    ]
    asked = [f"export {name}={value}" for name, value in quiet().items()]
    return INDEX.format(rows="\n".join(rows), quiet="\n".join(asked))


def _page(framework: Framework) -> str:
    wanted = " ".join(f"'{one}'" for one in framework.requires)
    parts = [
        f"# {framework.title}",
        f"Tried with {framework.version}.",
        _block("", [_install(framework, wanted)]),
        *_settings(framework),
    ]
    if framework.notes:
        parts.append(framework.notes.strip())
    for program in framework.programs:
        parts += [f"`{program}.py`:", _block("python", [source(program).rstrip()])]
    return "\n\n".join(parts) + "\n"


def _settings(framework: Framework) -> Iterator[str]:
    """Files where the framework has them, or else the environment."""
    for place, text in framework.files.items():
        told = text.strip().replace("{url}", URL).replace("{token}", TOKEN)
        yield f"`~/{place}`, with what `aios serve` prints:"
        yield _block("yaml", [told])
    if not framework.files:
        lines = [f"export {line}" for name in _protocols(framework) for line in SETTINGS[name]]
        yield "What `aios serve` prints:"
        yield _block("", lines)


def _install(framework: Framework, wanted: str) -> str:
    if not framework.overrides:
        return f"pip install {wanted}"
    lines = [f"echo '{one}' >> overrides.txt" for one in framework.overrides]
    return "\n".join([*lines, f"uv pip install --override overrides.txt {wanted}"])


def _protocols(framework: Framework) -> list[str]:
    sources = list(map(source, framework.programs))
    speaks = {
        "OpenAI": any("claude" not in one for one in sources),
        "Anthropic": any("claude" in one for one in sources),
    }
    return [name for name, is_spoken in speaks.items() if is_spoken]


def source(program: str) -> str:
    return (HERE / "programs" / f"{program}.py").read_text()


def _block(language: str, lines: list[str]) -> str:
    return "\n".join([f"```{language}", *lines, "```"])


if __name__ == "__main__":
    PLACE.mkdir(parents=True, exist_ok=True)
    for path, text in pages():
        path.write_text(text)
