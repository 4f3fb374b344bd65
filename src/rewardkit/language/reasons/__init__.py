"""Why a verdict is what it is, in a few words, read from a state alone."""
