"""Notices by e-mail, over SMTP with TLS, by the standard library alone."""

from __future__ import annotations

import contextlib
import io
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterable
from typing import Any, Final, Literal, TypeAlias

from rewardkit.core.notices.outcomes import Delivered, FailedForGood, Outcome, RetryLater
from rewardkit.core.requests.records import Notice
from rewardkit.errors import ValidationError
from rewardkit.notify.deadline import Deadline, DeadlineReader, send_all, timeout
from rewardkit.notify.letter import Recipients, Writer, address, addresses, message, plain_letter
from rewardkit.notify.naming import endpoint_name, kinds_of
from rewardkit.notify.trust import trust
from rewardkit.secret import Secret, secret_of

Security: TypeAlias = Literal["starttls", "tls", "none"]

TIMEOUT_SECONDS: Final = 15
"""For all of one attempt."""

_FOR_GOOD = 500
"""From here on SMTP's codes say that trying again would not help."""

_PORTS: Final[dict[Security, int]] = {"starttls": 587, "tls": 465, "none": 25}


class EmailNotifier:
    """Sends each notice by e-mail.

    Args:
        host: of the mail server.
        sender: a bare address, such as `shop@example.com`.
        to: bare addresses, or a callable that gives them for a notice; where it gives none, nobody is to be told.
        write: gives subject and text for a notice; default is its kind and id, and its body.
        security: `starttls` and `tls` verify the server's name; `none` is for a server on this machine.
        kinds: of notices that are sent; default is all.
        endpoint: a name under which is remembered what it was told; default is made from host, sender and recipients.
        port: default is 587, 465 or 25, by `security`.
        username: for logging in, which needs TLS.
        password: as text or `Secret`.
        timeout_seconds: for all of one attempt, at most 20.
        tls: in place of the system's trust, such as for an authority of your own.

    Raises:
        ValidationError: an argument cannot be meant.
    """

    def __init__(
        self,
        host: str,
        *,
        sender: str,
        to: Recipients | Callable[[Notice], Recipients],
        write: Writer = plain_letter,
        kinds: Iterable[str] | None = None,
        endpoint: str | None = None,
        security: Security = "starttls",
        port: int | None = None,
        username: str = "",
        password: Secret | str | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._host = host
        # Wrapped at once, so that no traceback from here on shows it.
        self._password = password = None if password is None else secret_of(password)
        if security not in _PORTS:
            raise ValidationError("`security` is `starttls`, `tls` or `none`")
        if bool(username) != (self._password is not None):
            raise ValidationError("`username` and `password` come together")
        if username and security == "none":
            raise ValidationError("a password is not sent where everybody can read it: `starttls` or `tls`")
        if self._password is not None and not (username + self._password.reveal()).isascii():
            # `smtplib` would fail at every log-in, with an error that holds the password.
            raise ValidationError("`username` and `password` are ASCII: SMTP's log-in knows no other letters")
        self._port = _PORTS[security] if port is None else port
        self._sender = address(sender, "a sender")
        self._to = to if callable(to) else addresses(to)
        self._write = write
        told = () if callable(self._to) else self._to
        self.endpoint = endpoint_name(endpoint, "e-mail", sender, sender, host, *told)
        self.kinds = kinds_of(kinds)
        self._security = security
        self._username = username
        self._timeout_seconds = timeout(timeout_seconds)
        self._tls = trust(tls) if security != "none" else None

    def __repr__(self) -> str:
        return f"EmailNotifier({self._host!r})"

    def __call__(self, notice: Notice) -> Outcome:
        """Send it to all its recipients, and say what came of it.

        A recipient or subject that cannot be meant, and what the server refuses for good, are `FailedForGood`.
        """
        try:
            to = addresses(self._to(notice)) if callable(self._to) else self._to
            content = message(notice, self._write(notice), sender=self._sender, to=to).as_bytes() if to else b""
        except ValidationError as error:
            return FailedForGood(str(error))
        return self._send(to, content) if to else Delivered()

    def _send(self, to: tuple[str, ...], content: bytes) -> Outcome:
        """Hand it to the server.

        What the server wrote is left out of the outcome: after a log-in it may hold anything.
        """
        deadline = Deadline(self._timeout_seconds)
        conversation = _Conversation(self._host, self._port, deadline, self._sender.rpartition("@")[2])
        try:
            conversation.begin(self._tls if self._security == "tls" else None)
            if self._security == "starttls":
                conversation.starttls(context=self._tls)
            if self._password is not None:
                conversation.login(self._username, self._password.reveal())
            refused = conversation.sendmail(self._sender, to, content)
            # It has the message; how it says good-bye is of no interest.
            with contextlib.suppress(OSError, smtplib.SMTPException):
                conversation.quit()
        except smtplib.SMTPRecipientsRefused as error:
            refused = error.recipients
        except (OSError, smtplib.SMTPException) as error:
            reason = f"the mail server `{self._host}` {_failure(error, deadline)}"
            # The message itself, and not the log-in, the sender or the server's day.
            for_good = isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= _FOR_GOOD
            return FailedForGood(reason) if for_good else RetryLater(reason)
        finally:
            conversation.close()
        codes = sorted({code for code, _ in refused.values()})
        if not codes:
            return Delivered()
        shown = ", ".join(map(str, codes))
        reason = f"the mail server `{self._host}` refused {len(refused)} of {len(to)} recipients ({shown})"
        # Where one may be taken later, all are tried again, and those who have it get it twice.
        return FailedForGood(reason) if codes[0] >= _FOR_GOOD else RetryLater(reason)


def _failure(error: OSError | smtplib.SMTPException, deadline: Deadline) -> str:
    match error:
        case smtplib.SMTPAuthenticationError():
            return f"refused the log-in ({error.smtp_code})"
        case smtplib.SMTPResponseException():
            return f"did not take it ({error.smtp_code})"
        case ssl.SSLCertVerificationError():
            return f"did not prove who it is: {error.verify_message}"
        case _ if deadline.over or isinstance(error, TimeoutError):
            # `smtplib` calls it a lost connection.
            return f"did not answer within {deadline.seconds:g} seconds"
        case smtplib.SMTPException():
            return f"cannot be used ({type(error).__name__})"
        case _:
            return f"cannot be reached: {error.strerror or type(error).__name__}"


class _Conversation(smtplib.SMTP):
    """SMTP under one deadline: `smtplib` has a timeout for each read, which a byte now and then puts off for ever."""

    def __init__(self, host: str, port: int, deadline: Deadline, domain: str) -> None:
        self._deadline = deadline
        # With a name of its own it does not ask the DNS for one; without a host it does not connect yet.
        super().__init__("", local_hostname=domain)
        self._host, self._port = host, port

    def begin(self, tls: ssl.SSLContext | None) -> None:
        """Connect, and be greeted; with `tls` where it is spoken from the start."""
        self.sock = socket.create_connection((self._host, self._port), self._deadline.left())
        if tls is not None:
            self.sock.settimeout(self._deadline.left())
            self.sock = tls.wrap_socket(self.sock, server_hostname=self._host)
        code, greeting = self.getreply()
        if code != 220:
            raise smtplib.SMTPConnectError(code, greeting)

    def getreply(self) -> tuple[int, bytes]:
        """The server's next reply, by the deadline."""
        if self.file is None and self.sock is not None:
            self.file = io.BufferedReader(DeadlineReader(self.sock, self._deadline))
        return super().getreply()

    def send(self, s: Any) -> None:
        """Send all of it by the deadline."""
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("not connected")
        send_all(self.sock, s.encode("ascii") if isinstance(s, str) else bytes(s), self._deadline)
