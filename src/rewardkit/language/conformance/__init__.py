"""Vectors: cases of the language as data, and every engine's answer to them."""
