"""Rounds of writing, killing, restarting and checking, all on one data folder."""

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

from tests.crash import damage
from tests.crash.client_thread import CrashError, Habits
from tests.crash.stalls import check_stalls
from tests.crash.world import Round, World
from tests.support.server import Server, ServerError, headwater
from tests.support.waiting import eventually

IDS = {"one": 2000, "two": 600}
"""So many for each writer: enough of the first for graphs to be built while they write."""
QUIET_SECONDS = (2.5, 4.5)
"""Of a server that nobody writes to, about when it begins what it had put off."""

Damage = Callable[[Path, random.Random], str]


class Harness:
    """A server, those who use it, and what must be true of it."""

    def __init__(self, folder: Path, seed: int, partitions: int = 1, *, workers: int = 1, stalls: bool = False) -> None:
        """``workers``: processes that answer; ``stalls``: whether event loops that are held up are failures, too."""
        self.workers = workers
        self._stalls = stalls
        self.longest_stall = 0.0
        self.rng = random.Random(seed)
        arguments = ["--partitions", str(partitions), "--workers", str(workers)]
        self.server = Server(folder / "data", arguments)
        self.world = World(seed, self.rng, IDS, Habits(outages=workers > 1))

    def __enter__(self) -> "Harness":
        return self

    def __exit__(self, *_: object) -> None:
        self.server.close()

    def begin(self) -> None:
        """Start the server, create the collections and fill them."""
        self.server.start()
        self.world.begin(self.server.port)

    def write_for(self, seconds: float, end: Callable[[], object], kind: str) -> Round:
        """Let all threads work for a while, then end the server with ``end``."""
        self.world.start(self.server.port)
        try:
            time.sleep(seconds)
            self._check_stalls()
            end()
        finally:
            self.world.stop()
            if self.server.poll() is None:
                self.kill()
            done = self.world.join(kind)
        return done

    def kill(self) -> None:
        """kill -9; what the server started ends with it."""
        self.server.kill()
        eventually(lambda: not self.server.processes())

    def restart(self, done: Round) -> None:
        """Start the server again and hold everything in it against what must be there."""
        begun = time.monotonic()
        self.server.start()
        done.start_seconds = time.monotonic() - begun
        self.check(done)

    def wait_for_graphs(self) -> None:
        """Return once there is a graph. Raises TimeoutError when none is ever built."""
        eventually(lambda: bool(damage.graph_files(self.server.data)))

    def check(self, done: Round, same_versions: bool = False) -> None:
        """Hold everything against what must be there; count the segments."""
        self.world.check(self.server.port, done, same_versions=same_versions)
        done.segments = len({path.parent for path in damage.segment_files(self.server.data)})
        done.graphs = len(damage.graph_files(self.server.data))
        self._check_stalls()

    def _check_stalls(self) -> None:
        if self._stalls:
            self.longest_stall = max(self.longest_stall, check_stalls(self.server))

    def kill_round(self, seconds: float) -> Round:
        """Kill while writing."""
        done = self.write_for(seconds, self.kill, "killed while writing")
        self.restart(done)
        return done

    def kill_idle_round(self, seconds: float) -> Round:
        """Kill a while after the writing, when segments are merged and graphs are built."""

        def end() -> None:
            self.world.stop_writing()
            time.sleep(self.rng.uniform(*QUIET_SECONDS))
            # On a busy machine what is put off takes longer to begin.
            eventually(lambda: damage.graphs_are_built(self.server.data))
            self.kill()

        done = self.write_for(seconds, end, "killed while at work on segments")
        self.restart(done)
        return done

    def kill_recovery_round(self, seconds: float) -> Round:
        """Kill while writing, and again while the next start recovers."""
        done = self.write_for(seconds, self.kill, "killed while writing and while recovering")
        for _ in range(self.rng.randint(1, 3)):
            self.server.launch()
            time.sleep(self.rng.uniform(0.05, 1.0))
            self.kill()
        self.restart(done)
        return done

    def kill_started_round(self, seconds: float) -> Round:
        """Kill processes that the server started, while writing: it starts others. Then stop it as one should."""

        def end() -> None:
            for _ in range(2):
                started = [pid for pid in self.server.processes() if pid != self.server.pid]
                with suppress(ProcessLookupError):
                    os.kill(self.rng.choice(started), signal.SIGKILL)
                time.sleep(seconds / 2)
            codes.append(self.server.stop())

        codes: list[int] = []
        done = self.write_for(seconds, end, "what it started killed while writing, then stopped")
        if codes != [0]:
            raise CrashError(f"SIGTERM ended with exit code {codes}\n{self.server.last_output()}")
        self.restart(done)
        return done

    def stop_round(self, seconds: float) -> Round:
        """Stop as one should, while writing; then fold the log afresh and compare."""
        codes: list[int] = []
        done = self.write_for(seconds, lambda: codes.append(self.server.stop()), "stopped while writing, verified")
        if codes != [0]:
            raise CrashError(f"SIGTERM ended with exit code {codes}\n{self.server.last_output()}")
        self._verify()
        self.restart(done)
        return done

    def _verify(self) -> None:
        verdict = headwater("verify", "--data", str(self.server.data))
        if verdict.returncode != 0 or "digests are equal" not in verdict.stdout:
            raise CrashError(f"verify ended with {verdict.returncode}: {verdict.stdout}{verdict.stderr}")

    def damage_round(self, seconds: float, harm: Damage) -> Round:
        """Kill while writing, damage what can be rebuilt, and find everything back, versions included."""
        done = self.write_for(seconds, self.kill, f"killed, then {harm.__name__.replace('_', ' ')}")
        before = Round("before the damage")
        self.restart(before)
        done.took_effect = before.took_effect
        self.kill()
        done.detail = harm(self.server.data, self.rng)
        begun = time.monotonic()
        self.server.start()
        done.start_seconds = time.monotonic() - begun
        self.check(done, same_versions=True)
        return done

    def state_damage_round(self, seconds: float) -> Round:
        """Kill while writing, and damage the state: everything must be there, or what to do be said, and help."""
        done = self.write_for(seconds, self.kill, "killed, then the state damaged")
        before = Round("before the damage")
        self.restart(before)
        done.took_effect = before.took_effect
        self.kill()
        done.detail = damage.harm_state(self.server.data, self.rng)
        begun = time.monotonic()
        if not self._holds(done):
            done.detail += "; refused"
            done.points = 0
            damage.remove_state(self.server.data, self.rng)
            begun = time.monotonic()
            self.restart(done)
        done.start_seconds = time.monotonic() - begun
        return done

    def _holds(self, done: Round) -> bool:
        """Whether all is there and can be read, the state itself too; False when the server said what to do.

        Raises CrashError for anything else.
        """
        try:
            self.server.start()
            self.check(done, same_versions=True)
            self.server.stop()
        except (ServerError, CrashError, OSError, HTTPException) as error:
            code = self.server.wait_end()
            said = self.server.last_output(1500)
            if code == 0 or "move the state folder away" not in said or "Traceback" in said:
                raise CrashError(f"{done.detail}: ended with exit code {code}, saying: {said}") from error
            return False
        if damage.refuses_to_be_read(self.server.data):
            return False
        self.server.start()
        return True

    def torn_log_round(self, seconds: float) -> Round:
        """Lose the end of the log under a state that has seen it: the server must refuse. Ends the harness."""
        done = self.write_for(seconds, self.server.stop, "stopped, then the log torn")
        done.detail = damage.tear_log(self.server.data, self.rng)
        self.server.launch()
        code = self.server.wait_end()
        said = self.server.last_output(1500)
        if code == 0 or "log" not in said or "Traceback" in said:
            raise CrashError(f"on a log that lost its end the server ended with exit code {code}, saying: {said}")
        return done
