"""Snapshots as Qdrant's clients know them: archives of a collection, of a shard, of everything.

Not to be confused with those of ``projector.snapshot``, which are copies of a state for operators.
"""
