"""Settings: from flags, from HEADWATER_* environment variables, else defaults."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What an operator may choose. Sizes in bytes, times in seconds unless named otherwise."""

    model_config = SettingsConfigDict(env_prefix="HEADWATER_")

    host: str = "127.0.0.1"
    port: int = Field(default=6333, ge=0, le=65535)
    data: Path = Path("data")
    partitions: int | None = Field(default=None, ge=1, le=1024)
    """Points partitions of the embedded log; may grow, never shrink. None: as they are, 1 for a new log."""
    log_level: str = "info"
    max_body_bytes: int = Field(default=32 << 20, ge=1 << 10)
    max_in_flight_bytes: int = Field(default=256 << 20, ge=1 << 20)


class DataFolder:
    """Where things are in a data folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.log = root / "log"
        self.state = root / "state"
