"""The measurements of a cluster, in an order in which each leaves what the next needs."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event, Thread

from bench.kafka import creation, latency
from bench.kafka.records import CANONICAL, batches, json_points, vectors
from bench.kafka.stage import Stage, consume
from bench.results import Results, percentile_ms
from bench.word_vectors import progress
from ingest.log import Headers

RATE = 1000
STEADY_SECONDS = 15.0
COLLECTION = "live"
MEGABYTE = 1 << 20
SAMPLE_SECONDS = 0.2


@dataclass
class KafkaBench:
    """A stage, how much is sent, and what was measured."""

    stage: Stage
    points: int
    results: Results

    def latency(self, group: str) -> None:
        """At 1,000 single points a second; the peer is a plain aiokafka consumer in the same run."""
        progress(group)
        seen = latency.measure(self.stage, RATE, STEADY_SECONDS)
        for percent, most in ((50, 10.0), (99, 40.0)):
            peer = percentile_ms(seen.consumed, percent)
            self.results.aim(group, f"p{percent}", percentile_ms(seen.found, percent), "ms", most, peer)

    def creation(self) -> None:
        """Twenty collections, while another one is written."""
        progress("creating collections")
        self.stage.create(COLLECTION)
        made = creation.measure(self.stage, COLLECTION)
        group = "creating a collection"
        self.results.aim(group, "p50", percentile_ms(made.seconds, 50), "ms", 50)
        self.results.add(group, "longest", max(made.seconds) * 1000, "ms")
        before = made.longest_before * 1000
        self.results.add(group, "longest write to another meanwhile", made.longest_meanwhile * 1000, "ms", before)
        self.stage.drop(COLLECTION)

    def batches(self) -> None:
        """Canonical records of 1000 points, as fast as they can be sent."""
        uid = self.stage.create(COLLECTION)
        count = self.points // 3
        values = batches(uid, vectors(10_000), 0, count)
        self._live("canonical records of 1000 points", values, CANONICAL, count, "points/s", 60_000)
        self.stage.drop(COLLECTION)

    def single_points(self) -> None:
        """One point each as JSON: as fast as they can be sent, then with the projector stopped meanwhile."""
        self.stage.create(COLLECTION)
        count = self.points // 5
        values = json_points(COLLECTION, vectors(1000), 0, count)
        group = "one point each as JSON"
        self._live(f"{group}, live", values, (), count, "records/s", 8000)
        progress("catching up")
        self.stage.stop_projector()
        last = self.stage.produce(values)
        self.stage.projector.launch()
        rate, _ = self._catch_up(last)
        peer = count / consume(self.stage.settings, last - count + 1, last)
        self.results.aim_above(f"{group}, catching up", "rate", rate, "records/s", 40_000, peer)
        self.stage.projector.wait_ready()
        self.stage.drop(COLLECTION)

    def _live(self, group: str, values: Sequence[bytes], headers: Headers, count: int, unit: str, least: float) -> None:
        """From sending the first record until the last is visible in the api."""
        progress(group)
        begun = time.perf_counter()
        last = self.stage.produce(values, headers)
        sent = time.perf_counter() - begun
        self.stage.wait_visible(last)
        seconds = time.perf_counter() - begun
        peer = count / consume(self.stage.settings, last - len(values) + 1, last)
        self.results.aim_above(group, "rate until visible", count / seconds, unit, least, peer)
        self.results.add(group, "rate of sending", count / sent, unit)

    def _catch_up(self, last: int) -> tuple[float, float]:
        """Records a second, and seconds, from the first to the last applied offset that a starting projector shows."""
        seen = self.stage.wait_applied(last)
        (begun, first), (ended, reached) = seen[0], seen[-1]
        return (reached - first) / (ended - begun), ended - begun

    def replay(self) -> None:
        """Everything again, from nothing but the log."""
        uid = self.stage.create(COLLECTION)
        progress(f"writing {self.points:,} points")
        values = batches(uid, vectors(10_000), 0, self.points)
        last = self.stage.produce(values, CANONICAL)
        first = last - len(values) + 1
        del values
        self.stage.wait_visible(last)
        self.stage.stop_projector()
        self.stage.lose_state()
        progress("folding everything again")
        watch = MemoryWatch(self.stage)
        begun = time.perf_counter()
        self.stage.projector.launch()
        watch.start()
        seen = self.stage.wait_applied(last)
        total = time.perf_counter() - begun
        of_these = [(at, offset) for at, offset in seen if offset >= first]
        (since, low), (until, high) = of_these[0], of_these[-1]
        group = f"replay of {self.points:,} points"
        seconds = until - since
        points = (high - low) * (self.points / (last - first + 1))
        peer = points / (consume(self.stage.settings, low + 1, high) or 1)
        self.results.add(group, "rate", points / seconds, "points/s", peer)
        self.results.add(group, "the whole log, from starting the process", total, "s")
        watch.stop()
        self.results.add(group, "peak memory of the projector: anonymous", watch.own_anonymous / MEGABYTE, "MB")
        self.results.add(group, "peak memory of the projector: resident", watch.own_resident / MEGABYTE, "MB")
        self.results.add(group, "peak anonymous memory with builders", watch.all_anonymous / MEGABYTE, "MB")
        self.stage.projector.wait_ready()
        self.stage.wait_visible(last)
        self.results.add(group, "until searched again", time.perf_counter() - begun, "s")


class MemoryWatch:
    """Looks at the projector's memory every so often, and keeps the most that it saw."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._stopped = Event()
        self._thread = Thread(target=self._watch, daemon=True)
        self.own_anonymous = self.own_resident = self.all_anonymous = 0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopped.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stopped.wait(SAMPLE_SECONDS):
            own, everything = self._stage.worker_memory(), self._stage.projector_memory()
            self.own_anonymous = max(self.own_anonymous, own.anonymous)
            self.own_resident = max(self.own_resident, own.resident)
            self.all_anonymous = max(self.all_anonymous, everything.anonymous)
