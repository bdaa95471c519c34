"""Qdrant's gRPC contract: every call becomes the request that REST has for the same, and takes the same handler."""
