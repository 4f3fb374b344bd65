"""What the one door of the core needs to know of all rooms."""
