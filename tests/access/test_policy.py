"""Policy files: what they may say, and errors that name the line, the key and what was expected."""

import pytest

from aios.access.base import Effect
from aios.access.groups import BUILT_IN, Right, is_within
from aios.access.policy import OPEN, PERSONAL, PROFILES, STRICT, Line, Members, Policy, parse
from aios.errors import InvalidArgument

WHOLE = """
profile = "personal"
labels = "enforce"
default = ["reader"]

[[groups.librarians]]
verbs = ["file.read", "file.list"]
owner = "library"
object = "papers/*"

[[agents]]
agents = ["travel", "travel/*"]
groups = ["agent", "librarians"]

[[deny]]
name = "no mail"
verbs = ["process.send"]

[[ask]]
name = "files of others"
verbs = ["file.*"]
owner = "@other"
effects = ["change", "final"]
"""


def test_a_file_says_who_may_what_on_top_of_its_profile() -> None:
    policy = parse(WHOLE, "policy.toml")
    assert policy == Policy(
        labels="enforce",
        default=("reader",),
        groups={"librarians": (Right(("file.read", "file.list"), "library", "papers/*"),)},
        agents=(Members(("travel", "travel/*"), ("agent", "librarians")),),
        deny=(Line("no mail", verbs=("process.send",)),),
        ask=(
            *PERSONAL.ask,
            Line(
                "files of others",
                verbs=("file.*",),
                owner="@other",
                effects=(Effect.CHANGE, Effect.FINAL),
            ),
        ),
    )


def test_an_empty_file_is_the_open_profile_and_levels_grow_with_the_profiles() -> None:
    assert parse("", "p") == OPEN
    assert [PROFILES[name].labels for name in ("open", "personal", "strict")] == [
        "off", "warn", "enforce",
    ]  # fmt: skip
    assert OPEN.ask == OPEN.deny == ()
    assert set(PERSONAL.ask) < set(STRICT.ask)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("labels = 7", 1, "labels: Expected `str`"),
        ('\nlabels = "loud"', 2, "labels: Invalid enum value 'loud'"),
        ('profile = "mine"', 1, "profile: expected one of ['open', 'personal', 'strict']"),
        ("\n\nlables = 'off'", 3, "lables: expected one of ['profile', 'labels'"),
        ('[[deny]]\nname="a"\n[[deny]]\nname="b"\nverb=["x"]', 5, "deny[1].verb: expected one of"),
        ('[[deny]]\nname="a"\nverbs=["file.raed"]', 3, "expected verbs such as file.read"),
        ('[[ask]]\nname="a"\nowner="@all"', 3, "expected a pattern of agents or one of"),
        ('[[ask]]\nname="a"\nobject="[x"', 3, "expected `]` after `[`"),
        ('[[ask]]\nverbs=["*"]', 1, "ask[0]: Object missing required field `name`"),
        (
            '[[ask]]\nname="a"\nover={seconds=1}',
            3,
            "ask[0].over.seconds: expected one of ['tokens'",
        ),
        ('[[ask]]\nname="a"\nover={}', 3, "ask[0].over: expected an amount"),
        ('[[ask]]\nname="a"\nover={money=-1}', 3, "ask[0].over.money: Expected `float` >= 0"),
        (
            '[[deny]]\nname="a"\nover={money=1}',
            3,
            "deny[0].over: expected an amount, in a line that",
        ),
        ('answers = "loud"', 1, "answers: Invalid enum value 'loud'"),
        ('answers = "ask"', 1, "answers: expected labels to be warn or enforce"),
        ('default = ["nobody"]', 1, "default: expected some of the groups"),
        ('[[agents]]\nagents=["x"]\ngroups=["staff"]', 3, "agents[0].groups: expected some of"),
        ('[[groups.agent]]\nverbs=["*"]', 1, "expected another name than the built-in 'agent'"),
        ('[[groups.g]]\nverbs=["*"]\nowner="@other"', 3, "groups.g[0].owner: expected a pattern"),
        ('[[deny]]\nname="a"\neffects=["bad"]', 3, "deny[0].effects[0]: Invalid enum value 'bad'"),
    ],
)
def test_an_error_names_line_and_key_and_what_was_expected(
    text: str, line: int, words: str
) -> None:
    with pytest.raises(InvalidArgument) as wrong:
        parse(text, "policy.toml")
    assert str(wrong.value).startswith(f"policy.toml, line {line}: "), wrong.value
    assert words in str(wrong.value)


def test_what_is_no_toml_says_where() -> None:
    with pytest.raises(InvalidArgument, match=r"policy.toml: expected TOML: .*line 2"):
        parse("labels = 'off'\nx = = 1", "policy.toml")


def test_the_hash_tells_policies_apart_and_not_files() -> None:
    one = parse('labels = "warn"\ndefault = ["agent"]', "a")
    same = parse('# as before\ndefault = ["agent"]\nlabels = "warn"', "b")
    assert one.hash == same.hash != OPEN.hash
    assert len(OPEN.hash) == 64


def test_a_group_is_within_another_where_each_right_is() -> None:
    assert is_within(BUILT_IN["reader"], BUILT_IN["agent"])
    assert is_within(BUILT_IN["agent"], BUILT_IN["init"])
    assert not is_within(BUILT_IN["agent"], BUILT_IN["reader"])
    assert not is_within(BUILT_IN["auditor"], BUILT_IN["agent"])
    assert is_within((), ())
    narrow, wide = Right(("file.read",), "a", "x/1"), Right(("file.*",), "[ab]", "x/*")
    assert is_within((narrow,), (wide,))
    assert not is_within((wide,), (narrow,))
    assert not is_within((Right(("file.read",), "@tree"),), (Right(("file.read",), "*/x"),))
