"""The compose file and the Dockerfile, read."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
COMPOSE_FILE = ROOT / "compose" / "docker-compose.yml"
DOCKERFILE = ROOT / "compose" / "Dockerfile"
_VARIABLE = re.compile(r"\$\{\w+:-([^}]*)\}")


def compose() -> dict[str, Any]:
    """The compose file, with every variable at its default."""
    return yaml.safe_load(_VARIABLE.sub(r"\1", COMPOSE_FILE.read_text()))


def environment(service: str) -> dict[str, str]:
    """What a service's container gets from the compose file."""
    return {name: str(value) for name, value in compose()["services"][service]["environment"].items()}


@dataclass(frozen=True)
class Stage:
    """One stage of the Dockerfile: its base image, its name or "", and its other instructions, in order."""

    base: str
    name: str
    instructions: list[tuple[str, str]]

    def all(self, word: str) -> list[str]:
        """What follows ``word``, wherever it is an instruction."""
        return [rest for instruction, rest in self.instructions if instruction == word]

    def environment(self) -> dict[str, str]:
        """The variables of all ENV."""
        return dict(pair.split("=", 1) for line in self.all("ENV") for pair in line.split())


def dockerfile() -> list[Stage]:
    """The stages of the Dockerfile, in order."""
    stages: list[Stage] = []
    lines = [line for line in DOCKERFILE.read_text().splitlines() if not line.startswith("#")]
    for instruction in re.sub(r"\s*\\\n\s*", " ", "\n".join(lines)).splitlines():
        if not instruction.strip():
            continue
        word, _, rest = instruction.partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            stages.append(Stage(base, name, []))
        else:
            stages[-1].instructions.append((word, rest.strip()))
    return stages
