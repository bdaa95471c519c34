"""Strict mode, what of it holds for writes, and what one process counts: rates, memory."""
