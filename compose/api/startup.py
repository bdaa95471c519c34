"""Startup: what a worker of an api still waits for, and whether clients may come."""

import structlog

from compose.api.membership import Membership

_logger = structlog.get_logger("headwater.api")


class Startup:
    """Implements ``compose.http.service.Readiness`` for one worker."""

    def __init__(self, membership: Membership) -> None:
        self._membership = membership
        self._sentence = "starting"
        self._done = False

    def say(self, sentence: str) -> None:
        """What is waited for now; logged when it is something else."""
        if sentence != self._sentence:
            self._sentence = sentence
            _logger.info("not ready yet", worker=self._membership.worker, waiting=sentence)

    def done(self) -> None:
        """This worker is ready."""
        self._done = True
        _logger.info("ready", worker=self._membership.worker)

    def ready(self) -> tuple[bool, str]:
        """Whether every worker that clients may reach is ready, and what this one waits for."""
        if not self._done:
            return False, self._sentence
        if not self._membership.all_ready():
            return False, "another worker of this api is starting"
        return True, "ready"
