"""Imported once by the process that servers and commands are forked from: all that they import."""

from importlib import import_module

for name in ("api.supervisor", "cli", "grpc.server", "projector.run", "server"):
    import_module(f"compose.{name}")
