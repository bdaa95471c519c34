"""Payloads and vectors of the points of one shard, for the final hits only."""
