"""The embedded log for other processes of the same machine: served by the one that has it open, over sockets."""

from ingest.embedded.served.remote import RemoteLog
from ingest.embedded.served.server import LogServer

__all__ = ["LogServer", "RemoteLog"]
