"""Kinds of queries beside Qdrant's own engine in one process (qdrant-edge-py), in turns: a table of ratios.

python -m bench.queries [--dense 50000] [--sparse 200000] [--multi 2000] [--only mixed multi] [--cases WORD ...]

Both have everything in optimized segments. Ours is asked as a route asks: planned, found, fetched, rendered. What is
built is kept for the next run where ``--keep`` names a folder, which is to be another one for other sizes. ``--cases``
are words in the names of the kinds to ask.
"""

import argparse
import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from bench.queries.measure import measure
from bench.queries.mixed import mixed
from bench.queries.multivectors import multivectors
from bench.results import Results, machine


def main() -> None:
    """Run what is asked for, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.queries", description=__doc__)
    parser.add_argument("--dense", type=int, default=50_000)
    parser.add_argument("--sparse", type=int, default=200_000)
    parser.add_argument("--multi", type=int, default=2_000)
    parser.add_argument("--only", nargs="+", choices=("mixed", "multi"), default=("mixed", "multi"))
    parser.add_argument("--cases", nargs="+", default=("",))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    results = Results(f"beside qdrant-edge-py; {machine()}")
    try:
        for what in options.only:
            with _folder(options.keep, what) as folder:
                if what == "mixed":
                    cases = mixed(folder, options.dense, options.sparse)
                    group = f"{options.dense:,} dense vectors, {options.sparse:,} sparse ones"
                else:
                    cases = multivectors(folder, options.multi)
                    group = f"{options.multi:,} multivectors"
                asked = [case for case in cases if any(word in case.name for word in options.cases)]
                asyncio.run(measure(asked, options.rounds, results, group))
    finally:
        results.show(Console(width=130))
    if options.output is not None:
        results.write(options.output)


@contextmanager
def _folder(keep: Path | None, what: str) -> Generator[Path]:
    if keep is not None:
        folder = keep / what
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with TemporaryDirectory(prefix="headwater-bench-") as temporary:
        yield Path(temporary)


if __name__ == "__main__":
    main()
