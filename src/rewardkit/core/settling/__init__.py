"""What a fold has come to: places and money claimed, grants given, rows written."""
