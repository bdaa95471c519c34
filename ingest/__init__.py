"""How a mutation gets onto the log: the Log port, validation, points to shards, the write routes."""
