"""Points as encoded messages, straight from what was fetched of them.

Each is encoded by itself: encoding a large response at once would keep other threads waiting.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from numpy.typing import NDArray

from compose.grpc.answers import write
from compose.grpc.messages import message_named
from compose.grpc.numbers import put_floats
from compose.grpc.values import write_id, write_payload
from query_api.budget import INLINE_US
from query_api.hits import Hit
from query_api.points import FetchedPoint
from query_api.rendering import Rendering
from schemas.config import UNNAMED
from schemas.errors import UnprocessableError
from schemas.ids import render_point_id
from schemas.vectors.sparse import PAIR

_INT64 = 1 << 63
_POINT_US, _VALUE_US, _BYTE_US = 6.0, 2.0, 0.003
"""About how long points, values of payloads, and bytes of payloads and vectors take."""
_POINT_BYTES = 32
_VALUE_BYTES = 64
"""What each takes, beside its text."""
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class MessageRendering(Rendering):
    """One call's. ``size``: about how many bytes what was rendered takes.

    Raises UnprocessableError when that is more than ``limit``: a payload of many small values takes much more as a
    message than as JSON.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._scored = message_named("qdrant.ScoredPoint")
        self._retrieved = message_named("qdrant.RetrievedPoint")
        self.size = 0

    def us(self, points: Sequence[FetchedPoint]) -> float:
        """About how long rendering takes, in microseconds; where the points alone take long, only that."""
        spent = _POINT_US * len(points)
        if spent > INLINE_US:
            return spent
        for point in points:
            if point.payload:
                spent += _VALUE_US * point.payload.count(b",") + _BYTE_US * len(point.payload)
            if point.vectors:
                spent += _BYTE_US * sum(vector.nbytes for vector in point.vectors.values())
        return spent

    def points(self, points: Sequence[FetchedPoint]) -> list[Any]:
        """RetrievedPoint messages."""
        return [self._fill(point, self._retrieved()).SerializeToString() for point in points]

    def ordered(self, hits: Sequence[Hit], points: Sequence[FetchedPoint]) -> list[Any]:
        """RetrievedPoint messages with what they are ordered by."""
        return [self._ordered(hit, point, self._retrieved()) for hit, point in zip(hits, points, strict=True)]

    def scored(self, hits: Sequence[Hit], points: Sequence[FetchedPoint]) -> list[Any]:
        """ScoredPoint messages."""
        return [
            self._ordered(hit, point, self._scored(score=hit.score, version=point.version))
            for hit, point in zip(hits, points, strict=True)
        ]

    def _ordered(self, hit: Hit, point: FetchedPoint, message: Any) -> bytes:
        self._fill(point, message)
        _put_order(hit, message)
        encoded: bytes = message.SerializeToString()
        return encoded

    def _count(self, size: int) -> None:
        self.size += size
        if self.size > self._limit:
            raise UnprocessableError(
                f"Validation error in JSON body: [limit: an answer takes at most {self._limit} bytes; ask for fewer "
                "points at a time]"
            )

    def _fill(self, point: FetchedPoint, message: Any) -> Any:
        self._count(_POINT_BYTES)
        write_id(render_point_id(point.id), message.id)
        if point.payload:
            self._count(len(point.payload) + _VALUE_BYTES * point.payload.count(b","))
            write_payload(_decode(point.payload), message.payload)
        if point.vectors is not None:
            self._put_vectors(point.vectors, message.vectors)
        if point.shard_key is not None:
            write(point.shard_key, message.shard_key)
        return message

    def _put_vectors(self, vectors: dict[str, NDArray[Any]], message: Any) -> None:
        self._count(sum(vector.nbytes for vector in vectors.values()))
        if vectors.keys() == {UNNAMED}:
            _put_vector(vectors[UNNAMED], message.vector)
            return
        message.vectors.SetInParent()
        for name, vector in vectors.items():
            _put_vector(vector, message.vectors.vectors[name])


def _put_vector(vector: NDArray[Any], message: Any) -> None:
    if vector.dtype == PAIR:
        message.sparse.SetInParent()
        message.sparse.indices.extend(vector["index"].tolist())
        message.sparse.values.extend(vector["value"].tolist())
    elif vector.ndim == 1:
        put_floats(vector, message.dense)
    else:
        for row in vector:
            put_floats(row, message.multi_dense.vectors.add())


def _put_order(hit: Hit, message: Any) -> None:
    value = hit.value
    if isinstance(value, int) and -_INT64 <= value < _INT64:
        message.order_value.int = value
    elif value is not None:
        message.order_value.float = value
