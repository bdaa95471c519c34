"""What can go wrong with a shard's files. Nothing is lost by it: all of them are rebuilt from the state."""

from schemas.errors import HeadwaterError


class SegmentDamagedError(HeadwaterError):
    """A segment's file is missing, cut short, changed, or of a newer version than this release reads.

    ``folder`` is the segment's, where a build says which of its sources it is.
    """

    def __init__(self, message: str, folder: str | None = None) -> None:
        super().__init__(message)
        self.folder = folder


class ManifestDamagedError(HeadwaterError):
    """A shard's manifest cannot be read."""


class BuildFailedError(HeadwaterError):
    """A segment could not be built; the sources are as they were."""
