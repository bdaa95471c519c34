"""Flame graphs (Gregg 2016): what each stack of calls took, as an SVG of boxes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

WIDTH, ROW, FONT = 1200, 16, 11
LEAST_WIDTH = 0.6
"""Of a box that is drawn, in units of the picture."""
CHARACTER = 6.1
COLOURS = {
    "schemas": "#8ecae6",
    "ingest": "#f4a261",
    "projector": "#90be6d",
    "query_api": "#f9c74f",
    "compose": "#cdb4db",
}
OTHER = "#dddddd"
"""Of libraries and the interpreter."""

Stack = tuple[str, ...]


@dataclass
class Box:
    """A call beneath those below it: what it took, by itself and with what it calls."""

    count: float = 0.0
    called: dict[str, "Box"] = field(default_factory=dict[str, "Box"])

    @property
    def depth(self) -> int:
        """How many calls are above it."""
        return 1 + max((box.depth for box in self.called.values()), default=0)


def tree_of(stacks: Mapping[Stack, float]) -> Box:
    """All stacks, outermost call first, beneath one box."""
    root = Box()
    for stack, count in stacks.items():
        root.count += count
        box = root
        for name in stack:
            box = box.called.setdefault(name, Box())
            box.count += count
    return root


def draw(stacks: Mapping[Stack, float], title: str, unit: str) -> str:
    """An SVG of what each stack took, in a ``unit``, which is told of each box when pointed at."""
    root = tree_of(stacks)
    drawn = list(_boxes(root, 0.0, WIDTH / root.count, 0))
    depth = 1 + max(level for level, *_ in drawn)
    height = (depth + 3) * ROW
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'font-family="monospace" font-size="{FONT}">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="4" y="14" font-size="13">{escape(title)}</text>',
        *_legend(),
    ]
    for level, at, width, name, count in drawn:
        y = height - (level + 1) * ROW
        lines.append(
            f"<g><title>{escape(name)}: {count:.1f} {unit}</title>"
            f'<rect x="{at:.1f}" y="{y}" width="{max(0.3, width - 0.3):.1f}" height="{ROW - 1}" '
            f'fill="{_colour(name)}"/>'
            f"{_label(name, at, width, y)}</g>"
        )
    return "\n".join([*lines, "</svg>"]) + "\n"


def _boxes(box: Box, at: float, scale: float, level: int) -> Iterable[tuple[int, float, float, str, float]]:
    for name, called in sorted(box.called.items()):
        width = called.count * scale
        if width >= LEAST_WIDTH:
            yield level, at, width, name, called.count
            yield from _boxes(called, at, scale, level + 1)
        at += width


def _label(name: str, at: float, width: float, y: int) -> str:
    room = int((width - 4) / CHARACTER)
    if room < 3:
        return ""
    shown = name if len(name) <= room else name[: room - 1] + "…"
    return f'<text x="{at + 2:.1f}" y="{y + 11}">{escape(shown)}</text>'


def _legend() -> Sequence[str]:
    lines: list[str] = []
    for number, (name, colour) in enumerate([*COLOURS.items(), ("libraries", OTHER)]):
        x = 4 + number * 100
        lines.append(f'<rect x="{x}" y="22" width="10" height="10" fill="{colour}"/>')
        lines.append(f'<text x="{x + 14}" y="31">{name}</text>')
    return lines


def _colour(name: str) -> str:
    """By the room of a name like "find (query_api/local.py)"."""
    _, _, place = name.partition("(")
    return COLOURS.get(place.split("/")[0], OTHER)
