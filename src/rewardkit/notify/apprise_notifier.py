"""Notices by whatever apprise reaches: push, chat, text messages and a hundred services more."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rewardkit.core.notices.outcomes import Delivered, Outcome, RetryLater
from rewardkit.core.requests.records import Notice
from rewardkit.errors import ExtraNotInstalled, ValidationError
from rewardkit.notify.letter import Letter, Writer
from rewardkit.notify.naming import endpoint_name, kinds_of
from rewardkit.secret import Secret, secrets_of


def thin_letter(notice: Notice) -> Letter:
    """Kind and id alone: a push goes through others' hands, and its reader asks the host for the rest."""
    return Letter(notice.kind, notice.id)


@contextmanager
def _unlogged() -> Iterator[None]:
    """Keeps apprise from logging a URL that it cannot read, with all its tokens; what other threads log stays."""
    here = threading.get_ident()
    logger = logging.getLogger("apprise")

    def others(record: logging.LogRecord) -> bool:
        return record.thread != here

    logger.addFilter(others)
    try:
        yield
    finally:
        logger.removeFilter(others)


class AppriseNotifier:
    """Sends each notice to every one of apprise's URLs.

    Args:
        urls: such as `pover://…` or `tgram://…`, https://appriseit.com lists them; they hold tokens and are not shown.
        write: gives title and text for a notice; default is its kind and its id, and nothing of its user.
        kinds: of notices that are sent; default is all.
        endpoint: a name under which is remembered what it was told; default is made from the URLs.

    Raises:
        ValidationError: apprise does not know one of the URLs.
        ExtraNotInstalled: the extra `notify` is missing.
    """

    def __init__(
        self,
        urls: Secret | str | Iterable[Secret | str],
        *,
        write: Writer = thin_letter,
        kinds: Iterable[str] | None = None,
        endpoint: str | None = None,
    ) -> None:
        try:
            import apprise
        except ImportError:
            raise ExtraNotInstalled("notifying through apprise", "notify") from None
        self._apprise = apprise.Apprise()
        urls = secrets_of(urls, "apprise's URLs")
        for number, url in enumerate(urls):
            with _unlogged():
                known = self._apprise.add(url.reveal())
            if not known:
                raise ValidationError(f"URL {number} is none that apprise knows: see https://appriseit.com")
        self._write = write
        self.kinds = kinds_of(kinds)
        self.endpoint = endpoint_name(endpoint, "apprise", str(len(urls)), *(url.reveal() for url in urls))

    def __repr__(self) -> str:
        return f"AppriseNotifier(of {len(self._apprise)})"

    def __call__(self, notice: Notice) -> Outcome:
        """Send it to all of them; where one does not take it, all are tried again later."""
        letter = self._write(notice)
        if self._apprise.notify(title=letter.subject, body=letter.text):
            return Delivered()
        return RetryLater(f"apprise could not tell all of its {len(self._apprise)} services; its log says why")
