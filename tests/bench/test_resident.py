"""The bench of what stays resident, on few points."""

from pathlib import Path

import pytest

from bench.resident import QUERIES, WANTED, build, config_of, measured, tell
from bench.results import Results


@pytest.mark.slow
def test_both_ways_are_searched_and_weighed(tmp_path: Path) -> None:
    build(tmp_path, 2000, config_of(32, 50))
    found = measured(tmp_path)
    results = Results("a test")
    tell(found, results)
    rows = {(row.group, row.name): row for row in results.rows}
    assert {name for name, row in rows.items() if row.target} == {
        ("search", "recall@10"),
        ("search", "p50"),
        ("resident", "grown by"),
    }
    for searched, residency in found.values():
        assert len(searched.seconds) == len(searched.processor) == 2 * QUERIES
        assert searched.found > 0.9 * WANTED * len(searched.seconds)
        assert residency.files["segment.flat"] > 0
        assert residency.before > residency.grown > 0
