"""Startup: what a worker of an api still waits for, and whether clients may come."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from compose.api.membership import Membership

_logger = structlog.get_logger("headwater.api")


def nothing() -> str:
    """No trouble."""
    return ""


@dataclass(frozen=True, slots=True)
class Health:
    """What may be wrong once a worker is ready; each says it, or gives an empty text."""

    fault: Callable[[], str] = nothing
    """What somebody has to mend: nobody should rely on this api until then."""
    unwritable: Callable[[], str] = nothing
    """Why nothing can be written now. Reads go on."""
    behind: Callable[[], str] = nothing
    """Where reads don't show what is on the log, and don't get nearer."""


class Startup:
    """Implements ``compose.http.service.Readiness`` for one worker."""

    def __init__(self, membership: Membership) -> None:
        self._membership = membership
        self._sentence = "starting"
        self._done = False
        self._health = Health()

    def watch(self, health: Health) -> None:
        """Ask this from now on."""
        self._health = health

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
        """Whether every worker that clients may reach is ready, and what this one waits for, or can't do.

        While reads are answered it is: with nobody to send them to, an outage of writes would become one of everything.
        """
        if not self._done:
            return False, self._sentence
        if not self._membership.all_ready():
            return False, "another worker of this api is starting"
        if fault := self._health.fault():
            return False, fault
        unwritable, behind = self._health.unwritable(), self._health.behind()
        troubles = [f"can't write: {unwritable}"] if unwritable else []
        troubles += [f"reads are behind: {behind}"] if behind else []
        return True, f"ready for reads, but {'; '.join(troubles)}" if troubles else "ready"
