"""The circumstances of a decision."""
