"""What can be known of a condition before anything happens."""
