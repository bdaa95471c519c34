"""Placement: what the system is told of a segment's mapped data, and untold again."""

import errno
import mmap
import threading
from pathlib import Path

import msgspec
import numpy as np
import pytest
import structlog

from projector.frames import ShardId
from projector.segments import mapping, placement
from projector.segments.placement import Placement, wanted
from projector.segments.reader import Segment
from projector.view.live_shard import LiveShard
from schemas.config import CollectionConfig, HnswConfig, PayloadStorage
from schemas.ids import PointId
from schemas.payload_index import KeywordIndex, PayloadIndex
from schemas.vectors.params import HnswConfigDiff, Memory, SparseIndexConfig, SparseVectorParams, VectorParams
from tests.projector.segments.samples import COSINE, EUCLID, config, samples, segment_of
from tests.support.waiting import eventually

SMAPS = Path("/proc/self/smaps")
needs_smaps = pytest.mark.skipif(not SMAPS.exists(), reason="says what the system was told")


@pytest.fixture
def segment(tmp_path: Path) -> Segment:
    return segment_of(tmp_path / "segment", samples([PointId(i) for i in range(1, 3000)]), graph=True)


def changed(vectors: dict[str, dict[str, object]] | None = None, **fields: object) -> CollectionConfig:
    before = config()
    replaced = {
        name: msgspec.structs.replace(params, **(vectors or {}).get(name, {}))
        for name, params in before.vectors.items()
    }
    return msgspec.structs.replace(before, vectors=replaced, **fields)


def test_nothing_is_wanted_where_nothing_is_said(segment: Segment) -> None:
    assert wanted(config(), segment) == {}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (changed({COSINE: {"on_disk": True}}), {"vectors.0": Memory.COLD}),
        (changed({COSINE: {"on_disk": False}}), {"vectors.0": Memory.CACHED}),
        (changed({EUCLID: {"on_disk": True, "memory": Memory.CACHED}}), {"vectors.1": Memory.CACHED}),
        (changed(hnsw=HnswConfig(on_disk=True)), {f"graph.{COSINE}": Memory.COLD, f"graph.{EUCLID}": Memory.COLD}),
        (
            changed({COSINE: {"hnsw_config": HnswConfigDiff(memory=Memory.PINNED)}}, hnsw=HnswConfig(on_disk=True)),
            {f"graph.{COSINE}": Memory.PINNED, f"graph.{EUCLID}": Memory.COLD},
        ),
        (changed(on_disk_payload=False), {"payloads": Memory.CACHED}),
        (changed(payload=PayloadStorage(Memory.COLD), on_disk_payload=False), {"payloads": Memory.COLD}),
        (changed(vectors={}, sparse_vectors={"s": SparseVectorParams(SparseIndexConfig(on_disk=True))}), {}),
    ],
)
def test_what_is_wanted_of_what_is_there(
    segment: Segment, asked: CollectionConfig, expected: dict[str, Memory]
) -> None:
    assert wanted(asked, segment) == expected


def test_a_declared_index_is_placed_with_all_sections_of_its_column(segment: Segment) -> None:
    placed = wanted(changed(payload_indexes={"city": PayloadIndex(KeywordIndex(memory="pinned"))}), segment)
    (city,) = (meta for meta in segment.columns.metas if meta.path == ["city"])
    assert placed == dict.fromkeys(segment.sections(f"column.{city.number}."), Memory.PINNED)
    assert len(placed) > 1


def _flags(data: memoryview) -> set[str]:
    """Of the mapping that the middle of mapped bytes lies in, as the system says them."""
    array = np.frombuffer(data, np.uint8)
    middle = array.ctypes.data + len(array) // 2
    ours = False
    for line in SMAPS.read_text().splitlines():
        head = line.split(" ", 1)[0]
        if "-" in head and not head.endswith(":"):
            start, end = (int(number, 16) for number in head.split("-"))
            ours = start <= middle < end
        elif ours and line.startswith("VmFlags:"):
            return set(line.split()[1:])
    return set()


def _graph(segment: Segment) -> memoryview:
    data = segment.graph_data(COSINE)
    assert data is not None
    return data


def _live(segment: Segment, asked: CollectionConfig) -> LiveShard:
    return LiveShard(ShardId(1, 0), asked, [(segment, np.zeros(segment.size, np.bool_))], 0)


@needs_smaps
def test_a_shard_has_its_segments_placed_and_follows_its_configuration(segment: Segment) -> None:
    data = _graph(segment)
    live = _live(segment, changed({COSINE: {"hnsw_config": HnswConfigDiff(on_disk=True)}}))
    eventually(lambda: "rr" in _flags(data))
    live.reconfigure(changed({COSINE: {"hnsw_config": HnswConfigDiff(on_disk=False, memory=Memory.PINNED)}}), 1)
    eventually(lambda: "lo" in _flags(data))
    assert "rr" not in _flags(data)
    live.reconfigure(config(), 2)
    eventually(lambda: "lo" not in _flags(data))
    other = segment.data("vectors.0")
    assert other is not None
    assert not {"rr", "lo"} & _flags(other)


@needs_smaps
def test_of_many_changes_the_last_counts(segment: Segment) -> None:
    held = Placement(segment)
    for number in range(50):
        held.follow(changed(hnsw=HnswConfig(memory=(Memory.PINNED, Memory.COLD, Memory.CACHED)[number % 3])))
    held.follow(changed(hnsw=HnswConfig(memory=Memory.COLD)))
    eventually(lambda: "rr" in _flags(_graph(segment)) and not held.running)
    assert "lo" not in _flags(_graph(segment))


def test_what_the_system_refuses_to_lock_is_told(segment: Segment, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(address: int, size: int) -> int:
        return -1

    monkeypatch.setattr(mapping, "_lock", refuse)
    with structlog.testing.capture_logs() as said:
        held = Placement(segment)
        held.follow(changed(hnsw=HnswConfig(memory=Memory.PINNED)))
        eventually(lambda: not held.running)
    assert {line["section"] for line in said} == {f"graph.{COSINE}", f"graph.{EUCLID}"}
    assert all("ulimit -l" in line["event"] for line in said)


def test_a_damaged_graph_is_nothing_to_place(segment: Segment) -> None:
    path = segment.folder / "graph.0.links"
    path.write_bytes(bytes(path.stat().st_size))
    held = Placement(Segment.open(segment.folder))
    held.follow(changed(hnsw=HnswConfig(memory=Memory.PINNED)))
    eventually(lambda: not held.running)


def test_vectors_of_a_name_that_was_deleted_are_left_alone(segment: Segment) -> None:
    only = CollectionConfig(
        vectors={EUCLID: VectorParams(3, config().vectors[EUCLID].distance, on_disk=True, position=1)}
    )
    assert wanted(only, segment) == {"vectors.1": Memory.COLD}
    assert placement.wanted(only, segment).keys() <= set(segment.sections("vectors."))


def test_what_cannot_be_opened_is_said_and_the_next_configuration_is_followed(
    segment: Segment, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []

    def advise(data: memoryview, advice: int) -> None:
        told.append(advice)

    def no_descriptors(name: str) -> memoryview | None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(placement, "advise", advise)
    monkeypatch.setattr(segment, "graph_data", no_descriptors)
    followed = Placement(segment)
    with structlog.testing.capture_logs() as logs:
        followed.follow(changed(hnsw=HnswConfig(on_disk=True)))
        eventually(lambda: not followed.running)
    assert {entry["reason"] for entry in logs} == {"OSError(24, 'Too many open files')"}
    followed.follow(changed({COSINE: {"on_disk": True}}))
    eventually(lambda: not followed.running)
    assert told == [mmap.MADV_RANDOM]


def test_many_segments_are_placed_on_one_thread(segment: Segment, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, threads = threading.Event(), set[threading.Thread]()

    def advise(data: memoryview, advice: int) -> None:
        go_on.wait(60)
        threads.add(threading.current_thread())

    monkeypatch.setattr(placement, "advise", advise)
    followed = [Placement(segment) for _ in range(20)]
    for each in followed:
        each.follow(changed({COSINE: {"on_disk": True}}))
    go_on.set()
    eventually(lambda: not any(each.running for each in followed))
    assert len(threads) == 1
