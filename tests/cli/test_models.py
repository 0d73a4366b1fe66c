"""`aios models` on a running kernel, and against a hub."""

import pytest

from aios.cli import models
from aios.cli.hub import fetched
from aios.errors import InvalidArgument, NoSpace, NotFound, WrongState
from tests.server.house import House

hub = pytest.importorskip("huggingface_hub")
errors = pytest.importorskip("huggingface_hub.errors")


class Hub:
    """Stands in for the hub's client."""

    def __init__(self, end: Exception | str) -> None:
        self._end = end
        self.asked: list[tuple[str, str | None]] = []

    def snapshot_download(self, id: str, *, revision: str | None, allow_patterns: list[str]) -> str:
        self.asked.append((id, revision))
        if isinstance(self._end, Exception):
            raise self._end
        return self._end


def test_a_kernel_that_starts_no_engines_says_so(first: House) -> None:
    with pytest.raises(WrongState, match="no engines"):
        models.add("pocket", "other", url=first.url)


def test_the_default_model_stays(first: House) -> None:
    with pytest.raises(WrongState, match="default"):
        models.remove("scripted", url=first.url)


def test_a_model_of_the_hub_is_fetched_into_the_cache(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there = Hub("/cache/org/model")
    monkeypatch.setattr(hub, "snapshot_download", there.snapshot_download)
    models.pull("org/model", revision="v1")
    assert capsys.readouterr().out == "/cache/org/model\n"
    assert there.asked == [("org/model", "v1")]


@pytest.mark.parametrize(
    ("problem", "kind", "said"),
    [
        (errors.LocalEntryNotFoundError("no route"), NotFound, "cannot be reached"),
        (errors.HFValidationError("bad"), InvalidArgument, "expected ORG/MODEL"),
        (OSError(28, "No space left on device"), NoSpace, "cannot be kept"),
        (ConnectionError("reset"), NotFound, "did not answer"),
    ],
)
def test_what_a_hub_says_is_an_error_of_ours(
    monkeypatch: pytest.MonkeyPatch, problem: Exception, kind: type[Exception], said: str
) -> None:
    monkeypatch.setattr(hub, "snapshot_download", Hub(problem).snapshot_download)
    with pytest.raises(kind, match=said):
        fetched("org/model")
