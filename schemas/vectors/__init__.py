"""Kinds of vectors: one module each, reached through ``schemas.vectors.registry``.

A kind owns its column of many points in records, a value's bytes in a stored point, its JSON and its checks.
"""
