"""Secrets: where they come from, who may read the file, and where they never appear."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios.errors import CoreFailed, Damaged, InvalidArgument, NotFound
from aios.kernel.guard.vault import VALUE_MIN, Vault
from aios.syscalls.tool import FileRef, Image, Json, Text, ToolResult

VALUE = "hunter2-hunter2"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "vault.json"


@pytest.fixture
def vault(path: Path) -> Vault:
    made = Vault(path, {"TOKEN": "from-the-environment"})
    made.set("mail", VALUE)
    return made


def test_a_secret_comes_back_by_name_and_the_file_is_for_its_user_alone(
    vault: Vault, path: Path
) -> None:
    assert vault.secret("mail") == VALUE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_secrets_come_from_the_environment_and_from_files(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-the-file\n")
    vault.refer("a", "env:TOKEN")
    vault.refer("b", f"file:{tmp_path / 'key'}")
    assert [vault.secret(name) for name in "ab"] == ["from-the-environment", "from-the-file"]
    assert vault.sources() == {"a": "env:TOKEN", "b": f"file:{tmp_path / 'key'}", "mail": "vault"}


def test_a_running_kernel_knows_what_another_program_set(vault: Vault, path: Path) -> None:
    assert vault.names() == ["mail"]
    Vault(path, {}).set("later", "set-a-moment-ago")
    assert vault.secret("later") == "set-a-moment-ago"
    assert vault.text("it is set-a-moment-ago") == "it is [secret later]"


def test_a_value_that_looks_like_a_source_is_a_value(vault: Vault) -> None:
    vault.set("odd", "env:TOKEN")
    assert vault.secret("odd") == "env:TOKEN"
    with pytest.raises(InvalidArgument, match="env:NAME"):
        vault.refer("odd", "TOKEN")


def test_a_secret_that_is_not_there_is_not_found(vault: Vault) -> None:
    vault.remove("mail")
    for name in ("mail", "other"):
        with pytest.raises(NotFound, match="aios secrets set"):
            vault.secret(name)
    with pytest.raises(NotFound):
        vault.remove("mail")


def test_a_source_that_has_nothing_is_told_without_a_value(vault: Vault) -> None:
    vault.refer("a", "env:NOBODY_SET_THIS")
    vault.refer("b", "file:/nowhere/at/all")
    for name in "ab":
        with pytest.raises(NotFound, match="expected 8 to"):
            vault.secret(name)
    assert vault.text("harmless") == "harmless"


@pytest.mark.parametrize("value", ["short", "", "x" * (VALUE_MIN - 1), "y" * (1 << 17)])
def test_a_value_that_could_not_be_hidden_is_not_taken(vault: Vault, value: str) -> None:
    with pytest.raises(InvalidArgument, match="characters"):
        vault.set("bad", value)


@pytest.mark.parametrize("name", ["", "a b", "a/b", "ä", "x" * 65])
def test_a_name_is_plain(vault: Vault, name: str) -> None:
    with pytest.raises(InvalidArgument, match="name"):
        vault.set(name, VALUE)


def test_a_file_that_others_may_read_is_refused(vault: Vault, path: Path) -> None:
    path.chmod(0o644)
    with pytest.raises(InvalidArgument, match="chmod 600"):
        Vault(path, {}).secret("mail")


def test_a_damaged_file_is_told_without_its_content(vault: Vault, path: Path) -> None:
    path.write_text('{"mail": "hunter2')
    with pytest.raises(Damaged) as problem:
        Vault(path, {}).names()
    assert "hunter2" not in problem.value.message


def test_no_home_no_vault() -> None:
    vault = Vault(None, {})
    assert vault.names() == []
    with pytest.raises(InvalidArgument, match="home"):
        vault.set("a", VALUE)


def test_a_tools_result_tells_no_secret_in_any_kind_of_content(vault: Vault) -> None:
    result = ToolResult(
        contents=(
            Text(f"key: {VALUE}!"),
            Json({VALUE: [1, None, {"deep": [f"a{VALUE}b"]}]}),
            Image(b"PNG" + VALUE.encode(), f"image/{VALUE}"),
            FileRef(f"{VALUE}.txt", 3),
        ),
        remarks=(f"cut after {VALUE}",),
    )
    hidden = vault.result(result)
    assert VALUE not in repr(hidden)
    assert VALUE.encode() not in repr(hidden).encode()
    assert hidden.contents[0] == Text("key: [secret mail]!")
    assert repr(hidden).count("[secret mail]") == 7


def test_an_error_tells_no_secret_and_stays_the_same_error(vault: Vault) -> None:
    hidden = vault.error(CoreFailed(f"401 for {VALUE}"))
    assert isinstance(hidden, CoreFailed)
    assert hidden.message == "401 for [secret mail]"
    plain = CoreFailed("401")
    assert vault.error(plain) is plain


def test_a_secret_is_hidden_in_json_text_too(vault: Vault) -> None:
    vault.set("pem", 'line "one"\nline two')
    assert "line two" not in vault.text('{"key":"line \\"one\\"\\nline two"}')


def test_of_two_secrets_the_longer_is_hidden_whole(vault: Vault) -> None:
    vault.set("longer", f"{VALUE}-and-more")
    assert vault.text(f"{VALUE}-and-more, {VALUE}") == "[secret longer], [secret mail]"


def test_a_secret_that_was_removed_or_changed_stays_hidden(vault: Vault) -> None:
    vault.secret("mail")
    vault.set("mail", "another-value")
    vault.names()
    vault.remove("mail")
    assert vault.text(f"{VALUE} another-value") == "[secret mail] [secret mail]"


@given(st.text(), st.text(), st.text(min_size=VALUE_MIN))
def test_whatever_stands_around_it_a_value_is_gone(before: str, after: str, value: str) -> None:
    vault = Vault(None, {})
    vault._hide("x", value)
    assert value not in vault.text(before + value + after).replace("[secret x]", "\0")
