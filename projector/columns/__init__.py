"""Columns: a segment's payload values by key, so that filters run without decoding payloads."""
