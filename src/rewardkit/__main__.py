"""`python -m rewardkit`: the command line, where its script is not on the path."""

from __future__ import annotations

import sys

from rewardkit.cli import main

sys.exit(main())
