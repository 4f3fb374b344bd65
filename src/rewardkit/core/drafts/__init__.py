"""New versions of definitions, before they are published together."""
