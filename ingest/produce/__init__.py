"""Producing: JSON lines as foreign records on the points topic, as any client of Kafka might send them."""
