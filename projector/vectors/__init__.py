"""Kinds of vectors in parts: one module each, reached through ``projector.vectors.registry``.

A kind owns what a tail and a segment hold of its names, and the sections of segment files.
"""
