"""Requests to plans: parsed, checked, and made of plain structs that another process could be sent."""
