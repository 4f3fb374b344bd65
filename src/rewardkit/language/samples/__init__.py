"""Events that a condition can tell apart: made up from its filters."""
