"""The condition language: text to condition and back, and what a condition means. Pure."""
