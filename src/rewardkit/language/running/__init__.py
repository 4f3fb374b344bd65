"""What lives in a state while events come: threads, windows, buckets, keys, rings and sums."""
