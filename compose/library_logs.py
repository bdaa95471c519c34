"""What Faust and its Kafka client have to say, as lines of our own log."""

import logging
import time

import structlog

_MUCH_TOO_LOUD = {
    "aiokafka.consumer.group_coordinator": logging.ERROR,  # a heartbeat that tells of a rebalance, as it should
}


_OF_KAFKA = ("aiokafka",)
"""What they have to say is said by ``ingest.kafka.reachability`` once, or by what fails because of it."""
SAME_SECONDS = 10.0
"""A message is not repeated within this time: aiokafka says many times a second that it can't reach a broker."""


class _Forward(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        self._said = {text: when for text, when in self._said.items() if now - when < SAME_SECONDS}
        return self._said.setdefault(record.getMessage(), now) == now

    def emit(self, record: logging.LogRecord) -> None:
        library = record.name.partition(".")[0]
        log = structlog.get_logger(library)
        write = log.error if record.levelno >= logging.ERROR else log.warning
        if library in _OF_KAFKA:
            write = log.debug
        write(record.getMessage(), library=library, exc_info=record.exc_info or None)


def forward_library_logs() -> None:
    """From now on; warnings and worse."""
    root = logging.getLogger()
    root.handlers = [_Forward()]
    for name, level in _MUCH_TOO_LOUD.items():
        logging.getLogger(name).setLevel(level)
