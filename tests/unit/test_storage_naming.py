from __future__ import annotations

from pathlib import Path

import pytest

from rewardkit.errors import ValidationError
from rewardkit.storage import open_store
from rewardkit.storage.memory import MemoryStore
from rewardkit.storage.sql.postgres import PostgresStore
from rewardkit.storage.sql.sqlite import SqliteStore


@pytest.mark.parametrize(
    "text, kind",
    [
        (":memory:", MemoryStore),
        ("sqlite:///rewards.db", SqliteStore),
        ("sqlite:////var/lib/rewards.db", SqliteStore),
        ("postgresql://user@host/database", PostgresStore),
        ("postgres://user@host/database", PostgresStore),
    ],
)
def test_a_text_names_a_store(text: str, kind: type[object]) -> None:
    assert type(open_store(text)) is kind


@pytest.mark.parametrize(
    "text", ["", "rewards.db", "sqlite://rewards.db", "sqlite:///", "mysql://host", "memory", "/x"]
)
def test_a_text_that_names_none_is_answered_with_the_choices(text: str) -> None:
    with pytest.raises(ValidationError, match=r"`:memory:`, `sqlite:///rewards.db`.*`postgresql://"):
        open_store(text)


def test_a_password_is_not_repeated() -> None:
    with pytest.raises(ValidationError) as caught:
        open_store("mysql://me:s3cret@host/database")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("prefix", ["", "Rewards_", "1_", "re wards", 'x"; DROP TABLE users; --', "é_", "x" * 33, "_x"])
def test_a_prefix_that_cannot_stand_in_sql_is_refused(prefix: str) -> None:
    for text in ("sqlite:///rewards.db", "postgresql://host/database"):
        with pytest.raises(ValidationError, match="cannot begin a table"):
            open_store(text, prefix=prefix)


def test_naming_a_store_touches_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_store("sqlite:///rewards.db").close()
    open_store("postgresql://nobody@nowhere.invalid/nothing").close()
    assert list(tmp_path.iterdir()) == []
