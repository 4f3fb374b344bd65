"""What is known about a condition before it is judged: errors of meaning, and lints."""
