"""Agent packages: their manifest, the ways they come in, and back out as an archive."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aios.cli.app import app
from aios.cli.packages.archive import published
from aios.cli.packages.manifest import Manifest, manifest_in, parsed
from aios.cli.packages.running import command
from aios.cli.packages.store import folder_of, installed
from aios.errors import Conflict, InvalidArgument, NotFound

DIGEST = Path(__file__).parents[2] / "examples/agents/digest"
HEAD = 'name = "a"\nversion = "1.0.0"\ndescription = "d"\n'


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


def aios(*words: str, answer: str = "") -> tuple[int, str]:
    """Exit code and all output; an error as it is raised."""
    done = CliRunner().invoke(app, ["agents", *words], input=answer)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def package(folder: Path, text: str = HEAD + 'entry = "a.py:agent"\n') -> Path:
    folder.mkdir()
    (folder / "agent.toml").write_text(text)
    (folder / "a.py").write_text("agent = 1\n")
    return folder


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name = ", "expected TOML"),
        (HEAD, "missing required field `entry`"),
        (HEAD + 'entry = "a.py:agent"\nentri = 1', "unknown field `entri`; the keys are name"),
        (HEAD.replace("1.0.0", "1"), r"version"),
        (HEAD.replace('"a"', '"A b"'), "name"),
        (HEAD + 'entry = "a.py:agent"\ngrants = ["@x"]', "VERBS"),
        (HEAD + 'entry = "a.py:agent"\n[model]\ncontext_tokens = true', "context_tokens"),
    ],
)
def test_a_manifest_that_is_wrong_is_told_what_was_expected(text: str, says: str) -> None:
    with pytest.raises(InvalidArgument, match=says):
        parsed(text, "agent.toml")


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ('"b.py:agent"', "expected a file of the package"),
        ('"../a.py:agent"', "expected a file of the package"),
        ('"a.py:boss"', "a.py defines no 'boss'"),
        ('"a.py"', "expected a file FILE.py:NAME"),
        ('"no module:x"', "package.module:NAME"),
        ("[]", "empty list"),
    ],
)
def test_an_entry_that_is_not_there_is_refused(tmp_path: Path, entry: str, says: str) -> None:
    with pytest.raises(InvalidArgument, match=says):
        manifest_in(package(tmp_path / "p", f"{HEAD}entry = {entry}\n"))


def test_the_same_folder_is_the_same_archive_which_install_takes_back(tmp_path: Path) -> None:
    copied = tmp_path / "copied"
    shutil.copytree(DIGEST, copied)
    (copied / ".git").mkdir()
    (copied / ".git/secret").write_text("x")
    path, digest = published(DIGEST, tmp_path / "out")
    assert published(copied, tmp_path / "out2")[1] == digest
    assert aios("install", str(path), "--yes")[0] == 0
    found = installed()
    assert [(one.manifest.name, one.note.pin) for one in found] == [("digest", digest)]
    assert (folder_of("digest") / "digest.py").read_text() == (DIGEST / "digest.py").read_text()
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(Conflict, match="expected sha256"):
        aios("install", str(path), "--yes")


def test_a_package_with_a_link_is_not_published(tmp_path: Path) -> None:
    folder = package(tmp_path / "p")
    (folder / "link").symlink_to("/etc/passwd")
    with pytest.raises(InvalidArgument, match="link: expected a file, got a link"):
        aios("publish", str(folder), "--to", str(tmp_path))


def test_grants_are_shown_and_nothing_is_installed_without_a_yes(tmp_path: Path) -> None:
    text = HEAD + 'entry = "a.py:agent"\ngrants = ["file.read@travel:notes/*"]\n'
    folder = package(tmp_path / "p", text)
    code, output = aios("install", str(folder), answer="n\n")
    assert (code, installed()) == (1, [])
    assert "file.read@travel:notes/*" in output
    assert aios("install", str(folder), answer="y\n")[0] == 0
    assert "file.read@travel:notes/*" in aios("list")[1]


def test_a_git_url_is_pinned_to_the_commit_of_its_tag(tmp_path: Path) -> None:
    folder = package(tmp_path / "p")

    def git(*words: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
        done = subprocess.run(
            ["git", "-C", str(folder), *who, *words], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "-m", "one")
    git("tag", "v1")
    first = git("rev-parse", "HEAD")
    (folder / "agent.toml").write_text((folder / "agent.toml").read_text().replace("1.0", "2.0"))
    git("commit", "--quiet", "-am", "two")
    url = f"git+file://{folder}"
    for ref, version in (("", "2.0.0"), ("@v1", "1.0.0"), (f"@{first}", "1.0.0")):
        assert aios("install", url + ref, "--yes")[0] == 0
        assert installed()[0].manifest.version == version
    assert installed()[0].note.pin == first
    with pytest.raises(InvalidArgument, match="git"):
        aios("install", f"{url}@v9", "--yes")
    assert not (folder_of("a") / ".git").exists()


def test_an_installed_python_package_brings_its_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path / "clerks", HEAD + 'entry = "clerks.a:agent"\n')
    (tmp_path / "clerks/__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert aios("install", "clerks", "--yes")[0] == 0
    with pytest.raises(NotFound, match="expected a folder, an archive, a git URL"):
        aios("install", "nothing-of-this-name", "--yes")


def test_what_is_removed_is_gone_and_what_is_not_there_is_told(tmp_path: Path) -> None:
    aios("install", str(package(tmp_path / "p")), "--yes")
    assert aios("remove", "a")[0] == 0
    assert installed() == []
    with pytest.raises(NotFound, match="no package 'a'"):
        aios("remove", "a")


def test_a_commands_files_are_found_wherever_it_is_run(tmp_path: Path) -> None:
    folder = package(tmp_path / "p")
    words = Manifest(name="a", version="1.0.0", description="d", entry=("python", "a.py", "-x"))
    assert command(words, folder, ["y"]) == (sys.executable, str(folder / "a.py"), "-x", "y")
    with pytest.raises(InvalidArgument, match="expected one argument"):
        command(manifest_in(folder), folder, ["one", "two"])
