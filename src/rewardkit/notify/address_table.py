"""Which addresses a webhook may be sent to: those of the public internet, and of no network behind this host.

Python's `is_global` and `is_private` are not asked: versions differ, and some call multicast, NAT64 of the loopback,
6to4 and site-local addresses global (CVE-2024-4032).
The tables follow IANA's registries of special-purpose addresses for IPv4 and IPv6.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_DENIED: Final[tuple[tuple[str, str], ...]] = (
    ("0.0.0.0/8", "this network"),
    ("10.0.0.0/8", "a private network"),
    ("100.64.0.0/10", "shared by a carrier's customers"),
    ("127.0.0.0/8", "this machine"),
    ("168.63.129.16/32", "a cloud's own service"),
    ("169.254.0.0/16", "link-local, where clouds keep their metadata"),
    ("172.16.0.0/12", "a private network"),
    ("192.0.0.0/24", "kept for protocols"),
    ("192.0.2.0/24", "kept for documentation"),
    ("192.31.196.0/24", "kept for protocols"),
    ("192.52.193.0/24", "kept for protocols"),
    ("192.88.99.0/24", "a relay of 6to4"),
    ("192.168.0.0/16", "a private network"),
    ("192.175.48.0/24", "kept for protocols"),
    ("198.18.0.0/15", "kept for benchmarks"),
    ("198.51.100.0/24", "kept for documentation"),
    ("203.0.113.0/24", "kept for documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("::/128", "no address"),
    ("::1/128", "this machine"),
    ("::/96", "an IPv4 address in a form that is no longer used"),
    ("2001::/32", "a tunnel of Teredo"),
    ("2001::/23", "kept for protocols"),
    ("2001:db8::/32", "kept for documentation"),
    ("2002::/16", "a tunnel of 6to4"),
    ("2620:4f:8000::/48", "kept for protocols"),
    ("3fff::/20", "kept for documentation"),
    ("64:ff9b:1::/48", "a network's own NAT64"),
    ("fc00::/7", "a private network"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "a private network"),
    ("ff00::/8", "multicast"),
)
_DENIED_4: Final = tuple((IPv4Network(text), why) for text, why in _DENIED if ":" not in text)
_DENIED_6: Final = tuple((IPv6Network(text), why) for text, why in _DENIED if ":" in text)

_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
"""All that has been given out of IPv6; what lies outside is denied without a line of its own."""

_NAT64: Final = IPv6Network("64:ff9b::/96")
_ISATAP: Final = frozenset((0x0000_5EFE, 0x0200_5EFE))
_LOW_32_BITS: Final = 0xFFFF_FFFF


def denial(address: Address, allowed: Iterable[Network] = ()) -> str | None:
    """Why no webhook may be sent to an address; None where one may.

    Args:
        address: that a name resolved to.
        allowed: networks that the host application has opened although the table denies them.
    """
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    if any(_holds(network, address) or (mapped is not None and _holds(network, mapped)) for network in allowed):
        return None
    if isinstance(address, IPv4Address):
        return _why(_DENIED_4, address)
    inside = next((why for one in _embedded(address) if (why := _why(_DENIED_4, one)) is not None), None)
    if mapped is not None or address in _NAT64:
        return inside
    why = _why(_DENIED_6, address)
    if why is None and address not in _GLOBAL_UNICAST:
        why = "outside the addresses in use"
    return why or inside


def network(text: str) -> Network:
    """A network such as `10.0.0.0/8`; ValueError where it is none, or has bits set beyond its prefix."""
    return ip_network(text)


def _holds(network: Network, address: Address) -> bool:
    return address.version == network.version and address in network


def _why(table: Iterable[tuple[IPv4Network, str]] | Iterable[tuple[IPv6Network, str]], address: Address) -> str | None:
    return next((why for network, why in table if address in network), None)


def _embedded(address: IPv6Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that a packet to this one may end at."""
    low = IPv4Address(int(address) & _LOW_32_BITS)
    if address.ipv4_mapped is not None or address in _NAT64 or int(address) >> 32 & _LOW_32_BITS in _ISATAP:
        yield low
