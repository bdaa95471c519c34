"""Rounds of writing, killing, restarting and checking on a cluster: broker, projector and api, each by kill -9.

Beside those who use REST, producers in two languages write to the points topic. A broker that is killed comes back
with everything: what it acknowledged is in the page cache, which outlives the process.
"""

import os
import random
import re
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from compose.kafka import KafkaBroker
from ingest.log import Topic
from tests.crash import damage
from tests.crash.client_thread import CrashError, Habits
from tests.crash.foreign import MESSAGES, Feeder, together
from tests.crash.stalls import check_stalls
from tests.crash.world import LAYOUTS, Round, World
from tests.producers.processes import JavaProducer, LineProducer, PythonProducer
from tests.support.cluster import PARTITIONS, Cluster
from tests.support.examples import tries
from tests.support.kafka import settings_for
from tests.support.server import HeadwaterProcess, ServerError

IDS = {"one": 600, "two": 300}
"""So many for each writer."""
WORKERS = 2
HABITS = Habits(outages=True, pause=0.01, most=400)
"""Rounds last as long as restarts do, and machines have other things to do than write."""
SHORT = Habits(outages=True, pause=0.02, most=tries(HABITS.most))
"""For rounds that are over within seconds: enough for the time until what is killed is back."""
TIMEOUT_SECONDS = "4"
"""Of appends and reads: short, so that some writes fail while the broker starts again."""
DOWN_SECONDS = (0.0, 2.0)
ATTEMPTS = 10
NO_ANSWER = re.compile(r"^headwater: .*Kafka (can't be reached|within)", re.MULTILINE)
FIRST_MESSAGES = 50
VICTIMS = ("broker", "projector", "api", "worker")
"""``api`` is its supervisor and all its workers, ``worker`` one of the workers."""


class ClusterHarness:
    """A cluster, those who use it, and what must be true of it."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        broker: KafkaBroker,
        *,
        projectors: int = 1,
        partitions: int = PARTITIONS,
        stalls: bool = False,
        habits: Habits = HABITS,
    ) -> None:
        """``broker`` is stopped by whoever started it; ``stalls``: whether event loops held up are failures, too."""
        self._stalls = stalls
        self.longest_stall = 0.0
        self._stack = ExitStack()
        self.rng = random.Random(seed)
        self._seed = seed
        self.world = World(seed, self.rng, IDS, habits)
        self._messages = MESSAGES * habits.most // HABITS.most
        self.broker = broker
        environment = {"HEADWATER_KAFKA__TIMEOUT": TIMEOUT_SECONDS}
        made = Cluster(
            folder,
            settings_for(broker),
            partitions=partitions,
            projectors=projectors,
            workers=WORKERS,
            environment=environment,
        )
        self.cluster = self._stack.enter_context(made)
        self.feeders: list[Feeder] = []

    def __enter__(self) -> "ClusterHarness":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def begin(self) -> None:
        """Start the cluster, create the collections and fill them, and start the producers."""
        for process in self.cluster.processes:
            process.launch()
        self._wait_ready()
        self.world.begin(self.cluster.port)
        where = (self.broker.bootstrap, self.cluster.kafka.topic(Topic.POINTS))
        producers: list[LineProducer] = [JavaProducer(*where), PythonProducer(*where)]
        for number, producer in enumerate(producers):
            self._stack.enter_context(producer)
            self.feeders += [Feeder(producer, LAYOUTS[number], self._seed, number, self._messages)]
        for feeder in self.feeders:  # which connects them: without a broker they would not start
            feeder.send(FIRST_MESSAGES)
            feeder.flush()

    def crash_round(self, seconds: float, victims: Sequence[str], *, again: bool = False) -> Round:
        """Kill while everybody writes, start again and check; with ``again`` kill the same once more, meanwhile.

        While the projector is down, one of the files that it makes of its state is damaged.
        """

        def crash() -> None:
            self._kill(victims)
            if again:
                self._launch(victims)
                time.sleep(self.rng.uniform(0.1, 3.0))
                self._kill(victims)
            time.sleep(self.rng.uniform(*DOWN_SECONDS))
            if "projector" in victims:
                harms.append(self.rng.choice((damage.harm_derived, damage.harm_feed))(self.cluster.data, self.rng))
            begun = time.monotonic()
            self._launch(victims)
            self._wait_ready()
            started.append(time.monotonic() - begun)

        started: list[float] = []
        harms: list[str] = []
        twice = ", twice" if again else ""
        done = self.while_writing(seconds, crash, f"killed: {' and '.join(sorted(victims))}{twice}")
        done.start_seconds = started[0]
        done.detail = "; ".join([done.detail, *harms])
        self.check(done)
        return done

    def while_writing(self, seconds: float, act: Callable[[], object], kind: str) -> Round:
        """Let all work, do something meanwhile, and wait until all have stopped; ``check`` comes next."""
        sent = sum(feeder.sent for feeder in self.feeders)
        self.world.start(self.cluster.port)
        for feeder in self.feeders:
            feeder.start()
        try:
            time.sleep(seconds)
            act()
            time.sleep(seconds / 4)
        finally:
            self.world.stop()
            for feeder in self.feeders:
                feeder.stop()
            done = self.world.join(kind)
            for feeder in self.feeders:
                feeder.join()
        done.detail = f"{sum(feeder.sent for feeder in self.feeders) - sent} sent by producers"
        return done

    def _kill(self, victims: Sequence[str]) -> None:
        for victim in self.rng.sample(victims, len(victims)):
            time.sleep(self.rng.uniform(0.0, 0.1))
            if victim == "broker":
                self.broker.kill()
            elif victim == "worker":
                _kill_one_worker(self.cluster.api, self.rng)
            else:
                self._process(victim).close()

    def _launch(self, victims: Sequence[str]) -> None:
        if "broker" in victims:  # first: a projector that finds none ends
            self.broker.restart()
        for victim in self.rng.sample(victims, len(victims)):
            if victim in ("projector", "api"):
                self._process(victim).launch()

    def _process(self, victim: str) -> HeadwaterProcess:
        return {"projector": self.cluster.projectors[0], "api": self.cluster.api}[victim]

    def _wait_ready(self) -> None:
        for process in self.cluster.processes:
            bring_up(process)

    def check(self, done: Round) -> None:
        """Wait until everything is applied, and hold it against what must be there. Raises CrashError."""
        for feeder in self.feeders:
            feeder.flush()
        self.cluster.settle()
        self.world.check(self.cluster.port, done, others=together(self.feeders))
        self._check_rejected()
        done.segments = len({path.parent for path in damage.segment_files(self.cluster.data)})
        done.graphs = len(damage.graph_files(self.cluster.data))
        if self._stalls:
            self.longest_stall = max(self.longest_stall, *map(check_stalls, self.cluster.processes))

    def _check_rejected(self) -> None:
        """By origin, what was rejected must be exactly the bad messages that were sent."""
        found = set(self.cluster.topics.rejected())
        expected = {place for feeder in self.feeders for place in feeder.rejected}
        if found != expected:
            missing, strange = sorted(expected - found), sorted(found - expected)
            raise CrashError(f"rejected: {missing[:5]} are missing of {len(expected)}, nobody sent {strange[:5]}")

    def verify_round(self, seconds: float) -> Round:
        """Stop the projector as one should, while all write; fold the topics afresh, compare, and go on."""
        codes: list[int] = []
        begun: list[float] = []

        def verify() -> None:
            codes.append(self.cluster.projectors[0].stop())
            self.cluster.verify()
            begun.append(time.monotonic())
            self.cluster.projectors[0].start()

        done = self.while_writing(seconds, verify, "projector stopped, verified")
        if codes != [0]:
            said = self.cluster.projectors[0].last_output()
            raise CrashError(f"SIGTERM ended the projector with exit code {codes}\n{said}")
        done.start_seconds = time.monotonic() - begun[0]
        self.check(done)
        return done


def bring_up(process: HeadwaterProcess) -> None:
    """Wait until a process is ready, and start it again while it ends because Kafka doesn't answer, as a supervisor.

    Raises ServerError.
    """
    for _ in range(ATTEMPTS):
        try:
            process.wait_ready()
        except ServerError:
            if process.alive() or not NO_ANSWER.search(process.last_output(1000)):
                raise
            process.launch()
        else:
            return
    process.wait_ready()


def _kill_one_worker(api: HeadwaterProcess, rng: random.Random) -> None:
    workers = [pid for pid in api.processes() if pid != api.pid]
    if workers:
        os.kill(rng.choice(sorted(workers)), signal.SIGKILL)
