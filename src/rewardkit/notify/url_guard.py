"""The guard in front of webhooks: a URL that a stranger wrote must not lead into the host's own network.

A URL is refused by its text before anything parses it.
Then its host is resolved once, every answer is judged, and the connection goes to an answer that was judged: whoever
changes the name's address in between changes nothing.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address
from threading import Thread
from typing import Final, TypeAlias

import attrs

from rewardkit.errors import UrlRefused, ValidationError
from rewardkit.notify.address_table import Address, Network, denial, network
from rewardkit.notify.deadline import Deadline
from rewardkit.secret import Secret

Resolver: TypeAlias = Callable[[str, int], Sequence[str]]
"""Gives all addresses of a host for a port, as text; raises `OSError` where there is none."""

URL_CHARACTERS: Final = 2_048
"""What common servers and proxies take."""

ADMISSION_SECONDS: Final = 15
"""For resolving a host when its URL is registered."""

_PORTS: Final = {"https": 443, "http": 80}

# Only what RFC 3986 allows: no control character, space, backslash, bracket or letter beyond ASCII is left to be read
# in two ways. A host is a name, or a number in whatever notation the resolver knows: its answer is what is judged.
_URL = re.compile(
    r"(?P<scheme>[Hh][Tt][Tt][Pp][Ss]?)://"
    r"(?P<host>[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62}))*)"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<target>(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?)"
)
_HOST_CHARACTERS: Final = 253


@attrs.frozen
class Destination:
    """Where a URL leads. What comes after the host may be a token, and is not shown."""

    scheme: str
    host: str
    port: int
    target: str = attrs.field(repr=False)
    """Path and query, as the request's first line has them."""

    @property
    def shown(self) -> str:
        """The URL as it may stand in a message."""
        return f"{self.scheme}://{self.authority}/…"

    @property
    def authority(self) -> str:
        """Host, and port where it is not the scheme's own, as the header `Host` has them."""
        return self.host if self.port == _PORTS[self.scheme] else f"{self.host}:{self.port}"


def system_resolver(host: str, port: int) -> Sequence[str]:
    """This machine's answers."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _networks(given: Iterable[str]) -> tuple[Network, ...]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise ValidationError(
            f"networks come as a list of texts such as `10.1.0.0/16`, not as one `{type(given).__name__}`"
        )
    try:
        return tuple(network(text) for text in given)
    except ValueError as error:
        raise ValidationError(f"not a network: {error}; write it such as `10.1.0.0/16`") from None


def _ports(given: Iterable[int]) -> frozenset[int]:
    if not isinstance(given, Iterable):
        raise ValidationError(f"ports come as a list, such as `[8443]`, not as one `{type(given).__name__}`")
    found = frozenset(given)
    if not all(type(port) is int and 0 < port < 65_536 for port in found):
        raise ValidationError("ports are whole numbers from 1 to 65535")
    return found


@attrs.frozen(kw_only=True)
class UrlGuard:
    """What webhooks may connect to: by default `https://`, ports 443 and 80, and public addresses.

    Args:
        allow_http: also `http://`, whose content everybody on the way can read.
        allowed_ports: besides 443 and 80.
        allowed_networks: such as `10.1.0.0/16`, although the table of addresses denies them.
        resolver: in place of this machine's.
    """

    allow_http: bool = False
    allowed_ports: frozenset[int] = attrs.field(default=frozenset(), converter=_ports)
    allowed_networks: tuple[Network, ...] = attrs.field(default=(), converter=_networks)
    resolver: Resolver = system_resolver

    def read(self, url: str | Secret) -> Destination:
        """Judge a URL by its text; nothing is resolved.

        Raises:
            UrlRefused: it is malformed, or its scheme or port is not allowed.
        """
        judged = self._judge(url.reveal() if isinstance(url, Secret) else url)
        if isinstance(judged, UrlRefused):
            raise judged
        return judged

    def _judge(self, url: str) -> Destination | UrlRefused:
        """Where it leads, or why it is refused: raised elsewhere, so that no traceback shows the URL."""
        if not isinstance(url, str):
            return UrlRefused(f"a webhook's URL must be text, not `{type(url).__name__}`")
        if len(url) > URL_CHARACTERS:
            return UrlRefused(f"a webhook's URL has {len(url)} characters, at most {URL_CHARACTERS} are taken")
        found = _URL.fullmatch(url)
        if found is None or len(found["host"]) > _HOST_CHARACTERS:
            return UrlRefused(
                "a webhook's URL is such as `https://example.com/hook`: ASCII, a host by name (`xn--…` where it has"
                " other letters), no user, no password, no brackets, no fragment"
            )
        scheme = found["scheme"].lower()
        if scheme == "http" and not self.allow_http:
            return UrlRefused(
                "a webhook's URL begins with `https://`; `allow_http` on the guard opens the other", "scheme"
            )
        port = int(found["port"] or _PORTS[scheme])
        if port not in _PORTS.values() and port not in self.allowed_ports:
            return UrlRefused(f"port `{port}` is closed to webhooks; `allowed_ports` on the guard opens it", "port")
        target = found["target"]
        return Destination(scheme, found["host"].lower(), port, target if target.startswith("/") else f"/{target}")

    def admit(self, url: str | Secret) -> Destination:
        """Judge a URL when it is registered, by its text and by where its host leads now.

        Raises:
            UrlRefused: it is not allowed, or its host does not resolve.
        """
        destination = self.read(url)
        self.addresses(destination, Deadline(ADMISSION_SECONDS))
        return destination

    def addresses(self, destination: Destination, deadline: Deadline) -> tuple[Address, ...]:
        """Resolve an destination's host once; every answer has been judged, and only these may be connected to.

        Raises:
            UrlRefused: one of them is denied, or the host does not resolve by the deadline.
        """
        found = tuple(_address(text, destination) for text in _resolved(self.resolver, destination, deadline))
        if not found:
            raise UrlRefused(f"the host of `{destination.shown}` has no address", "unresolved")
        for address in found:
            why = denial(address, self.allowed_networks)
            if why is not None:
                # Without the address: whoever may register URLs must not learn the host's network by trying names.
                raise UrlRefused(
                    f"the host of `{destination.shown}` leads to an address that is not open to webhooks ({why});"
                    " `allowed_networks` on the guard opens a network",
                    "address",
                )
        return found


def _address(text: str, destination: Destination) -> Address:
    try:
        return ip_address(text)
    except ValueError:
        raise UrlRefused(f"the host of `{destination.shown}` leads to what is no address", "unresolved") from None


def _resolved(resolver: Resolver, destination: Destination, deadline: Deadline) -> Sequence[str]:
    """On a thread of its own, since the system's resolver cannot be told when to give up."""
    answers: list[Sequence[str]] = []
    failures: list[Exception] = []

    def resolve() -> None:
        try:
            answers.append(resolver(destination.host, destination.port))
        except Exception as error:  # noqa: BLE001 - raised again by the caller's thread
            failures.append(error)

    thread = Thread(target=resolve, name="rewardkit-resolver", daemon=True)
    thread.start()
    thread.join(deadline.left())
    if failures and isinstance(failures[0], OSError | UnicodeError):
        raise UrlRefused(f"the host of `{destination.shown}` does not resolve", "unresolved")
    if failures:
        raise failures[0]
    if not answers:
        raise UrlRefused(
            f"the host of `{destination.shown}` does not resolve within {deadline.seconds:g} seconds", "unresolved"
        )
    return answers[0]
