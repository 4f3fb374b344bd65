"""What callers ask for, and what they are answered."""
