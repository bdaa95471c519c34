import errno
import os
import re
from typing import Any

import pytest
from qdrant_client.common.version_check import is_compatible
from qdrant_client.http import models

from tests.rest.client import VECTORS, MemoryRest, Rest
from tests.support.waiting import eventually


def test_root_says_what_it_is(rest: Rest) -> None:
    answer = rest.send("GET", "/").json()
    info = models.VersionInfo.model_validate(answer)
    assert info.title == "qdrant - vector search engine"
    assert is_compatible("1.20.0", info.version)
    assert answer["commit"] == f"headwater {rest.version}"


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
def test_health(rest: Rest, path: str) -> None:
    response = rest.send("GET", path)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain")


def test_a_request_that_lacks_a_descriptor_is_told_so(memory: MemoryRest, monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking() -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(memory.node.catalog, "collections", lacking)
    assert "Too many open files" in memory.error(503, "GET", "/collections")
    assert "ulimit -n" in memory.error(503, "GET", "/telemetry")


def test_not_ready_is_not_the_same_as_not_found(memory: MemoryRest) -> None:
    memory.node.is_ready = False
    assert memory.send("GET", "/readyz").status_code == 503
    assert memory.send("GET", "/healthz").status_code == 200
    requests: list[tuple[str, str, Any]] = [
        ("GET", "/collections", None),
        ("GET", "/collections/c", None),
        ("PUT", "/collections/c", {"vectors": VECTORS}),
        ("PUT", "/collections/c/points", {"points": []}),
        ("POST", "/collections/c/points/count", {}),
    ]
    for method, path, body in requests:
        assert "catching up" in memory.error(503, method, path, json=body)


def test_metrics_count_answers(rest: Rest) -> None:
    # Nothing else asks for this, so that no answer to another test comes to be counted meanwhile.
    before = _answers(rest)
    rest.error(404, "GET", "/collections/counted-nowhere/cluster")
    eventually(lambda: _answers(rest) > before)  # other processes give what they counted within a second
    assert _answers(rest) == before + 1


def _answers(rest: Rest) -> float:
    text = rest.send("GET", "/metrics").text
    path = re.escape("/collections/{collection_name}/cluster")
    found = re.search(rf'headwater_http_responses_total\{{method="GET",path="{path}",status="404"\}} (\S+)', text)
    return float(found[1]) if found else 0.0


def test_telemetry(rest: Rest) -> None:
    rest.create()
    telemetry = rest.parsed(models.TelemetryData, "GET", "/telemetry")
    assert telemetry.collections.number_of_collections == 1
    assert telemetry.app is not None
    assert telemetry.app.name == "headwater"


def test_unknown_paths(rest: Rest) -> None:
    for path in ("/nowhere", "/collections/c/index", "/collections//points"):
        assert "Not found" in rest.error(404, "POST", path)


def test_a_path_that_is_not_utf8_names_nothing(rest: Rest) -> None:
    vectors = {"vectors": {"size": 2, "distance": "Dot"}}
    for path in ("/collections/%FF", "/collections/%FE", "/collections/a%C3", "/collections/c/points/%FF"):
        assert "UTF-8" in rest.error(400, "PUT" if "points" not in path else "GET", path, json=vectors)
    assert rest.send("PUT", "/collections/%EF%BF%BD", json=vectors).json()["result"] is True
    assert rest.send("GET", "/collections").json()["result"]["collections"] == [{"name": "\ufffd"}]


def test_wrong_methods(rest: Rest) -> None:
    assert "Not found: there is no DELETE /healthz" in rest.error(404, "DELETE", "/healthz")
    assert "Not found: there is no PATCH" in rest.error(404, "PATCH", "/collections/c/points")
    assert 'headwater_http_unknown_total{method="PATCH"}' in rest.send("GET", "/metrics").text


def test_a_bug_is_answered_in_the_same_shape(memory: MemoryRest, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> None:
        raise ZeroDivisionError("private details")

    monkeypatch.setattr(memory.node.catalog, "resolve", fail)
    assert "private" not in memory.error(500, "GET", "/collections/c")
    assert memory.result("GET", "/collections") == {"collections": []}


def test_any_content_type_is_taken(rest: Rest) -> None:
    body = b'{"vectors": {"size": 2, "distance": "Dot"}}'
    for number, kind in enumerate(("text/plain", "application/x-www-form-urlencoded", "nonsense")):
        assert rest.result("PUT", f"/collections/c{number}", content=body, headers={"content-type": kind}) is True
