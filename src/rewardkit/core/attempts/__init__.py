"""Attempts at codes by those who may be guessing: counted for whoever makes them and for all together."""
