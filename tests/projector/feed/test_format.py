"""The bytes of a feed are those of docs/feed-format.md."""

import msgspec
from crc32c import crc32c

from projector.feed.format import FeedHeader, FeedKind, FeedSource, encode_frames, encode_header
from projector.feed.messages import CatalogChange, OpenShard, PointsCheckpoint, encode
from projector.frames import Changes, Frame, Resealed, ShardId
from schemas.ids import UUID_BASE, PointId, to_wire
from schemas.operations import Outcome
from tests.projector.feed.sample import CONFIG

SHARD = ShardId(1 << 63, 3)


def test_header() -> None:
    header = FeedHeader(FeedSource(FeedKind.CATALOG, 7, "ünï"), generation=3, first_sequence=5000, salt=0x12345678)
    expected = (
        bytes.fromhex("48576665 65640d0a")
        + bytes.fromhex("0200 0200 0500 07000000 0300000000000000 8813000000000000 78563412")
        + "ünï".encode()
    )
    assert encode_header(header) == expected + crc32c(expected).to_bytes(4, "little")


def test_frames() -> None:
    expected = b""
    for sequence, payload in ((9, b"abc"), (10, b"")):
        checked = len(payload).to_bytes(4, "little") + crc32c(payload).to_bytes(4, "little")
        checked += sequence.to_bytes(8, "little")
        expected += checked + crc32c(checked, 77).to_bytes(4, "little") + payload
    assert encode_frames([b"abc", b""], 9, 77) == expected


def test_a_points_checkpoint() -> None:
    checkpoint = PointsCheckpoint(
        7, [OpenShard(SHARD, "a", CONFIG, [0], 5)], -1, [(6, [Outcome(), Outcome("no", 404)])]
    )
    assert msgspec.msgpack.decode(encode(checkpoint)) == {
        "offset": 7,
        "shards": [[[1 << 63, 3], "a", msgspec.to_builtins(CONFIG), [0], 5]],
        "outcomes_after": -1,
        "outcomes": [[6, [{}, {"reason": "no", "status": 404}]]],
    }


def test_points_frames() -> None:
    changes = Changes(SHARD, [1, to_wire(PointId(UUID_BASE + 1))], [b"stored", None])
    assert msgspec.msgpack.decode(encode(Frame(7, [changes], [Outcome("no", 404)], final=False))) == {
        "offset": 7,
        "events": [
            {"type": "changes", "shard": [1 << 63, 3], "ids": [1, bytes(15) + b"\x01"], "points": [b"stored", None]}
        ],
        "outcomes": [{"reason": "no", "status": 404}],
        "final": False,
    }
    assert msgspec.msgpack.decode(encode(Frame(-1, [Resealed(SHARD, 3)]))) == {
        "offset": -1,
        "events": [{"type": "resealed", "shard": [1 << 63, 3], "offset": 3}],
    }


def test_catalog_changes() -> None:
    assert msgspec.msgpack.decode(encode(CatalogChange(4))) == {"offset": 4}
    change = CatalogChange(4, removed=["a"], aliases={"b": None}, markers=[(1, 2)])
    assert msgspec.msgpack.decode(encode(change)) == {
        "offset": 4,
        "removed": ["a"],
        "aliases": {"b": None},
        "markers": [[1, 2]],
    }
