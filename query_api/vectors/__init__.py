"""Comparing and finding vectors: a module for each kind, reached through ``query_api.vectors.registry``."""
