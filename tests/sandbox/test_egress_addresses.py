"""What is not the open internet is refused, in every dress."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios.sandbox.addresses import fault

TRANSLATED = IPv6Network("64:ff9b::/96")
REFUSED = [
    ("127.0.0.1", "this machine"),
    ("127.255.255.254", "this machine"),
    ("0.0.0.0", "this machine"),
    ("10.1.2.3", "private"),
    ("172.31.255.255", "private"),
    ("192.168.1.1", "private"),
    ("100.64.0.1", "private"),
    ("169.254.1.1", "a link's own"),
    ("169.254.169.254", "metadata"),
    ("169.254.170.2", "metadata"),
    ("100.100.100.200", "metadata"),
    ("168.63.129.16", "metadata"),
    ("192.0.0.192", "metadata"),
    ("192.0.2.1", "documentation"),
    ("198.18.0.1", "measurements"),
    ("192.88.99.1", "tunnel"),
    ("224.0.0.1", "multicast"),
    ("240.0.0.1", "reserved"),
    ("255.255.255.255", "broadcast"),
    ("::1", "this machine"),
    ("::", "this machine"),
    ("fe80::1", "a link's own"),
    ("fd00:ec2::254", "metadata"),
    ("fd12::1", "private"),
    ("fec0::1", "private"),
    ("ff02::1", "multicast"),
    ("::127.0.0.1", "no global"),
    ("::8.8.8.8", "no global"),
    ("4000::1", "no global"),
    ("2001:db8::1", "documentation"),
    ("3fff::1", "documentation"),
    ("2001::1", "tunnel"),
    ("2002:7f00:1::", "tunnel"),
    ("2002:808:808::", "tunnel"),
    ("64:ff9b:1::8.8.8.8", "tunnel"),
    ("::ffff:127.0.0.1", "leads to this machine"),
    ("::ffff:169.254.169.254", "leads to a cloud's metadata"),
    ("64:ff9b::10.0.0.1", "leads to a private"),
    ("64:ff9b::a9fe:a9fe", "leads to a cloud's metadata"),
    ("2606:4700::5efe:10.0.0.1", "leads to a private"),
    ("2606:4700::200:5efe:7f00:1", "leads to this machine"),
    ("fe80::5efe:8.8.8.8", "a link's own"),
]
OPEN = [
    "8.8.8.8",
    "1.1.1.1",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700::1111",
    "64:ff9b::8.8.8.8",
    "::ffff:8.8.8.8",
    "2606:4700::5efe:8.8.8.8",
]


@pytest.mark.parametrize(("address", "why"), REFUSED)
def test_an_address_inside_is_refused_and_named(address: str, why: str) -> None:
    found = fault(ip_address(address))
    assert found is not None
    assert why in found


@pytest.mark.parametrize("address", OPEN)
def test_an_address_of_the_open_internet_is_let_through(address: str) -> None:
    assert fault(ip_address(address)) is None


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_what_the_standard_library_calls_private_is_refused(address: IPv4Address) -> None:
    if address.is_private or address.is_multicast or address.is_reserved or address.is_link_local:
        assert fault(address) is not None


@given(st.integers(0, 2**128 - 1).map(IPv6Address))
def test_only_global_ipv6_is_let_through(address: IPv6Address) -> None:
    if fault(address) is None:
        assert address.is_global or address.ipv4_mapped or address in TRANSLATED


@given(st.integers(0, 2**32 - 1), st.sampled_from([0xFFFF << 32, 0x64FF9B << 96]))
def test_a_wrapped_address_is_judged_as_the_one_inside(low: int, prefix: int) -> None:
    inside, outside = fault(IPv4Address(low)), fault(IPv6Address(prefix | low))
    assert (inside is None) == (outside is None)
