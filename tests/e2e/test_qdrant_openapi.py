"""Requests made up from Qdrant's own OpenAPI document: none is a server error, and answers have the shape it says.

``qdrant_openapi.json.gz`` is that document without its prose. ``--examples 50`` makes more of each request.
"""

# Schemathesis leaves type arguments out.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from tests.e2e.target import Target
from tests.support.http import Http
from tests.support.seeds import BASE_SEED

DOCUMENT = Path(__file__).with_name("qdrant_openapi.json.gz")
CHECKS: list[Any] = [not_a_server_error, response_schema_conformance]
_api: Any = schemathesis.openapi.from_dict(json.loads(gzip.decompress(DOCUMENT.read_bytes())))
OPERATIONS: list[Any] = [found.ok() for found in _api.get_all_operations()]
CREATE = {"vectors": {"size": 2, "distance": "Dot"}}
POINTS = {"points": [{"id": i, "vector": [i, 1.0], "payload": {"a": i}} for i in range(20)]}
NOWHERE = "file:///nowhere/at/all.snapshot"


@pytest.mark.parametrize("operation", OPERATIONS, ids=[operation.label for operation in OPERATIONS])
def test_answers_as_qdrants_document_says(
    operation: Any, http: Http, server: Target, request: pytest.FixtureRequest
) -> None:
    examples = int(request.config.getoption("--examples") or 1)
    http.put("/quotas", {"enabled": False})
    http.put("/collections/made", CREATE)
    assert http.put("/collections/made/points?wait=true", POINTS).status == 200
    statuses: Counter[int] = Counter()

    @seed(BASE_SEED)
    @settings(
        max_examples=max(1, int(examples * server.examples)),
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    @given(case=operation.as_strategy(), known=st.integers(0, 4))
    def answers(case: Any, known: int) -> None:
        if known and "collection_name" in case.path_parameters:
            case.path_parameters["collection_name"] = "made"
        if isinstance(case.body, dict) and "location" in case.body:
            case.body["location"] = NOWHERE  # nothing is fetched from elsewhere
        answer = case.call(base_url=server.url)
        case.validate_response(answer, checks=CHECKS)
        statuses[answer.status_code] += 1

    answers()
    assert statuses
    assert server.alive()


def test_every_operation_is_there() -> None:
    assert len(OPERATIONS) == 69
