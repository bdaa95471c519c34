"""Transcripts as files."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CLUSTERED = {"QDRANT__CLUSTER__ENABLED": "true"}
"""What a server has in its environment where clustering is on."""
KEYED = {"QDRANT__SERVICE__API_KEY": "secret-key", "QDRANT__SERVICE__READ_ONLY_API_KEY": "reader-key"}
"""What it has where clients need keys."""
ENVIRONMENTS: dict[str, dict[str, str]] = {"standalone": {}, "cluster": CLUSTERED, "auth": KEYED}
"""By what a transcript's first line says of the server that it was recorded on."""
FOLDER = Path(__file__).parent / "transcripts"


@dataclass(frozen=True)
class Step:
    """One request and its answer. ``fields`` are as the line has them."""

    fields: dict[str, Any]

    @property
    def number(self) -> int:
        """Its place in the transcript."""
        number: int = self.fields["n"]
        return number

    def __str__(self) -> str:
        return f"{self.number} ({self.fields.get('note', '')}) {self.fields['method']} {self.fields['path']}"


@dataclass(frozen=True)
class Transcript:
    """``spaced``: bodies are written with blanks and ASCII escapes, as error texts that name a column depend on it.

    ``server``: which of ``ENVIRONMENTS`` it was recorded in.
    """

    name: str
    spaced: bool
    server: str
    steps: tuple[Step, ...]


def names() -> list[str]:
    """The names of all transcripts."""
    return sorted(path.stem for path in FOLDER.glob("*.jsonl"))


def server_of(name: str) -> str:
    """In which of ``ENVIRONMENTS`` a transcript was recorded. Raises OSError."""
    with (FOLDER / f"{name}.jsonl").open(encoding="utf-8") as lines:
        server: str = json.loads(next(lines)).get("server", "standalone")
        return server


def read(name: str) -> Transcript:
    """The transcript of that name. Raises OSError."""
    lines = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    head, *steps = (json.loads(line) for line in lines if line.strip())
    return Transcript(name, bool(head.get("spaced")), server_of(name), tuple(map(Step, steps)))
