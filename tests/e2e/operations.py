"""Random operations on points, as the client's batch endpoint has them, and their single requests."""

from typing import Any, cast

from hypothesis import strategies as st
from qdrant_client import QdrantClient, models

from tests.e2e.strategies import edit_keys, edits, filters, id_lists, payloads, point_ids, removed_keys, vectors

Params = dict[str, models.VectorParams]
Body = dict[str, Any]
MODES = [None, None, "upsert", "insert_only", "update_only"]


def point_vectors(params: Params, partly: bool) -> st.SearchStrategy[Any]:
    """A point's vectors; with ``partly`` any of the named ones, or none of them."""
    by_name = {name: vectors(vector.size) for name, vector in params.items()}
    if list(params) == [""]:
        return by_name[""]
    if not partly:
        return st.fixed_dictionaries({}, optional=by_name).filter(bool)
    return st.fixed_dictionaries({}, optional=by_name)


def _operation(kind: str, **values: st.SearchStrategy[Any]) -> st.SearchStrategy[Body]:
    return st.fixed_dictionaries(values).map(lambda body: {kind: {k: v for k, v in body.items() if v is not None}})


def upserts(params: Params) -> st.SearchStrategy[Body]:
    """Upserts of a list of points, of a batch, and those with a filter or a mode."""
    points = st.fixed_dictionaries(
        {"id": point_ids, "vector": point_vectors(params, partly=True)}, optional={"payload": payloads}
    )
    condition = st.one_of(st.none(), filters(list(params)))
    listed = st.lists(points, min_size=1, max_size=5)
    plain = _operation("upsert", points=listed)
    conditional = _operation("upsert", points=listed, update_filter=condition, update_mode=st.sampled_from(MODES))
    return st.one_of(plain, _operation("upsert", batch=_batches(params)), conditional)


@st.composite
def _batches(draw: st.DrawFn, params: Params) -> Body:
    ids = draw(id_lists())
    columns = {
        name: draw(st.lists(vectors(vector.size), min_size=len(ids), max_size=len(ids)))
        for name, vector in params.items()
    }
    body: Body = {"ids": ids, "vectors": columns.get("", columns)}
    if draw(st.booleans()):
        body["payloads"] = draw(st.lists(payloads, min_size=len(ids), max_size=len(ids)))
    return body


def edits_of(ids: st.SearchStrategy[Any], params: Params) -> st.SearchStrategy[Body]:
    """Operations that change points named by ``ids``, and must find them."""
    vector = point_vectors(params, partly=False)
    updated = ids.flatmap(
        lambda some: st.tuples(*(st.fixed_dictionaries({"id": st.just(i), "vector": vector}) for i in some)).map(list)
    )
    names = st.lists(st.sampled_from(list(params)), min_size=1, max_size=2, unique=True)
    return st.one_of(
        _operation("set_payload", points=ids, payload=edits, key=edit_keys),
        _operation("overwrite_payload", points=ids, payload=edits),
        _operation("delete_payload", points=ids, keys=removed_keys),
        _operation("clear_payload", points=ids),
        _operation("update_vectors", points=updated),
        _operation("delete_vectors", points=ids, vector=names),
    )


def edits_by_filter(params: Params) -> st.SearchStrategy[Body]:
    """Operations on the points that pass a filter, a delete among them."""
    found = filters(list(params))
    names = st.lists(st.sampled_from(list(params)), min_size=1, max_size=2, unique=True)
    return st.one_of(
        _operation("set_payload", filter=found, payload=edits, key=edit_keys),
        _operation("overwrite_payload", filter=found, payload=edits),
        _operation("delete_payload", filter=found, keys=removed_keys),
        _operation("clear_payload", filter=found),
        _operation("delete_vectors", filter=found, vector=names),
        _operation("delete", filter=found),
    )


@st.composite
def batches(draw: st.DrawFn, params: Params) -> list[Body]:
    """Operations of one request; those that name points come after an upsert of these points."""
    first = draw(upserts(params).filter(lambda body: "update_mode" not in body["upsert"]))
    ids = upserted_ids(first)
    some = st.lists(st.sampled_from(ids), min_size=1, max_size=3, unique=True)
    changes = draw(st.lists(edits_of(some, params), max_size=3))
    anywhere = draw(st.lists(st.one_of(edits_by_filter(params), upserts(params)), max_size=1))
    deletes = draw(st.lists(_operation("delete", points=id_lists()), max_size=1))
    return [*anywhere, first, *changes, *deletes]


def upserted_ids(body: Body) -> list[Any]:
    """The ids of an upsert, each once."""
    upsert = body["upsert"]
    ids = upsert["batch"]["ids"] if "batch" in upsert else [point["id"] for point in upsert["points"]]
    return list(dict.fromkeys(ids))


def edited_ids(body: Body) -> list[Any]:
    """The ids of an operation that names points."""
    (operation,) = body.values()
    return [point["id"] if isinstance(point, dict) else point for point in cast("list[Any]", operation["points"])]


def without(body: Body, ids: list[Any]) -> Body | None:
    """An operation that names points but for some of them, None where that leaves none."""
    ((kind, operation),) = body.items()
    left = [p for p, i in zip(operation["points"], edited_ids(body), strict=True) if i not in ids]
    return {kind: {**operation, "points": left}} if left else None


_MODELS: dict[str, Any] = {
    "upsert": models.UpsertOperation,
    "delete": models.DeleteOperation,
    "set_payload": models.SetPayloadOperation,
    "overwrite_payload": models.OverwritePayloadOperation,
    "delete_payload": models.DeletePayloadOperation,
    "clear_payload": models.ClearPayloadOperation,
    "update_vectors": models.UpdateVectorsOperation,
    "delete_vectors": models.DeleteVectorsOperation,
}


def send_batch(client: QdrantClient, name: str, operations: list[Body]) -> None:
    """All operations in one request."""
    parsed = [_MODELS[kind].model_validate(body) for body in operations for kind in body]
    client.batch_update_points(name, parsed)


def send(client: QdrantClient, name: str, body: Body) -> None:
    """One operation, by the client's method for it."""
    (kind,) = body
    operation = body[kind]
    selector = operation.get("filter") or operation.get("points")
    if kind == "upsert":
        _send_upsert(client, name, operation)
    elif kind == "delete":
        client.delete(name, selector)
    elif kind == "set_payload":
        client.set_payload(name, operation["payload"], selector, key=operation.get("key"))
    elif kind == "overwrite_payload":
        client.overwrite_payload(name, operation["payload"], selector)
    elif kind == "delete_payload":
        client.delete_payload(name, operation["keys"], selector)
    elif kind == "clear_payload":
        client.clear_payload(name, selector)
    elif kind == "update_vectors":
        client.update_vectors(name, [models.PointVectors.model_validate(point) for point in operation["points"]])
    else:
        client.delete_vectors(name, operation["vector"], selector)


def _send_upsert(client: QdrantClient, name: str, operation: Body) -> None:
    points: Any
    if "batch" in operation:
        points = models.Batch.model_validate(operation["batch"])
    else:
        points = [models.PointStruct.model_validate(point) for point in operation["points"]]
    mode = operation.get("update_mode")
    client.upsert(
        name,
        points,
        update_filter=operation.get("update_filter"),
        update_mode=None if mode is None else models.UpdateMode(mode),
    )
