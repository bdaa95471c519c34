"""Log lines: structlog, to standard error, coloured on a terminal and one JSON object a line elsewhere."""

import logging
import sys

import structlog


def configure_logging(level: str) -> None:
    """Set up structlog for this process. Raises ValueError for an unknown level."""
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"unknown log level {level!r}")
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # What Kafka's client has to say is said by our own errors, unless a process forwards it.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
