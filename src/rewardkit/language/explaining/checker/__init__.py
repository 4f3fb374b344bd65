"""Whether an explanation is justified: a second reading of the language, which shares nothing with the first.

`objections` re-validates every claim of an explanation against the history that it speaks of: that the condition holds,
or never will, at the instant named and not before; that the events named suffice, and that none of them is idle; that
what is counted is as it is said.
"""

from rewardkit.language.explaining.checker.claims import objections

__all__ = ["objections"]
