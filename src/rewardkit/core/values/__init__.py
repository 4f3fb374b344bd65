"""Values that callers give, checked: texts, numbers, JSON, dates, and the limits that they have."""
