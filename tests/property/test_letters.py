"""Whatever strangers call themselves, an e-mail has its own headers and nobody else's."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from hypothesis import example, given, settings
from hypothesis import strategies as st

from rewardkit.core.requests.records import Notice
from rewardkit.errors import ValidationError
from rewardkit.notify.letter import Letter, addresses, message, plain_letter

HEADERS = "From To Subject Date Message-ID Auto-Submitted MIME-Version Content-Type".split()
WORDS = st.sampled_from(
    [
        "\r\n",
        "\n",
        "\r",
        "\x85",
        "\u2028",
        ": ",
        "Bcc: a@example.com",
        "=?utf-8?q?=0A?=",
        "=??Q?=0A",
        "=?",
        "?",
        "=",
        " ",
        "ü",
        "🎁",
    ]
)
texts = st.lists(st.text(max_size=20) | WORDS, max_size=12).map("".join)


def notice(user: str) -> Notice:
    return Notice("no_1", "grant.ready", user, b"{}", datetime(2026, 1, 1, tzinfo=UTC), 1)


def sent(letter: Letter) -> EmailMessage:
    made = message(notice("a"), letter, sender="shop@example.com", to=("a@example.com",))
    found = message_from_bytes(made.as_bytes(), policy=default)
    assert isinstance(found, EmailMessage)
    return found


@settings(deadline=None)
@given(texts, texts)
@example("=??Q?=0A", "")  # Python 3.11 decodes it, and writes the line break
@example("Hello =?utf-8?Q?=0D=0ABcc=3A_thief=40example=2Ecom?=", "")
def test_a_subject_is_refused_or_adds_no_header(subject: str, text: str) -> None:
    try:
        found = sent(Letter(subject, text))
    except ValidationError:
        return
    assert found.keys() == HEADERS
    assert found["To"] == "a@example.com"
    assert b"\nBcc" not in found.as_bytes()


@settings(deadline=None)
@example("=?utf-8?q?=0A?=", "")
@given(st.text("=?aQ0A._-!", max_size=30) | st.emails(), texts)
def test_an_address_is_refused_or_stays_one_address(local: str, rest: str) -> None:
    for given_address in (local, f"{local}@example.com", f"a@{local}", local + rest, f"{rest}@example.com"):
        try:
            to = addresses(given_address)
        except ValidationError:
            continue
        made = message(notice("a"), Letter("s", "t"), sender=to[0], to=to)
        found = message_from_bytes(made.as_bytes(), policy=default)
        assert found.keys() == HEADERS
        assert [one.addr_spec for one in found["To"].addresses] == [given_address]


@settings(deadline=None)
@given(st.text(st.characters(categories=["L", "N", "S"]), min_size=1, max_size=255))
def test_a_subject_of_letters_arrives_as_it_was(subject: str) -> None:
    assert sent(Letter(subject, "text"))["Subject"] == subject


@settings(deadline=None)
@given(texts)
def test_a_notice_about_anybody_can_be_written(user: str) -> None:
    assert sent(plain_letter(notice(user))).keys() == HEADERS
