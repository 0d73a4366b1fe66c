"""A host is read in one way or not at all, and the list is held to by whole labels."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios.errors import InvalidArgument
from aios.sandbox.targets import Allowed, Target, target

READ_TWO_WAYS = [
    "",
    ":443",
    "host",
    "host:",
    "host:0",
    "host:65536",
    "host:0443",
    "host:+443",
    "host:4 43",
    "host:\u0664\u0664\u0663",
    "host:443:443",
    "host.:443",
    ".host:443",
    "a..b:443",
    "-a.com:443",
    "a-.com:443",
    "a_b.com:443",
    "a b.com:443",
    "attacker\0.google.com:443",
    "attacker%00.google.com:443",
    "evil.com\r\nx:443",
    "evil.com\t:443",
    "user@host:443",
    "user:pass@host:443",
    "host\\@evil:443",
    "host/path:443",
    "host?x:443",
    "host#x:443",
    "*.host:443",
    "faß.de:443",
    "ｅxample.com:443",
    "example。com:443",
    "ex\u200bample.com:443",
    "127.1:80",
    "2130706433:80",
    "0x7f.0.0.1:80",
    "0x7f000001:80",
    "127.0.0.0x1:80",
    "0177.0.0.1:80",
    "127.0.0.01:80",
    "127.0.0.1.:80",
    "1.2.3.4.5:80",
    "1.2.3.256:80",
    "host.0x:80",
    "[::1:80",
    "::1:80",
    "[::1]80",
    "[::1]:",
    "[fe80::1%eth0]:80",
    "[fe80::1%25eth0]:80",
    "[127.0.0.1]x:80",
    "[v1.x]:80",
    "a" * 64 + ".com:443",
    "a." * 130 + "com:443",
]


@pytest.mark.parametrize("text", READ_TWO_WAYS)
def test_what_can_be_read_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="expected") as caught:
        target(text)
    assert caught.value.message.isascii()


def test_names_are_read_without_case_and_addresses_in_their_one_form() -> None:
    assert target("Example.COM:443") == Target("example.com", 443)
    assert target("xn--bcher-kva.example:8443") == Target("xn--bcher-kva.example", 8443)
    assert target("1.2.3.4:80") == Target("1.2.3.4", 80, ip_address("1.2.3.4"))
    assert target("[2001:DB8:0::1]:80") == Target("2001:db8::1", 80, ip_address("2001:db8::1"))
    assert target("localhost", default_port=80) == Target("localhost", 80)
    assert target("[::1]", default_port=80).port == 80
    assert str(target("[::1]:80")) == "[::1]:80"


@given(st.text(max_size=40))
def test_what_is_read_reads_the_same_again(text: str) -> None:
    try:
        found = target(text)
    except InvalidArgument:
        return
    assert target(str(found)) == found


def test_a_list_allows_what_it_names_and_nothing_near_it() -> None:
    allowed = Allowed(["api.example.com:443", "*.cdn.example:443", "93.184.216.34:80"])
    for text in ("api.example.com:443", "API.example.com:443", "a.cdn.example:443",
                 "a.b.cdn.example:443", "93.184.216.34:80"):  # fmt: skip
        assert target(text) in allowed
    for text in ("api.example.com:80", "example.com:443", "x.api.example.com:443",
                 "cdn.example:443", "evilcdn.example:443", "a.cdn.example.evil:443",
                 "93.184.216.34:443", "[::ffff:93.184.216.34]:80"):  # fmt: skip
        assert target(text) not in allowed


@pytest.mark.parametrize("entry", ["*:443", "*.*.com:443", "*.1.2.3.4:80", "a.*.com:443", "x"])
def test_a_list_with_an_entry_that_says_too_much_is_refused(entry: str) -> None:
    with pytest.raises(InvalidArgument):
        Allowed([entry])


def test_a_list_is_bounded() -> None:
    with pytest.raises(InvalidArgument, match="at most 1024 hosts"):
        Allowed(["a.com:443"] * 1_025)
