"""What can be wrong with the folder of an embedded log, beyond the errors of the Log port."""

from pathlib import Path

from ingest.log import LogDamagedError, LogUnavailableError

ADVICE = "nothing was changed; put the file back from a copy, or see 'Damage' in docs/embedded-log.md"


class LogLockedError(LogUnavailableError):
    """Another process has the log open for writing."""


class LogPoisonedError(LogUnavailableError):
    """It isn't known what reached the disk. The log takes no more records until it is opened again."""


class LogVersionError(LogDamagedError):
    """The log was written by a newer release, in a format that this one can't read."""


class PartitionsError(ValueError):
    """The log was created with more partitions than asked for: they may grow, never shrink."""


def damaged(path: Path, position: int, what: str) -> LogDamagedError:
    """The error for bytes of ``path`` at ``position`` that aren't what was written."""
    return LogDamagedError(f"{path} is damaged at byte {position}: {what}; {ADVICE}")


def newer(path: Path, version: int, known: int) -> LogVersionError:
    """The error for a file in a format later than ``known``."""
    return LogVersionError(
        f"{path} has format version {version}, and this release reads versions up to {known}; "
        "nothing was changed; open the log with the release that wrote it, or a later one"
    )
