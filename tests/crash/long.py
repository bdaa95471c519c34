"""Many rounds: ``python -m tests.crash.long --rounds 100``. Prints a table; ends with exit code 1 on a failure.

With ``--cluster`` it isn't the embedded server that is killed but the processes of a cluster on Kafka.
"""

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

from compose.kafka import BrokerError, KafkaBroker
from tests.crash.cluster_harness import VICTIMS, ClusterHarness
from tests.crash.damage import HARMLESS, harm_feed
from tests.crash.harness import Harness
from tests.crash.world import Round
from tests.support.cluster import PARTITIONS
from tests.support.seeds import BASE_SEED
from tests.support.server import ServerError


def play(harness: Harness, rng: random.Random, number: int) -> Round:
    """One round: mostly kills; every tenth a stop, every seventh some damage, every eleventh of the state itself.

    With several processes every fourth kills those that the server started, and feeds are damaged, too.
    """
    seconds = rng.uniform(0.2, 3.0)
    harms = [*HARMLESS, harm_feed] if harness.workers > 1 else HARMLESS
    if harness.workers > 1 and number % 4 == 0:
        return harness.kill_started_round(seconds)
    if number % 10 == 9:
        return harness.stop_round(seconds)
    if number % 11 == 4:
        return harness.state_damage_round(seconds)
    if number % 7 == 6:
        return harness.damage_round(seconds, harms[number // 7 % len(harms)])
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


def play_cluster(harness: ClusterHarness, rng: random.Random, number: int, rounds: int) -> Round:
    """One round: every fourth and the last verify; else one process is killed, or several, every third time twice."""
    seconds = rng.uniform(0.2, 3.0)
    if number % 4 == 3 or number == rounds - 1:
        return harness.verify_round(seconds)
    victims = rng.sample(VICTIMS, rng.choice((1, 1, 2, 3)))
    return harness.crash_round(seconds, victims, again=number % 3 == 2)


def tell(console: Console, number: int, last: Round) -> None:
    """A line about a round."""
    console.print(
        f"{number + 1:4} {last.kind}: {last.acknowledged} acknowledged, {last.searches} searches,"
        f" {last.points} points, {last.segments} segments, {last.graphs} graphs,"
        f" ready in {last.start_seconds:.2f} s {last.detail}",
        highlight=False,
    )


def tell_stalls(console: Console, longest: float) -> None:
    """A line about the event loops."""
    console.print(f"the longest that an event loop was held up: {longest:.3f} s", highlight=False)


def run(options: argparse.Namespace, folder: Path, console: Console) -> list[Round]:
    """All rounds on one data folder, the torn log last. Raises CrashError or ServerError."""
    rng = random.Random(f"{options.seed}/rounds")
    done: list[Round] = []
    with Harness(folder, options.seed, options.partitions or 1, workers=options.workers, stalls=True) as harness:
        harness.begin()
        for number in range(options.rounds):
            done.append(play(harness, rng, number))
            tell(console, number, done[-1])
        done.append(harness.torn_log_round(rng.uniform(0.2, 3.0)))
        tell_stalls(console, harness.longest_stall)
    return done


def run_cluster(options: argparse.Namespace, folder: Path, console: Console) -> list[Round]:
    """All rounds on one cluster, with a broker of its own. Raises CrashError, ServerError or BrokerError."""
    rng = random.Random(f"{options.seed}/rounds")
    done: list[Round] = []
    broker = KafkaBroker.start(folder / "kafka")
    try:
        partitions = options.partitions or PARTITIONS
        with ClusterHarness(folder, options.seed, broker, partitions=partitions, stalls=True) as harness:
            harness.begin()
            for number in range(options.rounds):
                done.append(play_cluster(harness, rng, number, options.rounds))
                tell(console, number, done[-1])
            tell_stalls(console, harness.longest_stall)
    finally:
        broker.kill()
    return done


def main() -> int:
    """Parse the command line and play."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.long", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=BASE_SEED)
    parser.add_argument("--partitions", type=int)
    parser.add_argument("--workers", type=int, default=1, help="processes of the embedded server that answer")
    parser.add_argument("--cluster", action="store_true")
    parser.add_argument("--folder", type=Path, help="where everything is, and stays")
    options = parser.parse_args()
    console = Console(width=160)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="headwater-crash-") as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            done = (run_cluster if options.cluster else run)(options, folder, console)
        except (AssertionError, ServerError, BrokerError, TimeoutError) as failure:
            console.print(f"FAILED (--seed {options.seed}): {failure}", style="bold red", markup=False)
            return 1
    console.print(summary(done))
    console.print(f"{len(done)} rounds, seed {options.seed}, {time.monotonic() - begun:.0f} s; nothing lost")
    return 0


if __name__ == "__main__":
    sys.exit(main())
