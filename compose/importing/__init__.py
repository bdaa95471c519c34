"""Copying collections from a running server that speaks Qdrant's REST API into one that is a Headwater."""
