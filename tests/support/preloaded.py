"""Imported once by the process that servers and commands are forked from: all that they import."""

from importlib import import_module

for name in ("api.supervisor", "api.worker", "cli", "commands.app", "grpc.server", "projector.run", "server"):
    import_module(f"compose.{name}")
import_module("compose.several_processes")
import_module("projector.segments.worker")
import_module("qdrant_client.qdrant_remote")  # which uploads from processes of its own, forked from here as well
