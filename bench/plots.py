"""Plots of recall against latency and against throughput, a panel for each way to store vectors."""

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.curve import Curve

# Without types: they are not there where only what checks types is installed.
matplotlib: Any = importlib.import_module("matplotlib")
matplotlib.use("Agg")  # before pyplot looks for a screen
pyplot: Any = importlib.import_module("matplotlib.pyplot")
ticker: Any = importlib.import_module("matplotlib.ticker")

COLUMNS = 4
OURS = "Headwater, over REST"
STYLES = {
    OURS: ("#d1495b", "o", "-"),
    "Qdrant's engine, in process": ("#30638e", "s", "--"),
    "hnswlib, in process": ("#777777", "^", ":"),
    "faiss, in process": ("#edae49", "v", "-."),
    "usearch, in process": ("#66a182", "D", ":"),
}


def latency(curves: Sequence[Curve], title: str, path: Path) -> None:
    """Write a PNG: milliseconds of one search at a time, lower is better."""
    _plot(curves, f"Latency: {title}", "p50 of a search, ms", lambda curve: curve.milliseconds, path)


def throughput(curves: Sequence[Curve], title: str, path: Path) -> None:
    """Write a PNG: searches a second on all cores, higher is better."""
    _plot(curves, f"Throughput: {title}", "searches a second", lambda curve: curve.per_second, path)


def _plot(
    curves: Sequence[Curve], title: str, label: str, values: Callable[[Curve], Sequence[float]], path: Path
) -> None:
    storages = list(dict.fromkeys(curve.storage for curve in curves))
    rows = -(-(len(storages) + 1) // COLUMNS)
    figure, axes = pyplot.subplots(
        rows,
        COLUMNS,
        figsize=(3.6 * COLUMNS, 3.2 * rows + 0.9),
        sharex=True,
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    panels: list[Any] = list(axes.flat)
    for panel, storage in zip(panels, storages, strict=False):
        for curve in curves:
            if curve.storage == storage:
                colour, marker, line = STYLES[curve.system]
                panel.plot(curve.recall, values(curve), line, color=colour, marker=marker, ms=4, label=curve.system)
        panel.set_title(storage, fontsize=11)
    together = panels[len(storages)]
    for curve in curves:
        if curve.system == OURS:
            together.plot(curve.recall, values(curve), marker=".", ms=4, lw=1.2, label=curve.storage)
    together.set_title(f"all of {OURS}", fontsize=11)
    together.legend(fontsize=7, frameon=False)
    for panel in panels[: len(storages) + 1]:
        panel.set_yscale("log")
        panel.grid(visible=True, which="both", alpha=0.25)
        panel.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
        panel.yaxis.set_major_formatter(ticker.FuncFormatter(_number))
        panel.yaxis.set_minor_formatter(ticker.NullFormatter())
        panel.tick_params(labelbottom=True)
        panel.set_xlabel("recall@10")
    for row in axes:
        row[0].set_ylabel(label)
    for panel in panels[len(storages) + 1 :]:
        panel.set_axis_off()
    handles: dict[str, Any] = {}
    for panel in panels[: len(storages)]:
        lines, names = panel.get_legend_handles_labels()
        handles.update(zip(names, lines, strict=True))
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=len(handles), frameon=False)
    figure.suptitle(title, fontsize=13)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _number(value: float, _: int) -> str:
    return f"{value:,g}"
