"""Telling the outside. Any callable that takes a notice is a notifier; those that ship live here."""
