"""A secret is seen by nobody who does not ask for it."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback
from typing import Any

import attrs
import pytest

from rewardkit.errors import ValidationError
from rewardkit.secret import Secret, secrets_of

CANARY = "canary-5b1f"


@attrs.frozen
class Settings:
    password: Secret


def test_no_way_of_showing_it_shows_it(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(CANARY)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").info("settings %s %r", secret, [Settings(secret)])
    shown = [
        str(secret),
        repr(secret),
        f"{secret}",
        f"{secret:>40}",
        f"{secret!r}",
        "%s" % secret,  # noqa: UP031
        repr(Settings(secret)),
        repr(attrs.asdict(Settings(secret))),
        repr({"password": secret}),
        json.dumps(secret, default=str),
        caplog.text,
    ]
    assert [] == [text for text in shown if CANARY in text]
    assert not hasattr(secret, "__dict__")
    assert secret.reveal() == CANARY


def test_an_error_beside_it_shows_nothing_of_it_among_its_locals() -> None:
    def failing(secret: Secret) -> None:
        raise ZeroDivisionError(f"with {secret}")

    try:
        failing(Secret(CANARY))
    except ZeroDivisionError as error:
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "secret = Secret(…)" in shown
    assert CANARY not in shown.replace(f'CANARY = "{CANARY}"', "")


def test_secrets_are_equal_where_their_texts_are_and_never_equal_to_a_text() -> None:
    assert Secret("ä\ud800") == Secret("ä\ud800")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert {Secret("a"), Secret("a")} == {Secret("a")}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_is_not_pickled_by_accident(protocol: int) -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Settings(Secret(CANARY)), protocol)


def test_a_copy_is_the_secret_itself() -> None:
    secret = Secret(CANARY)
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret


@pytest.mark.parametrize("value", ["", None, b"bytes", 5])
def test_what_is_no_text_is_no_secret(value: Any) -> None:
    with pytest.raises(ValidationError):
        Secret(value)


@pytest.mark.parametrize("value", [[], None, 5, ["a", ""], ["a", None]])
def test_several_are_at_least_one_and_each_is_text(value: Any) -> None:
    with pytest.raises(ValidationError):
        secrets_of(value, "secrets")
