"""Text to tree and back: the scan, the parser and its messages, the canonical text, named conditions."""
