"""Hypothesis strategies: foreign records on few points, most of them valid, as JSON builtins."""

from typing import Any
from uuid import UUID

import msgspec
from hypothesis import strategies as st

from ingest.log import LogRecord
from tests.ingest.foreign.samples import message
from tests.schemas import strategies

Body = dict[str, Any]

_SELECTING = ("delete", "delete_vectors", "set_payload", "overwrite_payload", "delete_payload", "clear_payload")
_NAMES = ("upsert", "upsert", "update_vectors", *_SELECTING)
ids: st.SearchStrategy[Any] = st.one_of(
    st.integers(0, 7), st.integers(0, 7), st.sampled_from([str(UUID(int=1)), str(UUID(int=2**127)), 2**64 - 1, -1])
)
_numbers = st.sampled_from([0.5, 1, -2.25, 1e-45, 0, 1e39])
_filters = st.one_of(st.just(Body()), strategies.filters(depth=1))
_selectors = st.one_of(
    st.lists(ids, max_size=4).map(lambda found: {"points": found}), _filters.map(lambda found: {"filter": found})
)
_options = st.fixed_dictionaries(
    {},
    optional={"update_filter": _filters, "update_mode": st.sampled_from(["upsert", "insert_only", "update_only"])},
)


@st.composite
def vectors(draw: st.DrawFn) -> Any:
    """The vectors of a point of ``NAMED``, or of none."""
    kind = draw(st.integers(0, 12))
    if kind == 0:
        return draw(st.lists(_numbers, max_size=3))
    sizes = {"image": 2, "text": 1} if kind > 1 else {"image": 2, "text": 3}
    names = draw(st.lists(st.sampled_from(list(sizes)), unique=True, max_size=2))
    return {name: draw(st.lists(_numbers, min_size=sizes[name], max_size=sizes[name])) for name in names}


@st.composite
def points(draw: st.DrawFn) -> Body:
    """One point."""
    found: Body = {"id": draw(ids), "vector": draw(vectors())}
    if draw(st.booleans()):
        found["payload"] = draw(strategies.payloads)
    return found


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, Body]:
    """The name of an operation, and its request."""
    name = draw(st.sampled_from(_NAMES))
    if name == "upsert":
        return name, {"points": draw(st.lists(points(), max_size=5)), **draw(_options)}
    if name == "update_vectors":
        found = draw(st.lists(points(), min_size=1, max_size=3))
        return name, {"points": [{"id": point["id"], "vector": point["vector"]} for point in found]}
    request: Body = draw(_selectors)
    if name == "delete_vectors":
        request["vector"] = draw(st.lists(st.sampled_from(["image", "text"]), min_size=1, max_size=2))
    elif name == "delete_payload":
        request["keys"] = draw(st.lists(strategies.keys, max_size=2))
    elif name in ("set_payload", "overwrite_payload"):
        request["payload"] = draw(strategies.payloads)
        request.update(draw(st.fixed_dictionaries({}, optional={"key": strategies.keys})))
    return name, request


@st.composite
def batches(draw: st.DrawFn) -> Body:
    """The body of a batch."""
    return {"operations": [{name: request} for name, request in draw(st.lists(requests(), max_size=4))]}


bodies: st.SearchStrategy[Body] = st.one_of(
    points(), points(), batches(), requests().map(lambda found: {"operation": found[0], **found[1]})
)
"""Bodies without the collection's name."""


def _encode(body: Body, name: str) -> LogRecord:
    return message(msgspec.json.encode({"collection_name": name, **body}))


def _tombstone(point_id: Any, name: str) -> LogRecord:
    return message(None, msgspec.json.encode({"collection_name": name, "id": point_id}))


def messages(names: st.SearchStrategy[str]) -> st.SearchStrategy[LogRecord]:
    """Foreign messages for collections of these names."""
    return st.one_of(st.builds(_encode, bodies, names), st.builds(_tombstone, ids, names))
