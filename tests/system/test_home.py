"""A home as a person meets it: served, looked into, copied, wiped, restored, served again."""

import base64
import json
import shutil
import threading
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.system.test_serve import START_S, Serve


def ask(serve: Serve, where: str, /, **fields: Any) -> dict[str, Any]:
    """The reply of a syscall by the agent of the token file."""
    request = urllib.request.Request(
        f"{serve.told['ANTHROPIC_BASE_URL']}/{where}",
        data=json.dumps(fields).encode(),
        headers={"authorization": f"Bearer {serve.told['OPENAI_API_KEY']}"},
    )
    with urllib.request.urlopen(request, timeout=START_S) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def found_by(serve: Serve, **query: str) -> dict[str, Any]:
    """What a search of notes finds once all of them are indexed."""
    while (found := ask(serve, "api/syscalls/note.search", **query))["pending"]:
        threading.Event().wait(0.05)
    return found


def text_of(serve: Serve, path: str) -> bytes:
    return base64.b64decode(ask(serve, "api/syscalls/file.read", path=path)["data"])


def test_what_an_agent_keeps_survives_the_loss_of_its_home(tmp_path: Path) -> None:
    serve = Serve(tmp_path)
    home, copy = tmp_path / "state/aios/kernel", tmp_path / "copy"
    data = base64.b64encode(b"by train").decode()
    with serve.running("--embedder", "ngrams"):
        ask(serve, "api/syscalls/file.create", path="trips/rome.txt", data=data)
        ask(serve, "api/syscalls/memory.write", name="plan", data=data)
        ask(serve, "api/syscalls/note.add", text="likes the sea")
        vectors = ask(serve, "v1/embeddings", model="m", input=["a whale"])["data"]
        assert sum(one**2 for one in vectors[0]["embedding"]) == pytest.approx(1.0, abs=1e-3)
        assert serve.aios("files", "read", "--agent", "default", "trips/rome.txt") == "by train"
        assert serve.aios("memory", "read", "default", "plan") == "by train"
        serve.aios("journal", "check")
        serve.aios("journal", "backup", str(copy))
        ask(serve, "api/syscalls/memory.write", name="plan", data="")  # after the copy
        assert serve.stop() == 0
    shutil.rmtree(home)
    serve.aios("journal", "restore", str(copy))
    assert (home / "files/default/trips/rome.txt").read_text() == "by train"
    assert "likes the sea" in serve.aios(
        "memory", "notes", "default", "--query", "sea", "--home", str(home)
    )
    with serve.running():
        assert text_of(serve, "trips/rome.txt") == b"by train"
        read = ask(serve, "api/syscalls/memory.read", name="plan")
        assert base64.b64decode(read["data"]) == b"by train"
        notes = found_by(serve, query="sea")["notes"]
        assert [one["note"]["text"] for one in notes] == ["likes the sea"]
        assert serve.stop() == 0


def test_a_home_may_go_by_its_models_own_embeddings(tmp_path: Path) -> None:
    serve = Serve(tmp_path)
    home = tmp_path / "state/aios/kernel"
    with serve.running("--embedder", "core"):
        ask(serve, "api/syscalls/note.add", text="likes the sea")
        alone = ask(serve, "v1/embeddings", input="a whale")["data"][0]["embedding"]
        among = ask(serve, "v1/embeddings", input=["the sea " * 50, "a whale", "b"])["data"]
        assert among[1]["embedding"] == alone != among[2]["embedding"]
        assert sum(one**2 for one in alone) == pytest.approx(1.0, abs=1e-3)
        found = found_by(serve, query="likes the sea", mode="semantic")
        assert [one["note"]["text"] for one in found["notes"]] == ["likes the sea"]
        assert serve.stop() == 0
    kept = (home / "embedder").read_text()
    assert kept.startswith("core:pocket/")
    assert "likes the sea" in serve.aios(
        "memory", "notes", "default", "--query", "sea", "--home", str(home)
    )
    with serve.running():  # by what the home remembers, and nothing is embedded anew
        again = ask(serve, "v1/embeddings", input="a whale")["data"][0]["embedding"]
        assert again == alone
        assert (home / "embedder").read_text() == kept
        assert serve.stop() == 0
