"""Quotas: kept in a file that all processes over a data folder share, and held against what is taken once a second."""

import shutil
from pathlib import Path
from time import monotonic

import msgspec
import structlog

from ingest.disk import replace_file
from ingest.strict.memory import resident_percent
from schemas.errors import InsufficientStorageError
from schemas.rest.quotas import QuotaConfig, QuotaUsage

_LOOK_SECONDS = 1.0
_decode = msgspec.json.Decoder(QuotaConfig)
_logger = structlog.get_logger("headwater.quotas")


class Quotas:
    """Says whether a write that takes memory and disk may be accepted."""

    def __init__(self, data: Path) -> None:
        """``data``: the data folder, whose disk is measured."""
        self._data = data
        self._file = data / "quotas.json"
        self._next = 0.0
        self._exceeded: dict[str, str] = {}
        self._config = QuotaConfig()

    @property
    def config(self) -> QuotaConfig:
        """The limits, as they are in the file. Raises OSError."""
        try:
            return _decode.decode(self._file.read_bytes())
        except FileNotFoundError:
            return QuotaConfig()
        except msgspec.DecodeError as error:
            _logger.error("quotas can't be read: none hold", file=str(self._file), reason=str(error))
            return QuotaConfig()

    def set(self, config: QuotaConfig) -> None:
        """Replace the limits. Raises OSError."""
        self._data.mkdir(parents=True, exist_ok=True)
        replace_file(self._file, msgspec.json.encode(config))
        self._next = 0.0

    def usage(self) -> QuotaUsage:
        """What is taken now."""
        return QuotaUsage(_memory_percent(), _disk_percent(self._data))

    def check(self) -> None:
        """Raise InsufficientStorageError while a limit is exceeded, and until what is taken fell below the margin."""
        if monotonic() >= self._next:
            self._next = monotonic() + _LOOK_SECONDS
            self._look()
        for reason in self._exceeded.values():
            raise InsufficientStorageError(reason)

    def _look(self) -> None:
        try:
            self._config = self.config
        except OSError as error:  # out of descriptors, say: a write needs none, and goes on
            _logger.warning("quotas can't be read: the last known ones hold", file=str(self._file), reason=str(error))
        config = self._config
        if not config.enabled:
            self._exceeded.clear()
            return
        usage = self.usage()
        self._hold("resident memory", usage.resident_memory_percent, config.max_resident_memory_percent)
        self._hold("disk usage", usage.disk_usage_percent, config.max_disk_usage_percent)

    def _hold(self, what: str, taken: int | None, limit: int | None) -> None:
        if taken is None or limit is None:
            self._exceeded.pop(what, None)
        elif taken >= limit:
            self._exceeded[what] = f"Nothing was written: {what} is at {taken} %, and the quota is {limit} %"
        elif taken < limit - (self._config.release_margin_percent or 0):
            self._exceeded.pop(what, None)


def _disk_percent(folder: Path) -> int | None:
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    return round(100 * usage.used / usage.total) if usage.total else None


def _memory_percent() -> int | None:
    percent = resident_percent()
    return None if percent is None else round(percent)
