"""`python -m rewardkit.cli`: the same as `python -m rewardkit`."""

from __future__ import annotations

import sys

from rewardkit.cli import main

sys.exit(main())
