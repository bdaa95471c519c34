"""What was measured: rows of a table, and the same as JSON."""

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Row:
    """One number. ``peer`` is the same measured on the bare library or call; ``target`` is what is aimed at."""

    group: str
    name: str
    value: float
    unit: str
    peer: float | None = None
    target: str = ""
    met: bool | None = None

    @property
    def ratio(self) -> float | None:
        """Headwater's number over the peer's."""
        return self.value / self.peer if self.peer else None


@dataclass
class Results:
    """All rows of a run."""

    machine: str
    rows: list[Row] = field(default_factory=list[Row])

    def add(self, group: str, name: str, value: float, unit: str, peer: float | None = None) -> None:
        """Note a number."""
        self.rows.append(Row(group, name, value, unit, peer))

    def aim(self, group: str, name: str, value: float, unit: str, most: float, peer: float | None = None) -> None:
        """Note a number that should be at most ``most``."""
        self.rows.append(Row(group, name, value, unit, peer, f"<= {_shown(most)}", value <= most))

    def aim_above(
        self, group: str, name: str, value: float, unit: str, least: float, peer: float | None = None
    ) -> None:
        """Note a number that should be at least ``least``."""
        self.rows.append(Row(group, name, value, unit, peer, f">= {_shown(least)}", value >= least))

    def write(self, path: Path) -> None:
        """Write everything as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    def show(self, console: Console) -> None:
        """Print a table."""
        table = Table("", "measured", "Headwater", "unit", "peer", "ratio", "target", "", title=self.machine)
        group = ""
        for row in self.rows:
            if row.group != group:
                table.add_section()
            met = {None: "", True: "[green]met[/]", False: "[red]missed[/]"}[row.met]
            shown = "" if row.group == group else row.group
            table.add_row(
                shown, row.name, _shown(row.value), row.unit, _shown(row.peer), _shown(row.ratio), row.target, met
            )
            group = row.group
        console.print(table)


def _shown(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def machine() -> str:
    """What this runs on, in a few words."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def percentile_ms(seconds: list[float], percentile: float) -> float:
    """A percentile of seconds, in milliseconds."""
    return float(np.percentile(seconds, percentile)) * 1000
