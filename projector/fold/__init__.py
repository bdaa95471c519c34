"""The fold: (partition state, record) -> effects. Pure: no clock, no randomness, no setting, no I/O of its own."""
