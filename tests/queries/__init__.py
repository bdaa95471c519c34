"""Every kind of query over every kind of vectors."""
