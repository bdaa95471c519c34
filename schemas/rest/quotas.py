"""Quotas: how much of the machine a server may take before it refuses writes."""

from typing import Annotated

import msgspec

from schemas.errors import UnprocessableError

Percent = Annotated[int, msgspec.Meta(ge=0, le=255)]


class QuotaConfig(msgspec.Struct, omit_defaults=True):
    """Limits in percent of the memory and of the disk; they hold while ``enabled``.

    ``release_margin_percent``: how far below its limit a resource has to fall until writes are taken again.
    """

    enabled: bool = msgspec.field(default_factory=lambda: False)
    max_resident_memory_percent: Percent | None = None
    max_disk_usage_percent: Percent | None = None
    release_margin_percent: Percent | None = None

    def check(self) -> None:
        """Raise UnprocessableError for a limit that is none."""
        for name in ("max_resident_memory_percent", "max_disk_usage_percent"):
            value: int | None = getattr(self, name)
            if value is not None and not 1 <= value <= 100:
                raise UnprocessableError(
                    f"Validation error in JSON body: [{name}: value {value} invalid, must be from 1 to 100]"
                )
        margin = self.release_margin_percent
        if margin is not None and margin > 100:
            raise UnprocessableError(
                "Validation error in JSON body: "
                f"[release_margin_percent: value {margin} invalid, must be 100 or smaller]"
            )


class QuotaUsage(msgspec.Struct):
    """What the process and the disk take now; None where the system doesn't say."""

    resident_memory_percent: int | None
    disk_usage_percent: int | None


class QuotaStatus(msgspec.Struct):
    """The limits, and what is taken."""

    config: QuotaConfig
    usage: QuotaUsage
