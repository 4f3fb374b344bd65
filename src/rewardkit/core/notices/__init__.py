"""What the outside is told: the outbox, and the endpoints that hear."""
