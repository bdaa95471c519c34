"""How views answer: search, scroll, count and retrieve, and the read routes."""
