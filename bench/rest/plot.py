"""A plot of the goals: what share of each was used."""

from pathlib import Path

from bench.plots import pyplot
from bench.results import Results

MET, MISSED = "#66a182", "#d1495b"


def draw(results: Results, path: Path) -> None:
    """Write a PNG, a bar for each row that has a goal: up to 1 it is met, at 2 it takes twice what it may."""
    rows = [row for row in results.rows if row.share]
    names = [f"{row.group}: {row.name}, {row.target} {row.unit}".strip() for row in rows]
    figure, axes = pyplot.subplots(figsize=(11, 1.2 + 0.26 * len(rows)), layout="constrained")
    shares = [row.share for row in rows]
    bars = axes.barh(names, shares, color=[MET if row.met else MISSED for row in rows])
    axes.bar_label(bars, labels=[f"{share:.2f}" for share in shares], padding=3, fontsize=8)
    axes.axvline(1, color="black", lw=1)
    axes.set_xscale("log")
    axes.margins(x=0.15, y=0.01)
    axes.invert_yaxis()
    axes.tick_params(axis="y", labelsize=8)
    axes.set_xlabel("of what the goal allows")
    axes.set_title(results.machine, fontsize=11)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
