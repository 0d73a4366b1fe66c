"""What a human sees of arguments: every name and part, and of a long text its ends and length."""

import json

from aios.access.showing import NAMES_MAX, SHOWN_MAX, brief, plain, whole
from aios.syscalls.file import Delete, Transaction, WriteFile


def told(arguments: object) -> object:
    return json.loads(brief(plain(arguments, str)))


def test_what_is_short_is_shown_as_it_is() -> None:
    text = "x" * (SHOWN_MAX - 100)
    assert told({"a": text, "b": [1, None, True]}) == {"a": text, "b": [1, None, True]}


def test_a_long_text_is_cut_by_itself_and_its_length_told() -> None:
    long = "lunch " * 2_000
    shown = told({"before": long, "to": "mallory", "after": long})
    assert isinstance(shown, dict)
    assert shown["to"] == "mallory"
    assert f"of {len(long)} characters left out" in shown["before"]
    assert shown["after"].endswith("lunch ")


def test_every_name_and_every_part_is_there_however_much_there_is() -> None:
    arguments = {f"name {number}": "y" * 200 for number in range(40)}
    parts = [f"to {number}" for number in range(200)]
    shown = told({"many": arguments, "parts": parts, "long": "z" * 100_000})
    assert isinstance(shown, dict)
    assert list(shown["many"]) == list(arguments)
    assert shown["parts"] == parts


def test_what_nobody_could_read_is_not_shown_in_pieces() -> None:
    shown = told({"n" * 10 + str(number): number for number in range(NAMES_MAX)})
    assert isinstance(shown, str)
    assert "see it in full" in shown


def test_in_full_nothing_is_left_out() -> None:
    arguments = {"text": "a" * 100_000, "deep": [[{"to": "mallory"}]] * 100, "raw": b"\xff\x00"}
    shown = json.loads(whole(plain(arguments, str)))
    assert shown["text"] == arguments["text"]
    assert shown["deep"] == arguments["deep"]
    assert shown["raw"].endswith("in base64 /wA=")


def test_bytes_are_the_text_they_are_and_others_by_their_hash() -> None:
    assert told(WriteFile(path="a", data="schön".encode())) == {
        "path": "a", "data": "schön", "base": None, "owner": "",
    }  # fmt: skip
    shown = told(WriteFile(path="a", data=b"\xff" * 10_000))
    assert isinstance(shown, dict)
    assert shown["data"].startswith("10000 bytes, SHA-256 ")
    assert len(brief(plain(WriteFile(path="a", data=b"x" * (10 << 20)), str))) < SHOWN_MAX


def test_secrets_are_taken_out_before_a_text_is_cut() -> None:
    secret = "hunter2-hunter2"
    arguments = {secret: "a" * 495 + secret + "b" * 9_000}
    tree = plain(arguments, lambda one: one.replace(secret, "[secret]"))
    assert "hunter" not in brief(tree) + whole(tree)


def test_two_names_in_which_the_same_is_hidden_are_both_there() -> None:
    tree = plain({"one": 1, "two": 2}, lambda one: "[secret]")
    assert json.loads(whole(tree)) == {"[secret]": 1, "[secret]'": 2}


def test_a_step_says_what_it_is() -> None:
    shown = told(Transaction(steps=tuple(Delete(path=f"{number}") for number in range(60))))
    assert isinstance(shown, dict)
    assert len(shown["steps"]) == 60
    assert "file.delete" in shown["steps"][-1].values()
