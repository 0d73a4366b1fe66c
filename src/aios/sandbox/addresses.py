"""Which addresses lie on the open internet. Pure; knows no names and dials nothing.

An address is refused by the first network of the table that holds it. IPv6 is refused unless it
lies where global addresses are given out; an IPv4 address inside an IPv6 one is judged as itself,
where a gateway may unwrap it.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address

_METADATA = "a cloud's metadata"
_PRIVATE = "a private network"
_TUNNEL = "a tunnel into IPv4"
_DOCS = "kept for documentation"

_REFUSED: tuple[tuple[IPv4Network | IPv6Network, str], ...] = tuple(
    (ip_network(network), why)
    for network, why in (
        ("169.254.169.254/32", _METADATA),
        ("169.254.170.0/24", _METADATA),  # containers' credentials
        ("100.100.100.200/32", _METADATA),
        ("168.63.129.16/32", _METADATA),  # lies among public addresses
        ("192.0.0.192/32", _METADATA),
        ("fd00:ec2::/32", _METADATA),
        ("fd20:ce::254/128", _METADATA),
        ("0.0.0.0/8", "this machine"),
        ("127.0.0.0/8", "this machine"),
        ("10.0.0.0/8", _PRIVATE),
        ("172.16.0.0/12", _PRIVATE),
        ("192.168.0.0/16", _PRIVATE),
        ("100.64.0.0/10", _PRIVATE),  # behind a provider's translation
        ("169.254.0.0/16", "a link's own"),
        ("192.0.0.0/24", "kept for protocols"),
        ("192.0.2.0/24", _DOCS),
        ("198.51.100.0/24", _DOCS),
        ("203.0.113.0/24", _DOCS),
        ("192.88.99.0/24", _TUNNEL),
        ("198.18.0.0/15", "kept for measurements"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved or broadcast"),
        ("::1/128", "this machine"),
        ("::/128", "this machine"),
        ("fe80::/10", "a link's own"),
        ("fec0::/10", _PRIVATE),
        ("fc00::/7", _PRIVATE),
        ("ff00::/8", "multicast"),
        ("64:ff9b:1::/48", _TUNNEL),  # a network's own translation: where IPv4 stands is its choice
        ("2001::/32", _TUNNEL),
        ("2002::/16", _TUNNEL),
        ("2001::/23", "kept for protocols"),
        ("2001:db8::/32", _DOCS),
        ("3fff::/20", _DOCS),
    )
)
_GLOBAL = IPv6Network("2000::/3")
_TRANSLATED = IPv6Network("64:ff9b::/96")
_SITE_TUNNELS = (0x00005EFE, 0x02005EFE)  # third quarter of an address that a router unwraps


def fault(address: Address) -> str | None:
    """Why nothing may connect there; None for the open internet."""
    for inner in _reached(address):
        why = _listed(inner)
        if why is not None:
            return f"{address} is {why}" if inner == address else f"{address} leads to {why}"
    return None


def _reached(address: Address) -> tuple[Address, ...]:
    """Every address that a packet to this one may end at."""
    if isinstance(address, IPv4Address):
        return (address,)
    low = IPv4Address(int(address) & 0xFFFFFFFF)
    # Networks without IPv4 reach it by translation: the public ones are let through.
    if address.ipv4_mapped is not None or address in _TRANSLATED:
        return (low,)
    is_tunnel = (int(address) >> 32) & 0xFFFFFFFF in _SITE_TUNNELS
    return (address, low) if is_tunnel else (address,)


def _listed(address: Address) -> str | None:
    for network, why in _REFUSED:
        if address.version == network.version and address in network:
            return why
    if isinstance(address, IPv6Address) and address not in _GLOBAL:
        return "no global address"
    return None
