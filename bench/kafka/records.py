"""What is produced: canonical records of many points, and one point each as JSON. Made before anything is timed."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from ingest.writer import HEADERS
from schemas.operations import Upsert
from schemas.records import PointsRecord, encode_record
from schemas.vectors.dense import DenseColumn

DIM = 100
BATCH = 1000
DIGITS = 5
FIELD = "n"
CANONICAL = HEADERS

Floats = NDArray[np.float32]

_encode = msgspec.json.Encoder().encode


def vectors(count: int, seed: int = 7) -> Floats:
    """float32 (count, 100), as different from one another as vectors get: only the cost of moving them matters."""
    return np.round(np.random.default_rng(seed).standard_normal((count, DIM), np.float32), DIGITS)


def row(vector: Floats) -> list[float]:
    """A vector as JSON shows it."""
    return [round(value, DIGITS) for value in vector.tolist()]


def payload(number: int) -> bytes:
    """The payload of a point."""
    return b'{"%s":%d}' % (FIELD.encode(), number % 10_000)


def batches(uid: int, data: Floats, first: int, count: int) -> list[bytes]:
    """Canonical records of 1000 points each: ids from ``first`` on, the vectors of ``data`` again and again."""
    records: list[bytes] = []
    for start in range(first, first + count, BATCH):
        ids = list(range(start, min(start + BATCH, first + count)))
        block = np.take(data, ids, axis=0, mode="wrap")
        payloads = [payload(i) for i in ids]
        upsert = Upsert([*ids], {"": DenseColumn(DIM, block.astype("<f4").tobytes())}, payloads)
        records.append(encode_record(PointsRecord(uid=uid, shard=0, ops=[upsert])))
    return records


def json_points(collection: str, data: Floats, first: int, count: int) -> list[bytes]:
    """One point each, as Qdrant's Kafka connector takes it."""
    rows = [row(vector) for vector in data[: min(len(data), count)]]
    return [json_point(collection, rows[i % len(rows)], i) for i in range(first, first + count)]


def json_point(collection: str, vector: Sequence[float], number: int) -> bytes:
    """One point."""
    return _encode({"collection_name": collection, "id": number, "vector": vector, "payload": {FIELD: number % 10_000}})
