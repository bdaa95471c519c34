"""Benches: the data they run on and the programs that measure."""
