"""The benches of a server, on few points and for moments: that each measurement works, not what it gives."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("qdrant_edge", reason="takes what the benches do")
pytest.importorskip("matplotlib", reason="takes what the benches do")

from bench.rest import goals, plot, run
from bench.rest.stage import Lasting
from bench.rest.turns import in_turns, least_reaching
from bench.results import Results, Row
from bench.workload import FIELD_VALUES, Workload

POINTS, DIM, QUERIES = 12_000, 32, 100
MOMENTS = Lasting(throughput=0.1, beside_trickle=0.1, writing=0.2, settling=1.0)


def _work() -> Workload:
    random = np.random.default_rng(3)
    vectors = random.standard_normal((POINTS + QUERIES, DIM), np.float32).round(5)
    numbers = random.permutation(POINTS) % FIELD_VALUES
    return Workload(vectors[QUERIES:], vectors[:QUERIES], numbers)


@pytest.mark.crash
@pytest.mark.slow
def test_every_goal_is_measured(tmp_path: Path) -> None:
    results = Results("a test")
    run.measure(_work(), results, MOMENTS)
    rows = {(row.group, row.name): row for row in results.rows}
    assert len(rows) == len(results.rows)
    aimed = {group: {name for of, name in rows if of == group and rows[of, name].target} for group, _ in rows}
    assert (
        aimed.items()
        >= {
            "load": {"points, waited for", "load and index"},
            f"search at recall {goals.RECALL}": {"p50", "p99"},
            **{f"filtered, {share:.1%} pass": {"p50"} for share in goals.FILTERED_P50},
            "exact search": {"p50"},
            "count, 10 % pass": {"p50"},
            "scroll, pages of 1000": {"everything"},
            f"throughput at recall {goals.RECALL}": {"8 connections", "32 connections"},
            "one point, waited for": {"p50", "p99"},
            "restart": {"from start to first answer"},
            "memory, restarted": {"resident", "anonymous"},
            "1,200 points in a trickle": {"p50 during / before", "p50 after / before"},
        }.items()
    )
    for kind in ("new points", "updates"):
        wanted = {f"{n} connections{what}" for n in (8, 32) for what in ("", ", p99", ", written")}
        assert aimed[f"throughput while writing {kind}"] == wanted
        assert aimed[f"while writing {kind}, on top of what was written"] == wanted
    assert rows["exact search", "recall@10"].value > 0.99
    assert all(row.in_reference(results.reference_ms) for row in results.rows if row.unit in ("ms", "s", "searches/s"))
    plot.draw(results, tmp_path / "goals.png")
    assert (tmp_path / "goals.png").read_bytes().startswith(b"\x89PNG")
    results.write(tmp_path / "out.json")
    assert len(json.loads((tmp_path / "out.json").read_text())["rows"]) == len(results.rows)


def test_times_and_rates_are_told_in_the_reference() -> None:
    assert Row("", "", 0.6, "ms").in_reference(0.3) == pytest.approx(2)
    assert Row("", "", 6e-4, "s").in_reference(0.3) == pytest.approx(2)
    assert Row("", "", 10_000.0, "points/s").in_reference(0.05) == pytest.approx(2)
    assert Row("", "", 5.0, "MB").in_reference(0.3) is None
    assert Row("", "", 5.0, "ms").in_reference(None) is None


def test_a_number_that_is_not_valid_meets_no_goal() -> None:
    results = Results("a test")
    results.aim("a", "most", 1.0, "ms", 2.0)
    results.aim("a", "most, invalid", 1.0, "ms", 2.0, valid=False)
    results.aim_above("a", "least", 3.0, "points/s", 2.0)
    results.aim_above("a", "least, missed", 1.0, "points/s", 2.0)
    assert [(row.met, row.share) for row in results.rows] == [(True, 0.5), (False, 0.5), (True, 2 / 3), (False, 2.0)]


def test_the_least_ef_that_reaches_what_is_aimed_at() -> None:
    recalls = {64: 0.9, 128: 0.97, 256: 0.99}
    assert least_reaching(0.95, (64, 128, 256), recalls.__getitem__) == (128, 0.97)
    assert least_reaching(0.999, (64, 128, 256), recalls.__getitem__) == (256, 0.99)


def test_each_is_asked_everything_in_turns() -> None:
    asked: list[tuple[str, int, int]] = []

    def ask(name: str, part: slice) -> tuple[list[float], list[int]]:
        asked.append((name, part.start, part.stop))
        return [1.0] * (part.stop - part.start), list(range(part.start, part.stop))

    found = in_turns(5, lambda part: ask("a", part), lambda part: ask("b", part), turn=3)
    assert asked == [("a", 0, 3), ("b", 0, 3), ("a", 3, 5), ("b", 3, 5)]
    assert found == [([1.0] * 5, list(range(5)))] * 2
