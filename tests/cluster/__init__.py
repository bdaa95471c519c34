"""Several workers, several groups, recovery: what takes a whole cluster."""
