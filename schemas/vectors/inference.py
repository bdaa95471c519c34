"""Vectors that JSON gives as objects: sparse ones, and what a model is to make vectors of.

The one model is ``qdrant/bm25``, which makes sparse vectors of texts (``schemas.text.bm25``).
"""

from typing import Any

import msgspec

from schemas.errors import BadInputError, UnprocessableError
from schemas.text.bm25 import bm25
from schemas.vectors.kind import JsonValue, SparseVector

MAX_QUERY_TEXT = 64 << 10
"""Characters in the text of a query."""
_BM25 = frozenset({"qdrant/bm25", "bm25"})


class VectorObject(msgspec.Struct, gc=False):
    """A sparse vector, or a ``text``, ``image`` or ``object`` and the ``model`` that is to make a vector of it."""

    indices: list[int] | None = None
    values: list[float] | None = None
    text: str | msgspec.UnsetType = msgspec.UNSET
    image: Any = msgspec.UNSET
    object: Any = msgspec.UNSET
    model: str | None = None
    options: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.indices is not None and self.values is not None:
            return
        given = (self.text, self.image, self.object)
        if self.model is None or all(value is msgspec.UNSET for value in given):
            raise ValueError("Expected `indices` and `values`, or `text` and `model`")


AnyVector = list[float | list[float]] | VectorObject
"""One vector as requests have it."""


def stored_vector(value: AnyVector, path: str) -> JsonValue:
    """The vector that is stored. Raises BadInputError, UnprocessableError for what no model makes a vector of."""
    return value if isinstance(value, list) else _vector(value, path, asked=False)


def asked_vector(value: AnyVector, path: str) -> JsonValue:
    """The vector that is asked with. Raises as ``stored_vector``."""
    return value if isinstance(value, list) else _vector(value, path, asked=True)


def _vector(value: VectorObject, path: str, *, asked: bool) -> SparseVector:
    if value.indices is not None and value.values is not None:
        return SparseVector(value.indices, value.values)
    model = value.model or ""
    if not model:
        raise UnprocessableError(
            f'Validation error in JSON body: [{path}.model: value "" invalid, must be at least 1 characters]'
        )
    if model.lower() not in _BM25:
        raise BadInputError(
            f"Bad request: InferenceService URL not configured: of models there is `qdrant/bm25` alone, not {model!r}"
        )
    if value.text is msgspec.UNSET:
        raise BadInputError("Wrong input: Only text input is supported for qdrant/bm25.")
    maker = bm25(value.options)
    if not asked:
        terms = maker.document(value.text)
    elif len(value.text) <= MAX_QUERY_TEXT:
        terms = maker.query(value.text)
    else:
        raise UnprocessableError(
            f"Validation error in JSON body: [{path}.text: at most {MAX_QUERY_TEXT} characters, not {len(value.text)}]"
        )
    return SparseVector(list(terms), list(terms.values()))
