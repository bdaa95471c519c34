"""Imported once by the process that servers and commands are forked from: all that they import."""

import compose.api.supervisor
import compose.cli
import compose.grpc.server
import compose.projector.run
import compose.server

__all__ = ["compose"]
