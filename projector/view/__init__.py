"""The view: a reader's picture of a shard at one offset, and the live shard that makes one view after another."""
