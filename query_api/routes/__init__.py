"""The routes that read."""
