# Schemathesis leaves type arguments out.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
"""Requests made up from the server's own OpenAPI page: no answer is a server error, each has the shape it says."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from tests.support.seeds import BASE_SEED
from tests.support.server import Server


@pytest.fixture(scope="module")
def api(server: Server) -> Any:
    return schemathesis.openapi.from_url(server.url + "/openapi.json")


schema: Any = schemathesis.pytest.from_fixture("api")


@schema.parametrize()
@seed(BASE_SEED)
@settings(
    max_examples=8,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
def test_answers_as_the_openapi_page_says(case: Any) -> None:
    case.call_and_validate(checks=[not_a_server_error, content_type_conformance, response_schema_conformance])
