"""Queries as REST writes them."""

from typing import Any

from compose.grpc.fields import Json, read, read_all, read_fields, reads, variant
from schemas.errors import BadInputError

_LISTS = frozenset({"mult", "sum", "max", "min"})


@reads("Vector", "VectorInput")
def read_vector(message: Any) -> Json:
    """A vector in any of its forms, or the id of a point. Raises BadInputError."""
    if message.DESCRIPTOR.name == "VectorInput":
        chosen = variant(message, "variant")
        if chosen is None:
            raise BadInputError("VectorInput variant is missing")
        return read(chosen[1])
    chosen = variant(message, "vector")
    return older_vector(message) if chosen is None else read(chosen[1])


def older_vector(message: Any) -> Json:
    """A vector as messages had it before there were several kinds. Raises BadInputError."""
    data = list(message.data)
    if message.HasField("indices"):
        return {"indices": list(message.indices.data), "values": data}
    if not message.HasField("vectors_count"):
        return data
    count = message.vectors_count
    if count == 0 or len(data) % count:
        raise BadInputError(f"Unable to split {len(data)} numbers into {count} vectors of equal size")
    size = len(data) // count
    return [data[start : start + size] for start in range(0, len(data), size)] if size else [[]] * count


@reads("Query")
def read_query(message: Any) -> Json:
    """One kind of query. Raises BadInputError."""
    chosen = variant(message, "variant")
    if chosen is None or chosen[0] == "text":
        raise BadInputError("Query variant is missing")
    name, value = chosen
    if name == "formula":
        return read(value)
    if name == "nearest_with_mmr":
        return {"nearest": read(value.nearest), "mmr": read(value.mmr)}
    if name in ("fusion", "sample"):
        return {name: read_fields(message)[name]}
    return {name: read(value)}


@reads("DiscoverInput")
def _discover(message: Any) -> Json:
    _require(message, "target")
    return {"target": read(message.target), "context": read(message.context)}


@reads("ContextInput")
def _context(message: Any) -> Json:
    return read_all(message.pairs)


@reads("ContextInputPair")
def _pair(message: Any) -> Json:
    for name in ("positive", "negative"):
        if not message.HasField(name):
            raise BadInputError(f"ContextPair {name} is missing")
    return read_fields(message)


@reads("RelevanceFeedbackInput")
def _feedback(message: Any) -> Json:
    _require(message, "target", "strategy")
    return {"target": read(message.target), "feedback": read_all(message.feedback), "strategy": read(message.strategy)}


def _require(message: Any, *names: str) -> None:
    for name in names:
        if not message.HasField(name):
            kind = "DiscoverInput " if message.DESCRIPTOR.name == "DiscoverInput" else ""
            raise BadInputError(f"{kind}{name} is missing")


@reads("Formula")
def _formula(message: Any) -> Json:
    if not message.HasField("expression"):
        raise BadInputError("missing field: expression")
    return {"formula": read(message.expression), **read_fields(message, "expression")}


@reads("Expression")
def _expression(message: Any) -> Json:
    chosen = variant(message, "variant")
    if chosen is None:
        raise BadInputError("missing field: variant")
    name, value = chosen
    if name in ("constant", "variable"):
        return value
    if name == "condition":
        return read(value)
    if name in ("datetime", "datetime_key"):
        return {name: value}
    return {name: read_all(getattr(value, name)) if name in _LISTS else read(value)}


@reads("OrderBy")
def _order_by(message: Any) -> Json:
    found = read_fields(message, "start_from")
    chosen = variant(message.start_from, "value") if message.HasField("start_from") else None
    if chosen is not None:
        name, value = chosen
        found["start_from"] = read(value) if name == "timestamp" else value
    return found


@reads("LookupLocation")
def _lookup(message: Any) -> Json:
    return read_fields(message, collection_name="collection", vector_name="vector", shard_key_selector="shard_key")


@reads("WithPayloadSelector")
def _with_payload(message: Any) -> Json:
    chosen = variant(message, "selector_options")
    if chosen is None:
        return None
    name, value = chosen
    return value if name == "enable" else {name: list(value.fields)}


@reads("WithVectorsSelector")
def _with_vectors(message: Any) -> Json:
    chosen = variant(message, "selector_options")
    if chosen is None:
        return None
    return chosen[1] if chosen[0] == "enable" else list(chosen[1].names)


@reads("ShardKeySelector")
def _shard_keys(message: Any) -> Json:
    keys = read_all(message.shard_keys)
    if message.HasField("fallback") and len(keys) == 1:
        return {"target": keys[0], "fallback": read(message.fallback)}
    return keys or None


@reads("ShardKey")
def _shard_key(message: Any) -> Json:
    chosen = variant(message, "key")
    return None if chosen is None else chosen[1]


_COMMON = {"with_vectors": "with_vector", "shard_key_selector": "shard_key"}


@reads("QueryPoints", "QueryPointGroups", "PrefetchQuery", "ScrollPoints", "CountPoints", "FacetCounts")
def read_request(message: Any) -> Json:
    """A request whose fields are those of REST. Raises BadInputError."""
    return read_fields(message, **_COMMON)


@reads("SearchMatrixPoints")
def _matrix(message: Any) -> Json:
    return read_fields(message, **_COMMON)


@reads("GetPoints")
def _get(message: Any) -> Json:
    return {**read_fields(message, **_COMMON), "ids": read_all(message.ids)}


@reads("SearchPoints", "SearchPointGroups")
def _search(message: Any) -> Json:
    found = read_fields(message, "vector", "vector_name", "sparse_indices", **_COMMON)
    vector: Json = list(message.vector)
    if message.HasField("sparse_indices"):
        vector = {"indices": list(message.sparse_indices.data), "values": vector}
    found["vector"] = {"name": message.vector_name, "vector": vector} if message.HasField("vector_name") else vector
    return found


@reads("RecommendPoints", "RecommendPointGroups")
def _recommend(message: Any) -> Json:
    lists = ("positive", "negative", "positive_vectors", "negative_vectors")
    found = read_fields(message, *lists, **_COMMON)
    for name in ("positive", "negative"):
        found[name] = read_all(getattr(message, name)) + read_all(getattr(message, f"{name}_vectors"))
    return found


@reads("DiscoverPoints")
def _discover_points(message: Any) -> Json:
    return read_fields(message, **_COMMON)


@reads("TargetVector")
def _target(message: Any) -> Json:
    return read(message.single)


@reads("VectorExample")
def _example(message: Any) -> Json:
    chosen = variant(message, "example")
    if chosen is None:
        raise BadInputError("VectorExample variant is missing")
    return read(chosen[1])
