"""What a webhook's URL may be, and where its host may lead."""

from __future__ import annotations

import time
from collections.abc import Sequence
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewardkit.errors import UrlRefused, ValidationError
from rewardkit.notify.url_guard import URL_CHARACTERS, Resolver, UrlGuard, system_resolver
from rewardkit.secret import Secret

PUBLIC = "93.184.216.34"


def leading_to(*addresses: str) -> Resolver:
    return lambda _host, _port: list(addresses)


@pytest.mark.parametrize(
    "url, shown, target",
    [
        ("https://example.com", "https://example.com/…", "/"),
        ("https://example.com/", "https://example.com/…", "/"),
        ("HTTPS://Shop.Example.COM/Hook?a=b", "https://shop.example.com/…", "/Hook?a=b"),
        ("https://example.com?a=@b", "https://example.com/…", "/?a=@b"),
        ("https://example.com:443/a@b:c", "https://example.com/…", "/a@b:c"),
        ("https://example.com:80/", "https://example.com:80/…", "/"),
        ("https://xn--bcher-kva.example/%C3%BC", "https://xn--bcher-kva.example/…", "/%C3%BC"),
        ("https://hooks_1.example-2.com/services/T0/B0/x", "https://hooks_1.example-2.com/…", "/services/T0/B0/x"),
    ],
)
def test_an_ordinary_url_passes(url: str, shown: str, target: str) -> None:
    destination = UrlGuard(resolver=leading_to(PUBLIC, "2606:4700::1")).admit(url)
    assert (destination.shown, destination.target) == (shown, target)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//example.com/",
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "https:/example.com/",
        "https:///hook",
        "https://",
        "https://.",
        "https://example.com./",
        "https://example..com/",
        "https://example.com:/",
        "https://example.com:0/",
        "https://example.com:22/",
        "https://example.com:0443/",
        "https://example.com:65979/",
        "https://example.com:4430000/",
        "https://example.com:+443/",
        "https://example.com:44３/",
        "https://user@example.com/",
        "https://user:pass@example.com/",
        "https://:@example.com/",
        "https://example.com@127.0.0.1/",
        "https://127.0.0.1#@example.com/",
        "https://127.0.0.1\\@example.com/",
        "https://example.com\\.evil/",
        "https://[::1]/",
        "https://[v1.example]/",
        "https://[fe80::1%25eth0]/",
        "https://127.0.0.1\x00.example.com/",
        "https://exa\tmple.com/",
        "https://example.com/\r\nHost: evil",
        "https://example.com/a b",
        " https://example.com/",
        "https://example.com/\n",
        "https://example.com/\x7f",
        "https://１２７.0.0.1/",
        "https://①②⑦.⓪.⓪.①/",
        "https://bücher.example/",
        "https://example。com/",
        "https://exam\u00adple.com/",
        "https://example.com/ü",
        "https://example.com/#fragment",
        "https://127.0.0.1./",
        "https://localhost./",
        "https://example.com:443./",
        "https://example.com%40127.0.0.1/",
        "https://example.com%2F@127.0.0.1/",
        "https://example.com;@127.0.0.1/",
        "https://example.com:443@127.0.0.1/",
        "https://example.com:443:80/",
        "https://example.com:4_4_3/",
        "https://example.com:0x1bb/",
        "https://example.com:-1/",
        "https:\\\\127.0.0.1/",
        "https:/\\127.0.0.1/",
        "https:127.0.0.1/",
        "https:////127.0.0.1/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[::1%25lo]/",
        "https://::1/",
        "https://fe80::1%eth0/",
        "https://127.0.0.1%lo/",
        "https://exam\u200bple.com/",
        "https://example.com\u202e/",
        "https://loca\u2113host/",
        "https://\u24db\u24de\u24d2alhost/",
        "https://k\u212aelvin.example/",
        "https://l\u043ecalhost/",
        "https://example\uff0ecom/",
        "https://example.com\uff0f@127.0.0.1/",
        "https://example.com\u2488com/",
        "https://\ud800.example/",
        "https://example.com/\ud800",
        "https://-example.com/",
        "https://*.example.com/",
        "https://%31%32%37.0.0.1/",
        "https://a" + "a" * 63 + ".com/",
        "https://" + "a." * 130 + "com/",
        "https://example.com/" + "a" * URL_CHARACTERS,
    ],
)
def test_an_odd_url_is_refused_before_anything_parses_it(url: str) -> None:
    def unreached(host: str, port: int) -> Sequence[str]:
        raise AssertionError(host)

    with pytest.raises(UrlRefused):
        UrlGuard(resolver=unreached).admit(url)


@pytest.mark.parametrize("url", [None, b"https://example.com/", 5, ["https://example.com/"]])
def test_what_is_no_text_is_refused(url: str) -> None:
    with pytest.raises(UrlRefused, match="must be text"):
        UrlGuard(resolver=leading_to(PUBLIC)).admit(url)


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    guard = UrlGuard(resolver=leading_to(PUBLIC))
    for url in (text, f"https://{text}", f"https://example.com{text}"):
        try:
            destination = guard.admit(url)
        except UrlRefused:
            continue
        assert destination.scheme == "https"
        assert url.isascii()


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0x7f.1", "017700000001", "localhost", "0"],
)
def test_every_notation_of_this_machine_is_judged_by_what_it_resolves_to(host: str) -> None:
    guard = UrlGuard(allow_http=True)
    assert host in ("localhost", "0") or system_resolver(host, 80) == ["127.0.0.1"]
    for scheme in ("http", "https"):
        with pytest.raises(UrlRefused, match="not open to webhooks"):
            guard.admit(f"{scheme}://{host}/")


@pytest.mark.parametrize("host", ["169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.16689662"])
def test_every_notation_of_a_clouds_metadata_is_judged_by_what_it_resolves_to(host: str) -> None:
    assert system_resolver(host, 443) == ["169.254.169.254"]
    with pytest.raises(UrlRefused, match="metadata"):
        UrlGuard().admit(f"https://{host}/latest/meta-data/")


CLOSED_NETWORKS = ("0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")
NUMBERS = (str, hex, lambda number: f"0{number:o}", lambda number: f"0X{number:08X}", lambda number: f"00{number:o}")


@st.composite
def notations(draw: st.DrawFn) -> tuple[str, str]:
    """An address behind this host, and a way to write it that the system's resolver knows."""
    network = ip_network(draw(st.sampled_from(CLOSED_NETWORKS)))
    number = draw(st.integers(int(network[0]), int(network[-1])))
    parts = draw(st.integers(1, 4))
    # The last part takes all bits that are left.
    last = 8 * (5 - parts)
    values = [number >> shift & 0xFF for shift in range(24, last - 1, -8)] + [number & (1 << last) - 1]
    return str(ip_address(number)), ".".join(draw(st.sampled_from(NUMBERS))(value) for value in values)


@settings(deadline=None)
@given(notations())
def test_no_notation_of_an_address_behind_this_host_passes(notation: tuple[str, str]) -> None:
    address, host = notation
    assert system_resolver(host, 443) == [address]
    with pytest.raises(UrlRefused, match="not open to webhooks"):
        UrlGuard().admit(f"https://{host}/")


@pytest.mark.parametrize(
    "addresses",
    [
        ("169.254.169.254",),
        # More than are tried: all are judged.
        ("1.1.1.1", "8.8.8.8", "9.9.9.9", PUBLIC, "2606:4700::1", "10.0.0.1"),
        (PUBLIC, "::1%lo"),
        (PUBLIC, "::ffff:127.0.0.1%eth0"),
        (PUBLIC, "64:ff9b::a00:1%1"),
        (PUBLIC, "[::1]"),
        (PUBLIC, "2130706433"),
        (PUBLIC, "0177.0.0.1"),
        (PUBLIC, "127.0.0.1 "),
        (PUBLIC, ""),
        (PUBLIC, "10.0.0.1"),
        ("10.0.0.1", PUBLIC),
        (PUBLIC, "::ffff:10.0.0.1"),
        (PUBLIC, "64:ff9b::7f00:1"),
        (PUBLIC, "fe80::1%eth0"),
        (PUBLIC, "127.1"),
        (PUBLIC, "no address"),
    ],
)
def test_every_address_of_a_host_has_to_be_open(addresses: tuple[str, ...]) -> None:
    with pytest.raises(UrlRefused):
        UrlGuard(resolver=leading_to(*addresses)).admit("https://example.com/")


def test_a_refusal_tells_nothing_of_the_hosts_network_or_of_a_token() -> None:
    with pytest.raises(UrlRefused) as refused:
        UrlGuard(resolver=leading_to("10.77.1.2")).admit("https://intranet.example/hook?token=canary")
    assert str(refused.value) == (
        "the host of `https://intranet.example/…` leads to an address that is not open to webhooks (a private network);"
        " `allowed_networks` on the guard opens a network"
    )


def test_ports_http_and_networks_are_opened_one_by_one() -> None:
    private = leading_to("10.1.2.3")
    guard = UrlGuard(allow_http=True, allowed_ports={8080}, allowed_networks=["10.1.0.0/16"], resolver=private)
    assert guard.admit("http://inside.example:8080/").authority == "inside.example:8080"
    with pytest.raises(UrlRefused, match="8081"):
        guard.admit("http://inside.example:8081/")
    with pytest.raises(UrlRefused, match="private"):
        UrlGuard(allowed_networks=["10.2.0.0/16"], resolver=private).admit("https://inside.example/")


@pytest.mark.parametrize("networks", ["10.0.0.0/8", ["10.0.0.1/8"], ["everything"], [""]])
def test_what_is_no_list_of_networks_is_refused(networks: list[str]) -> None:
    with pytest.raises(ValidationError):
        UrlGuard(allowed_networks=networks)


@pytest.mark.parametrize("ports", [{0}, {65_536}, {True}, {"8080"}])
def test_what_is_no_port_is_refused(ports: set[int]) -> None:
    with pytest.raises(ValidationError):
        UrlGuard(allowed_ports=ports)


@pytest.mark.parametrize("failure", [OSError("no such host"), UnicodeError("label too long")])
def test_a_host_that_does_not_resolve_is_refused_for_now(failure: Exception) -> None:
    def failing(host: str, port: int) -> Sequence[str]:
        raise failure

    with pytest.raises(UrlRefused, match="does not resolve"):
        UrlGuard(resolver=failing).admit("https://example.com/")
    with pytest.raises(UrlRefused, match="no address"):
        UrlGuard(resolver=leading_to()).admit("https://example.com/")


def test_a_resolver_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def hanging(host: str, port: int) -> Sequence[str]:
        time.sleep(1)
        return [PUBLIC]

    monkeypatch.setattr("rewardkit.notify.url_guard.ADMISSION_SECONDS", 0.05)
    began = time.monotonic()
    with pytest.raises(UrlRefused, match=r"within 0\.05 seconds"):
        UrlGuard(resolver=hanging).admit("https://example.com/")
    assert time.monotonic() - began < 0.9


def test_a_url_that_is_a_secret_is_read_and_not_shown() -> None:
    destination = UrlGuard(resolver=leading_to(PUBLIC)).admit(Secret("https://example.com/canary"))
    assert destination.target == "/canary"
    assert "canary" not in repr(destination)
