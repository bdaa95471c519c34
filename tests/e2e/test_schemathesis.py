"""Requests made up from the server's own OpenAPI page: no answer is a server error, each has the shape it says."""

# Schemathesis leaves type arguments out.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from tests.e2e.target import Target
from tests.support.examples import tries
from tests.support.http import Http
from tests.support.seeds import BASE_SEED

CHECKS: list[Any] = [not_a_server_error, content_type_conformance, response_schema_conformance]
EXAMPLES = 20
NAME = "made"
CREATE = {"vectors": {"size": 2, "distance": "Dot"}}
POINTS = {"points": [{"id": i, "vector": [i, 1.0], "payload": {"a": i}} for i in range(20)]}


@pytest.fixture(scope="module")
def operations(server: Target) -> list[Any]:
    """Every method of every path."""
    api: Any = schemathesis.openapi.from_url(server.url + "/openapi.json")
    return [found.ok() for found in api.get_all_operations()]


def check(operation: Any, http: Http, examples: int) -> None:
    """Send requests made for one operation, most of them about a collection that is there; a failed check raises."""
    http.put(f"/collections/{NAME}", CREATE)
    assert http.put(f"/collections/{NAME}/points?wait=true", POINTS).status == 200

    @seed(BASE_SEED)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    @given(case=operation.as_strategy(), known=st.integers(0, 4))
    def answers(case: Any, known: int) -> None:
        if known and "collection_name" in case.path_parameters:
            case.path_parameters["collection_name"] = NAME
        case.call_and_validate(checks=CHECKS)

    answers()


def test_answers_as_the_openapi_page_says(operations: list[Any], http: Http, server: Target) -> None:
    examples = max(1, int(tries(EXAMPLES) * server.examples))
    failures: list[str] = []
    for operation in operations:
        try:
            check(operation, http, examples)
        except BaseExceptionGroup as several:
            failures += [f"{operation.label}: {error}" for error in several.exceptions]
        except Exception as error:
            failures.append(f"{operation.label}: {error}")
    assert not failures, "\n\n".join(failures)
    assert len(operations) > 20
    assert server.alive()


def test_still_serves_after_all_that(http: Http) -> None:
    assert http.put("/collections/after", CREATE).status == 200
    point = {"id": 1, "vector": [1.0, 2.0]}
    assert http.put("/collections/after/points?wait=true", {"points": [point]}).status == 200
    assert http.post("/collections/after/points/count", {"exact": True}).result == {"count": 1}
