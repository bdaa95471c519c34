"""What Faust and its Kafka client have to say, as lines of our own log."""

import logging

import structlog

_MUCH_TOO_LOUD = {
    "aiokafka.consumer.group_coordinator": logging.ERROR,  # a heartbeat that tells of a rebalance, as it should
}


class _Forward(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger(record.name.partition(".")[0])
        write = log.error if record.levelno >= logging.ERROR else log.warning
        write(record.getMessage(), exc_info=record.exc_info or None)


def forward_library_logs() -> None:
    """From now on; warnings and worse."""
    root = logging.getLogger()
    root.handlers = [_Forward(logging.WARNING)]
    for name, level in _MUCH_TOO_LOUD.items():
        logging.getLogger(name).setLevel(level)
