"""Leaves over the parts of one shard: what a view has that a leaf asks for."""
