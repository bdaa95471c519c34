"""Kinds of queries beside Qdrant's own engine in one process (qdrant-edge-py), in turns: a table of ratios."""
