"""The limits of a condition's text, each with its reason."""

from __future__ import annotations

LONGEST_TEXT = 4_096
"""Characters: people write conditions by hand, and work before the first check must not grow with the text."""

MOST_NODES = 200
"""Nodes of a tree, each filter and each term of a chain counted: it bounds the work for one event."""

DEEPEST = 32
"""Nesting of parentheses, prefixes and scopes: it bounds every recursion over a tree."""

MOST_DIGITS = 38
"""Digits of a number written out: what databases store exactly; a longer one would cost more than it means."""

LARGEST_EXPONENT = 18
"""Of a number such as `1e6`, either sign: `1e1000000` is nine characters and takes seconds to convert."""

MOST_COUNT = 1_000_000_000
"""Of `A*n`, `k of` and calendar spans: a counter fits four bytes."""

LONGEST_SPAN_DAYS = 36_525
"""Days of one elapsed span, a hundred years: an instant plus a span stays a representable date."""

LONGEST_SPANS_DAYS = 9 * LONGEST_SPAN_DAYS
"""Days of all spans of a condition together: the windows of a chain of steps follow one another."""

DAY_MICROSECONDS = 86_400_000_000
