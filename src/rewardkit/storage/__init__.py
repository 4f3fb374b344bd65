"""Where things are kept: memory (the reference), SQLite and PostgreSQL."""
