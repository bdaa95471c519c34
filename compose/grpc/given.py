"""Vectors to store, as requests take them from messages: dense numbers stay in float32."""

from typing import Any

from compose.grpc.fields import read
from compose.grpc.numbers import floats_of
from compose.grpc.queries import older_vector
from ingest.vector_columns import GivenVector
from schemas.errors import BadInputError
from schemas.rest.decode import convert_part
from schemas.vectors.inference import VectorObject


def given_vectors(message: Any) -> GivenVector:
    """The vectors of a point. Raises BadInputError, UnprocessableError."""
    # Numbers that are there tell that the message is of this kind; most are.
    unnamed = floats_of(message.vector.dense)
    if unnamed:
        return unnamed
    name = message.WhichOneof("vectors_options")
    if name is None:
        raise BadInputError("Expected some vectors")
    if name == "vector":
        return _given(message.vector)
    named = message.vectors.vectors
    return {key: _given(named[key]) for key in named}


def _given(message: Any) -> Any:
    name = message.WhichOneof("vector")
    if name == "dense":
        return floats_of(message.dense)
    if name == "sparse":
        return VectorObject(list(message.sparse.indices), list(message.sparse.values))
    if name == "multi_dense":
        return [floats_of(one) for one in message.multi_dense.vectors]
    value: list[Any] | dict[str, Any] = older_vector(message) if name is None else read(getattr(message, name))
    return value if isinstance(value, list) else convert_part(value, VectorObject, "vector")
