"""Many rounds: ``python -m tests.crash.long --rounds 100``. Prints a table; ends with exit code 1 on a failure."""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.crash.damage import HARMLESS
from tests.crash.harness import Harness
from tests.crash.world import Round
from tests.support.seeds import BASE_SEED
from tests.support.server import ServerError


def play(harness: Harness, rng: random.Random, number: int) -> Round:
    """One round: mostly kills; every tenth a stop, every seventh some damage."""
    seconds = rng.uniform(0.2, 3.0)
    if number % 10 == 9:
        return harness.stop_round(seconds)
    if number % 7 == 6:
        return harness.damage_round(seconds, HARMLESS[number // 7 % len(HARMLESS)])
    if number % 5 == 3:
        return harness.kill_idle_round(seconds)
    if number % 3 == 2:
        return harness.kill_recovery_round(seconds)
    return harness.kill_round(seconds)


def summary(rounds: list[Round]) -> Table:
    """The rounds by kind."""
    table = Table("round", "times", "acknowledged", "in flight", "of these applied", "ready again: median, longest")
    by_kind: dict[str, list[Round]] = defaultdict(list)
    for done in rounds:
        by_kind[done.kind].append(done)
    for kind, some in by_kind.items():
        starts = [done.start_seconds for done in some if done.start_seconds]
        times = f"{statistics.median(starts):.2f} s, {max(starts):.2f} s" if starts else "refused, as it should"
        counts = [sum(d.acknowledged for d in some), sum(d.in_flight for d in some), sum(d.took_effect for d in some)]
        table.add_row(kind, str(len(some)), *(f"{count:,}" for count in counts), times)
    return table


def run(rounds: int, seed: int, partitions: int, folder: Path, console: Console) -> list[Round]:
    """All rounds on one data folder, the torn log last. Raises CrashError or ServerError."""
    rng = random.Random(f"{seed}/rounds")
    done: list[Round] = []
    with Harness(folder, seed, partitions) as harness:
        harness.begin()
        for number in range(rounds):
            last = play(harness, rng, number)
            done.append(last)
            console.print(
                f"{number + 1:4} {last.kind}: {last.acknowledged} acknowledged, {last.searches} searches,"
                f" {last.points} points, {last.segments} segments, {last.graphs} graphs,"
                f" ready in {last.start_seconds:.2f} s {last.detail}",
                highlight=False,
            )
        done.append(harness.torn_log_round(rng.uniform(0.2, 3.0)))
    return done


def main() -> int:
    """Parse the command line and play."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.long", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=BASE_SEED)
    parser.add_argument("--partitions", type=int, default=1)
    options = parser.parse_args()
    console = Console(width=160)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="headwater-crash-") as folder:
        try:
            done = run(options.rounds, options.seed, options.partitions, Path(folder), console)
        except (AssertionError, ServerError) as failure:
            console.print(f"FAILED (--seed {options.seed}): {failure}", style="bold red", markup=False)
            return 1
    console.print(summary(done))
    console.print(f"{len(done)} rounds, seed {options.seed}, {time.monotonic() - begun:.0f} s; nothing lost")
    return 0


if __name__ == "__main__":
    sys.exit(main())
