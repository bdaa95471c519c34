"""Strict mode: which limits of a collection a request breaks. Where each holds is a table in docs/compatibility.md."""
