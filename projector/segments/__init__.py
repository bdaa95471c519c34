"""Segments: immutable slices of a shard as flat files, what builds them and what decides when."""
