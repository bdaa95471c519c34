"""What was measured: rows of a table, and the same as JSON."""

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

_MILLISECONDS = {"s": 1e3, "ms": 1.0, "us": 1e-3}


@dataclass(frozen=True)
class Row:
    """One number.

    ``peer`` is the same measured on the bare library or call, ``engine`` on Qdrant's engine in process; ``target`` is
    what is aimed at, ``share`` how much of it was used: at most 1 where it is met.
    """

    group: str
    name: str
    value: float
    unit: str
    peer: float | None = None
    engine: float | None = None
    target: str = ""
    met: bool | None = None
    share: float | None = None

    @property
    def ratio(self) -> float | None:
        """Headwater's number over the peer's."""
        return self.value / self.peer if self.peer else None

    @property
    def engine_ratio(self) -> float | None:
        """Headwater's number over that of Qdrant's engine."""
        return self.value / self.engine if self.engine else None

    def in_reference(self, reference_ms: float | None) -> float | None:
        """A time, or what one takes of so many a second, as a multiple of the reference; None of what is neither."""
        if not reference_ms or not self.value:
            return None
        if self.unit.endswith("/s"):
            return 1e3 / self.value / reference_ms
        return self.value * _MILLISECONDS[self.unit] / reference_ms if self.unit in _MILLISECONDS else None


@dataclass
class Results:
    """All rows of a run. ``reference_ms`` is U, the time that others are also told in, where there is one."""

    machine: str
    rows: list[Row] = field(default_factory=list[Row])
    reference_ms: float | None = None

    def add(
        self, group: str, name: str, value: float, unit: str, peer: float | None = None, engine: float | None = None
    ) -> None:
        """Note a number."""
        self.rows.append(Row(group, name, value, unit, peer, engine))

    def aim(
        self,
        group: str,
        name: str,
        value: float,
        unit: str,
        most: float,
        peer: float | None = None,
        engine: float | None = None,
        valid: bool = True,
    ) -> None:
        """Note a number that should be at most ``most``; it counts only if it is ``valid``."""
        met = valid and value <= most
        self.rows.append(Row(group, name, value, unit, peer, engine, f"<= {_shown(most)}", met, value / most))

    def aim_above(
        self,
        group: str,
        name: str,
        value: float,
        unit: str,
        least: float,
        peer: float | None = None,
        engine: float | None = None,
        valid: bool = True,
    ) -> None:
        """Note a number that should be at least ``least``; it counts only if it is ``valid``."""
        met, share = valid and value >= least, least / value if value else None
        self.rows.append(Row(group, name, value, unit, peer, engine, f">= {_shown(least)}", met, share))

    def write(self, path: Path) -> None:
        """Write everything as JSON, each row also ``in_reference``."""
        written: dict[str, Any] = asdict(self)
        for row, fields in zip(self.rows, written["rows"], strict=True):
            fields["in_reference"] = row.in_reference(self.reference_ms)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(written, indent=1) + "\n")

    def show(self, console: Console) -> None:
        """Print a table; columns that nothing is in are left out."""
        referred = self.reference_ms is not None
        engine = any(row.engine is not None for row in self.rows)
        title = f"{self.machine}; U = {_shown(self.reference_ms)} ms" if referred else self.machine
        columns = ["", "measured", "Headwater", "unit", *(["U"] if referred else []), "peer", "ratio"]
        columns += [*(["engine", "ratio"] if engine else []), "target", ""]
        table = Table(*columns, title=title)
        group = ""
        for row in self.rows:
            if row.group != group:
                table.add_section()
            met = {None: "", True: "[green]met[/]", False: "[red]missed[/]"}[row.met]
            cells = ["" if row.group == group else row.group, row.name, _shown(row.value), row.unit]
            cells += [_shown(row.in_reference(self.reference_ms))] if referred else []
            cells += [_shown(row.peer), _shown(row.ratio)]
            cells += [_shown(row.engine), _shown(row.engine_ratio)] if engine else []
            table.add_row(*cells, row.target, met)
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
