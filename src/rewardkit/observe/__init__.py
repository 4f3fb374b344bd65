"""Tells of what a kit does: events of a log, and spans."""
