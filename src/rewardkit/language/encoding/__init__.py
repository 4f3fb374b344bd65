"""States as bytes: small, canonical, and refused when they are damaged."""
