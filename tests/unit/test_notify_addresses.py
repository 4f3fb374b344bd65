"""Which addresses are open to webhooks."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewardkit.notify.address_table import denial

OPEN = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.167.255.255",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001:80b::200e",
    "2001:4860:4860::8888",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
]
CLOSED = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.0",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.0.192",
    "192.0.2.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.175.48.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "::ffff:0:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::8.8.8.8",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2002:808:808::1",
    "2606:4700::5efe:127.0.0.1",
    "2606:4700::200:5efe:10.0.0.1",
    "2620:4f:8000::1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]


@pytest.mark.parametrize("text", OPEN)
def test_an_address_of_the_public_internet_is_open(text: str) -> None:
    assert denial(ip_address(text)) is None


@pytest.mark.parametrize("text", CLOSED)
def test_any_other_address_is_closed(text: str) -> None:
    assert denial(ip_address(text)) is not None


@pytest.mark.parametrize("text", ["10.1.2.3", "::ffff:10.1.2.3"])
def test_a_network_is_opened_by_name_and_nothing_beside_it(text: str) -> None:
    allowed = [ip_network("10.1.0.0/16")]
    assert denial(ip_address(text), allowed) is None
    assert denial(ip_address("10.2.0.1"), allowed) is not None
    assert denial(ip_address("64:ff9b::10.1.2.3"), allowed) is not None
    assert denial(ip_address("2002:a01:203::1"), allowed) is not None


def test_a_network_of_ipv6_is_opened_by_name() -> None:
    allowed = [ip_network("fd12:3456::/32")]
    assert denial(ip_address("fd12:3456::9"), allowed) is None
    assert denial(ip_address("fd12:3457::9"), allowed) is not None


def multicast_or_private(address: IPv4Address | IPv6Address) -> bool:
    return address.is_multicast or address.is_private or address.is_loopback or address.is_link_local


@settings(deadline=None)
@given(st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_what_python_calls_private_or_multicast_is_closed_in_every_wrapping(
    address: IPv4Address | IPv6Address,
) -> None:
    if not multicast_or_private(address):
        return
    assert denial(address) is not None
    if isinstance(address, IPv4Address):
        for prefix in ("::ffff:0:0", "64:ff9b::", "2606:4700::5efe:0:0"):
            assert denial(IPv6Address(int(IPv6Address(prefix)) | int(address))) is not None
        assert denial(IPv6Address(0x2002 << 112 | int(address) << 80)) is not None
