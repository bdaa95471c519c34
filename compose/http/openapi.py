"""The OpenAPI page's operations and schemas, derived from the models that decode and encode."""

from collections.abc import Sequence
from typing import Any

import msgspec

from ingest.http.endpoint import Endpoint
from schemas.rest.collections import VectorRequest
from schemas.rest.envelope import ErrorResponse

Schema = dict[str, Any]

_REF = "#/components/schemas/{name}"
_TIMEOUT: Schema = {"name": "timeout", "in": "query", "schema": {"type": "integer", "minimum": 1}}
_ORDERING: Schema = {"name": "ordering", "in": "query", "schema": {"enum": ["weak", "medium", "strong"]}}
_WAIT: Schema = {
    "name": "wait",
    "in": "query",
    "description": "Answer once the change is visible",
    "schema": {"type": "boolean", "default": False},
}
_CONSISTENCY: Schema = {
    "name": "consistency",
    "in": "query",
    "schema": {"anyOf": [{"type": "integer", "minimum": 1}, {"enum": ["majority", "quorum", "all"]}]},
}
_TOKEN: Schema = {
    "name": "x-headwater-offsets",
    "in": "header",
    "description": "Answer once the records at these offsets are visible: what a write answered in the same header",
    "schema": {"type": "string"},
}


def describe(endpoints: Sequence[Endpoint]) -> tuple[list[Schema], dict[str, Schema]]:
    """The OpenAPI operation of every endpoint, and the schemas they refer to."""
    types: list[Any] = [ErrorResponse, VectorRequest]
    places: list[tuple[int | None, int | None]] = []
    for endpoint in endpoints:
        body = result = None
        if endpoint.body is not None:
            body = len(types)
            types.append(endpoint.body)
        if endpoint.result is not None:
            result = len(types)
            types.append(endpoint.result)
        places.append((body, result))
    refs, components = msgspec.json.schema_components(types, ref_template=_REF)
    operations = [
        _operation(
            endpoint,
            body=None if body is None else refs[body],
            result=None if result is None else refs[result],
            error=refs[0],
        )
        for endpoint, (body, result) in zip(endpoints, places, strict=True)
    ]
    return operations, components


def _operation(endpoint: Endpoint, body: Schema | None, result: Schema | None, error: Schema) -> Schema:
    answer: Schema = {"type": "string"} if result is None else result
    if endpoint.enveloped:
        answer = _enveloped(answer)
    operation: Schema = {
        "parameters": _parameters(endpoint),
        "responses": {
            "200": {
                "description": "Success",
                "content": {endpoint.media_type: {"schema": answer}},
            },
            "4XX": {"description": "Refused", "content": {"application/json": {"schema": error}}},
        },
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return operation


def _enveloped(result: Schema) -> Schema:
    properties: Schema = {"result": result, "status": {"const": "ok"}, "time": {"type": "number"}}
    return {"type": "object", "properties": properties, "required": list(properties)}


def _parameters(endpoint: Endpoint) -> list[Schema]:
    names = [part[1:-1] for part in endpoint.path.split("/") if part.startswith("{")]
    parameters: list[Schema] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
    ]
    if endpoint.writes:
        parameters += [_WAIT, _ORDERING]
    if endpoint.reads:
        parameters += [_CONSISTENCY, _TOKEN]
    if endpoint.writes or endpoint.reads or endpoint.timeout:
        parameters.append(_TIMEOUT)
    return parameters
