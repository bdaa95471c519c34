"""Records that were gone before they were applied, and that no snapshot has: going on without them, and telling."""

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from ingest.kafka import KafkaSettings
from ingest.kafka.deletion import delete_before
from ingest.log import Topic
from projector.catalog.store import CatalogStore
from projector.snapshot import SnapshotsFolder
from projector.snapshot.advice import advising
from projector.snapshot.description import Description, write_description
from projector.state.losses import Loss
from projector.state.origin import LogTruncatedError, StateMismatchError, check_log
from projector.state.store import PartitionState
from schemas.config import MAX_SHARDS
from tests.support.http import Http
from tests.support.memory_log import MemoryLog
from tests.support.server import Server, headwater
from tests.tools.kafka_world import Deployment, topics_of
from tests.tools.world import run


def points(first: int, count: int) -> dict[str, object]:
    return {"points": [{"id": i, "vector": [i, 1]} for i in range(first, first + count)]}


def write(http: Http, first: int) -> None:
    """Some records, of one point each."""
    for number in range(5):
        assert http.put("/collections/words/points?wait=true", points(first + number, 1)).status == 200


def shorten(data: Path) -> None:
    """Leave a log that begins at its end, and nothing that has what was before."""
    for arguments in (("snapshot", "create", "--name", "gone"), ("log", "truncate"), ("snapshot", "delete", "gone")):
        done = headwater(*arguments, "--data", str(data))
        assert done.returncode == 0, done.stderr


def test_a_state_that_is_behind_goes_on_when_told_so(tmp_path: Path) -> None:
    data, kept = tmp_path / "data", tmp_path / "kept"
    with Server(data) as server:
        server.start()
        with Http(server.port) as http:
            http.put("/collections/words", {"vectors": {"size": 2, "distance": "Dot"}})
            write(http, 0)
        assert server.stop() == 0
        shutil.copytree(data / "state", kept)
        old = headwater("snapshot", "create", "--name", "old", "--data", str(data))
        assert old.returncode == 0, old.stderr
        server.start()
        with Http(server.port) as http:
            write(http, 100)
        assert server.stop() == 0
        shorten(data)
        shutil.rmtree(data / "state")
        kept.rename(data / "state")

        # The snapshot that there is doesn't reach the log's start.
        server.launch()
        assert server.wait_end() == 1
        said = server.last_output()
        assert "snapshot restore old" not in said
        until = int(said.split("--accept-loss-until ")[1].split()[0])
        command = ("log", "accept-loss", "--data", str(data), "--accept-loss-until")
        wrong = headwater(*command, str(until - 1))
        assert (wrong.returncode, f"ends at {until}" in wrong.stderr) == (1, True), wrong.stderr
        done = headwater(*command, str(until))
        assert (done.returncode, f"to {until}" in done.stdout) == (0, True), done.stderr
        again = headwater(*command, str(until))
        assert (again.returncode, "nothing is lost" in again.stderr) == (1, True), again.stderr

        server.start()
        with Http(server.port) as http:
            lost = f"points-0, offsets {until - 4} to {until}"
            ready = http.get("/readyz").body.decode()
            assert ready == f"all shards are ready, without what the log lost: {lost}"
            metric = 'headwater_accepted_loss_offsets{partition="0",topic="points"} 5.0'
            assert metric in http.get("/metrics").body.decode()
            found = http.post("/collections/words/points/scroll", {"limit": 100}).result["points"]
            assert [point["id"] for point in found] == list(range(5))
            write(http, 200)
            assert http.post("/collections/words/points/count", {}).result["count"] == 10
        assert server.stop() == 0
    shown = headwater("info", "--data", str(data))
    assert (shown.returncode, "lost from offset" in shown.stdout) == (0, True), shown.stderr
    refused = headwater("verify", "--data", str(data))
    assert (refused.returncode, f"without offsets {until - 4}" in refused.stderr) == (1, True), refused.stderr
    assert headwater("snapshot", "create", "--data", str(data)).returncode == 0
    verified = headwater("verify", "--data", str(data))
    assert verified.returncode == 0, verified.stderr
    assert f"goes on without offsets {until - 4} to {until}" in verified.stdout
    assert "digests are equal" in verified.stdout


@pytest.mark.parametrize(("gone", "losses"), [("state", 2), ("state/points-00000", 1)])
def test_without_any_state(tmp_path: Path, gone: str, losses: int) -> None:
    data = tmp_path / "data"
    with Server(data) as server:
        server.start()
        with Http(server.port) as http:
            http.put("/collections/words", {"vectors": {"size": 2, "distance": "Dot"}})
            write(http, 0)
        assert server.stop() == 0
        shorten(data)
        shutil.rmtree(data / gone)
        for _ in range(losses):
            server.launch()
            assert server.wait_end() == 1
            command = server.last_output().split("run (with")[-1].split(": headwater ")[1].split()
            done = headwater(*command)
            assert done.returncode == 0, done.stderr
        server.start()
        with Http(server.port) as http:
            # Where the catalog isn't lost, the shard is: nothing passes for a collection that is empty.
            assert http.post("/collections/words/points/count", {}).status == 404
            http.delete("/collections/words")
            # The partition takes the markers that come.
            http.put("/collections/words", {"vectors": {"size": 2, "distance": "Dot"}})
            write(http, 50)
            assert http.post("/collections/words/points/count", {}).result["count"] == 5
        assert server.stop() == 0


def test_markers_that_lost_records_may_have_sent_are_not_numbered_again(tmp_path: Path) -> None:
    with closing(CatalogStore.open(tmp_path, "memory")) as store:
        assert store.accept_loss(2, 1234) == Loss(0, 2, 1234)
        assert (store.applied, store.state.seq) == (2, 3 * MAX_SHARDS)
    with closing(CatalogStore.open(tmp_path, "memory")) as store:
        assert (store.applied, store.state.seq, store.losses) == (2, 3 * MAX_SHARDS, [Loss(0, 2, 1234)])
        assert store.accept_loss(9, 1235) == Loss(3, 9, 1235)
        assert (store.state.seq, len(store.losses)) == (10 * MAX_SHARDS, 2)


def test_only_a_snapshot_that_covers_what_is_gone_is_named(tmp_path: Path) -> None:
    log = MemoryLog()
    for _ in range(9):
        log.put(Topic.POINTS, 0, b"x")
    log.drop_before(Topic.POINTS, 0, 7)
    snapshots = SnapshotsFolder(tmp_path / "snapshots")

    def advice() -> str:
        with closing(PartitionState.open(tmp_path / "state", "memory")) as state:
            with pytest.raises(StateMismatchError) as raised, advising(snapshots, "memory"):
                run(check_log(state, log, Topic.POINTS, 0))
            cause = raised.value.__cause__
            assert isinstance(cause, LogTruncatedError)
            assert (cause.topic, cause.partition, cause.start) == (Topic.POINTS, 0, 7)
            return str(raised.value)

    assert "--accept-loss-until 6" in advice()
    for number, (name, applied) in enumerate((("covers", 6), ("behind", 5))):
        folder = snapshots.path(name)
        folder.mkdir(parents=True)
        made = Description(
            name=name, created_ms=number, identity="memory", fold="1", catalog=None, partitions={0: applied}
        )
        write_description(folder, made)
    assert "snapshot restore covers" in advice()
    assert "behind" not in advice()
    snapshots.delete("covers")
    assert "--accept-loss-until 6" in advice()


@pytest.mark.kafka
def test_on_kafka(kafka_settings: KafkaSettings, tmp_path: Path) -> None:
    deployment = Deployment(kafka_settings, tmp_path / "data")

    async def lose() -> int:
        await deployment.begin()
        await deployment.fold()
        await deployment.write()
        async with topics_of(deployment.settings) as log:
            end = await log.end_offset(Topic.POINTS, 0)
        await delete_before(deployment.settings, {(Topic.POINTS, 0): end})
        return end

    until = run(lose()) - 1
    with pytest.raises(LogTruncatedError):
        run(deployment.fold())
    code, said = deployment.tool("log", "accept-loss", "--partition", "1", "--accept-loss-until", "0")
    assert (code, "has lost nothing" in said) == (1, True), said
    code, said = deployment.tool("log", "accept-loss", "--partition", "0", "--accept-loss-until", str(until))
    assert code == 0, said
    before = run(deployment.fold())
    run(deployment.write())
    assert run(deployment.fold()) != before
    code, said = deployment.tool("info")
    assert (code, "lost from offset" in said) == (0, True), said
