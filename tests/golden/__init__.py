"""Recorded requests, and whether a server answers them as they were answered when they were recorded."""
