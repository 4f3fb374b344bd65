"""No link in the documents leads nowhere, and the index leads to all of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def documents() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "grammar").rglob("*.md"))]


def links(document: Path) -> list[Path]:
    """Where it leads inside the checkout."""
    text = re.sub(r"^```.*?^```$", "", document.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]
    return [document.parent / target for target in targets if target]


def test_the_index_leads_to_every_page() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {target.resolve() for target in links(index)}
    assert [] == [str(page.relative_to(ROOT)) for page in documents() if page != index and page not in linked]


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_inside_the_checkout_leads_somewhere(document: Path) -> None:
    assert [] == [target for target in links(document) if not target.exists()]
