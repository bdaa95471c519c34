"""Where a server listens, said once it does: a plain line on a terminal, a log line elsewhere."""

import socket
import sys
from typing import Any

import structlog

_logger = structlog.get_logger("headwater")


def base_url(listener: socket.socket, *, encrypted: bool) -> str:
    """The URL of what answers on ``listener``."""
    host, port = listener.getsockname()[:2]
    scheme = "https" if encrypted else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def say_listening(url: str, **facts: Any) -> None:
    """Tell people on a terminal, whatever the log level, and programs elsewhere."""
    if sys.stderr.isatty():
        print(f"Headwater listens on {url} (its API: {url}/docs). Ctrl-C stops it.", file=sys.stderr)
    else:
        _logger.info("listening", url=url, **facts)
