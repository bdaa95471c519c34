"""Qdrant's REST contract: request and response models, one set for decoding, encoding and the OpenAPI page."""
