"""What a store keeps, what it is asked, and what it is told to change."""
