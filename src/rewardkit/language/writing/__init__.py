"""From a plan to Python: the source of a program, and the parts that it calls."""
