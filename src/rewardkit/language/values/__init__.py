"""Values of properties: exact, told apart by type, filtered, and written as bytes."""
