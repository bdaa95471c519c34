"""Qdrant's routes about its own clustering, as one node of it answers them.

Clustering is off unless ``cluster_enabled`` is set, as in Qdrant; what it brings here is shard keys. Partitions are
spread over processes by the log, of which these routes know nothing.
"""
