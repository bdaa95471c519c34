"""What bad neighbours cost: records that are rejected, points that are large, batches that decompress to very much.

    python -m bench.bounds

Processor time is compared rather than time, as the two kinds of record wait for the disk differently.
"""

import asyncio
import struct
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import cramjam
from crc32c import crc32c

from ingest.embedded import EmbeddedLog
from ingest.kafka.fetched import Fetched
from ingest.log import Message, Topic
from projector.frames import Changes, Frame
from projector.state.store import PartitionState
from projector.worker.partition_runner import PartitionRunner
from projector.worker.relay import rejecter
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.operations import SetPayload
from schemas.records import PartitionRecord, PointsRecord, ShardOpened, encode_record

RECORDS = 20_000
LARGE_POINTS = 1000
LARGE_BYTES = 100_000
BATCH_BYTES = 300 << 20
_NUMBERED = {
    "points with vectors": (800_000, b'{"id":%d,"vector":{"image":[1,2]}}'),
    "points with payloads": (300_000, b'{"id":%d,"vector":{"image":[1,2]},"payload":{"a":"' + b"x" * 40 + b'"}}'),
}
"""What a record of nearly 32 MiB can hold: how many points, each as JSON."""
_CONFIG = CollectionConfig(vectors={"image": VectorParams(size=2, distance=Distance.DOT)})
_OPENED = ShardOpened(seq=1, uid=1, shard=0, name="things", config=_CONFIG, shard_map=[0])


async def fold_records(folder: Path, name: str, values: list[bytes]) -> list[Frame]:
    """Fold ``values`` after the marker of a collection, say how fast, and return the frames."""
    frames: list[Frame] = []
    log = await EmbeddedLog.open(folder / "log")
    await log.append(Topic.POINTS, 0, encode_record(_OPENED))
    for start in range(0, len(values), 1000):
        await log.append_all(Topic.POINTS, 0, [Message(value) for value in values[start : start + 1000]])
    state = PartitionState.open(folder / "state", log.identity)
    runner = PartitionRunner(log, 0, state, frames.append, reject=rejecter(log, Topic.POINTS))
    began, used = time.perf_counter(), time.process_time()
    await runner.catch_up(await log.end_offset(Topic.POINTS, 0))
    seconds, used = time.perf_counter() - began, time.process_time() - used
    count = len(values)
    print(f"{name}: {count / seconds:,.0f} records/s, {count / used:,.0f} a second of processor time")
    print(f"    rejected: {await log.end_offset(Topic.REJECTED, 0):,}")
    state.close()
    await log.close()
    return frames


def foreign(vector: str) -> list[bytes]:
    """Records of other producers, one point each."""
    return [b'{"collection_name":"things","id":%d,"vector":%s}' % (i, vector.encode()) for i in range(RECORDS)]


def large_points() -> list[bytes]:
    """Large points, and an operation on all of them."""
    record: PartitionRecord = PointsRecord(uid=1, shard=0, ops=[SetPayload(b'{"b":1}', filter={})])
    payload = b"x" * LARGE_BYTES
    point = b'{"collection_name":"things","id":%d,"vector":{"image":[1,2]},"payload":{"a":"%s"}}'
    return [*(point % (i, payload) for i in range(LARGE_POINTS)), encode_record(record)]


async def fold_at_once(folder: Path, kind: str) -> None:
    """Fold one record of nearly 32 MiB, and say how much more memory the process took than before."""
    count, point = _NUMBERED[kind]
    value = b'{"collection_name":"things","points":[%s]}' % b",".join(point % number for number in range(count))
    before = _highest_memory()
    await fold_records(folder, f"{kind}, {len(value) >> 20} MiB at once", [value])
    print(f"    memory: {(_highest_memory() - before) >> 20} MiB more")


def _highest_memory() -> int:
    """Bytes: what this process had resident at most. Not ``ru_maxrss``, which begins with that of the parent."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))


def largest_frame(frames: list[Frame]) -> int:
    """The bytes of the points of the frame that has most."""
    return max(
        sum(len(point or b"") for event in frame.events if isinstance(event, Changes) for point in event.points)
        for frame in frames
    )


def decompress_much() -> None:
    """Read a batch with one record of 300 MiB in it, and say what memory that took."""
    record = b"\x00\x00\x00\x01" + _varint(BATCH_BYTES)
    whole = _varint(len(record) + BATCH_BYTES + 1) + record + bytes(BATCH_BYTES) + b"\x00"
    compressed = bytes(cramjam.zstd.compress(whole))
    del whole
    checked = struct.pack(">hiqqqhii", 4, 0, 0, 0, -1, -1, -1, 1) + compressed
    batch = struct.pack(">qiibI", 0, 9 + len(checked), 0, 2, crc32c(checked)) + checked
    tracemalloc.start()
    (found,) = Fetched(("points", 0), 0, batch, (), at_end=False).take(1)
    _, peak = tracemalloc.get_traced_memory()
    print(f"a batch of {len(batch):,} bytes took {peak / (1 << 20):.0f} MiB: {found.unread}")


def _varint(number: int) -> bytes:
    rest, found = number << 1, bytearray()
    while rest > 0x7F:
        found.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*found, rest])


def main() -> None:
    """Run all; a kind of large record is folded in a process of its own, as memory is measured at its highest."""
    if len(sys.argv) > 1:
        with tempfile.TemporaryDirectory() as name:
            asyncio.run(fold_at_once(Path(name), sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asyncio.run(fold_records(folder / "good", "good records", foreign('{"image":[1,2]}')))
        asyncio.run(fold_records(folder / "bad", "rejected records", foreign('{"nope":[1,2]}')))
        frames = asyncio.run(fold_records(folder / "large", "large points", large_points()))
        print(f"    largest frame: {largest_frame(frames) / (1 << 20):.1f} MiB")
    for kind in _NUMBERED:
        subprocess.run([sys.executable, "-m", "bench.bounds", kind], check=True)
    decompress_much()


if __name__ == "__main__":
    main()
