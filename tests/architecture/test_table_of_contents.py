"""`rewardkit/__init__.py` is a table of contents: sorted public names, nothing else."""

from __future__ import annotations

import rewardkit


def test_the_table_of_contents_is_sorted_and_every_name_in_it_exists() -> None:
    names = list(rewardkit.__all__)
    assert sorted(set(names)) == names
    assert [] == [name for name in names if not hasattr(rewardkit, name)]
    assert set(names) <= set(dir(rewardkit))
