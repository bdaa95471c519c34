"""Requests to an application: to one in this process, without a server, or to an api of a cluster."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, TypeVar, cast

import httpx
from pydantic import BaseModel, TypeAdapter

from compose.app import Services, create_app
from compose.http.application import HeadwaterApp
from ingest.http.limits import Limits
from ingest.log import Topic
from tests.rest.memory_node import MemoryNode
from tests.support.cluster import Cluster
from tests.support.memory_http import memory_client

ModelT = TypeVar("ModelT")
VERSION = "0.0.0"
VECTORS = {"size": 2, "distance": "Dot"}
TIMEOUT_SECONDS = 120.0


def make_app(node: MemoryNode, limits: Limits | None = None) -> HeadwaterApp:
    return create_app(Services(node.log, node.catalog, node, node, node, node, VERSION), limits)


class Rest(ABC):
    """A client; ``version`` is what the application calls its own."""

    version: str

    @abstractmethod
    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any answer."""

    @abstractmethod
    def records(self, topic: Topic, partition: int) -> Sequence[bytes]:
        """The values that were appended since the test began."""

    @abstractmethod
    def close(self) -> None:
        """Leave nothing behind."""

    def result(self, method: str, path: str, **options: Any) -> Any:
        """The result of a request that worked."""
        response = self.send(method, path, **options)
        assert response.status_code == 200, response.text
        answer = response.json()
        assert answer["status"] == "ok"
        assert answer["time"] >= 0
        return answer["result"]

    def parsed(self, model: type[ModelT], method: str, path: str, **options: Any) -> ModelT:
        """The result as one of the Qdrant client's models, with nothing in it that the model doesn't know."""
        result = self.result(method, path, **options)
        parsed = TypeAdapter(model).validate_python(result)
        check_known(result, parsed)
        return parsed

    def error(self, status: int, method: str, path: str, **options: Any) -> str:
        """The message of a request that was refused with ``status``."""
        response = self.send(method, path, **options)
        assert response.status_code == status, response.text
        answer = response.json()
        assert set(answer) == {"status", "time"}
        assert response.headers["content-type"] == "application/json"
        message: str = answer["status"]["error"]
        return message

    def create(self, name: str = "c", **body: Any) -> None:
        assert self.result("PUT", f"/collections/{name}", json=body or {"vectors": VECTORS}) is True

    def upsert(self, *points: Any, name: str = "c") -> None:
        self.result("PUT", f"/collections/{name}/points", params={"wait": "true"}, json={"points": points})

    def scroll(self, name: str = "c", **body: Any) -> list[dict[str, Any]]:
        points: list[dict[str, Any]] = self.result("POST", f"/collections/{name}/points/scroll", json=body)["points"]
        return points


class MemoryRest(Rest):
    """A client of its own application over its own node in memory; every request runs on one loop."""

    version = VERSION

    def __init__(self, partitions: int = 1, limits: Limits | None = None) -> None:
        self.node = MemoryNode(partitions)
        self.app = make_app(self.node, limits)
        self._runner = asyncio.Runner()

    def close(self) -> None:
        self._runner.close()

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self._runner.run(self._send(method, path, **options))

    async def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        async with memory_client(self.app.answer) as client:
            return await client.request(method, path, **options)

    def records(self, topic: Topic, partition: int) -> Sequence[bytes]:
        return self.node.log.records[topic, partition]


class ClusterRest(Rest):
    """A client of a cluster, which is empty before and after. Every request may come to another worker of the api."""

    version = version("headwater")

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._begun = cluster.topics.ends()
        one_each = httpx.Limits(max_keepalive_connections=0)
        self._client = httpx.Client(base_url=cluster.url, timeout=TIMEOUT_SECONDS, limits=one_each, verify=False)

    def close(self) -> None:
        self._client.close()
        self._cluster.drop_all()

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self._client.request(method, path, **options)

    def records(self, topic: Topic, partition: int) -> Sequence[bytes]:
        found = self._cluster.topics.records(topic, partition, self._begun.get((topic, partition), 0))
        return [record.value or b"" for record in found]


def check_known(result: Any, parsed: Any) -> None:
    """Fail where ``result`` has a field that the model it was parsed as does not."""
    if isinstance(parsed, BaseModel):
        unknown = set(result) - set(type(parsed).model_fields)
        assert not unknown, f"{type(parsed).__name__} has no {unknown}"
        for field in result:
            check_known(result[field], getattr(parsed, field))
    elif isinstance(parsed, list):
        others = cast("list[Any]", parsed)
        for one, other in zip(result, others, strict=True):
            check_known(one, other)
