"""From a tree to a plan: segments of numbered slots, and what bounds them."""
