"""TLS and SASL, against a real broker that asks for them."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from compose.kafka import MissingToolError
from ingest.kafka import KafkaLog, KafkaSettings
from ingest.log import LogUnavailableError
from tests.ingest.kafka.support import POINTS, opened
from tests.ingest.log_contract import read_all, within
from tests.support.cluster import Cluster
from tests.support.http import Http
from tests.support.kafka import missing_kafka
from tests.support.secure_kafka import CERTIFICATE, PASSWORD, SASL_CLEAR, SASL_TLS, SCRAM, SecureBroker

pytestmark = pytest.mark.kafka

WAYS = [
    (CERTIFICATE, "PLAIN"),
    (SASL_TLS, "PLAIN"),
    (SASL_TLS, SCRAM),
    (SASL_CLEAR, "PLAIN"),
    (SASL_CLEAR, SCRAM),
]


@pytest.fixture(scope="module")
def secure(quick_java: None, tmp_path_factory: pytest.TempPathFactory) -> Generator[SecureBroker]:
    secure = SecureBroker(tmp_path_factory.mktemp("secure"))
    try:
        with secure.running():
            yield secure
    except MissingToolError as error:
        missing_kafka(error)


def settings(secure: SecureBroker, way: tuple[str, str], **changes: Any) -> KafkaSettings:
    prefix = f"secure-{way[0]}-{way[1]}".lower()
    return KafkaSettings.model_validate({**secure.options(*way), "prefix": prefix, **changes})


@pytest.mark.parametrize("way", WAYS, ids="-".join)
def test_appending_and_reading(secure: SecureBroker, way: tuple[str, str]) -> None:
    async def check() -> None:
        async with opened(settings(secure, way)) as log:
            assert await log.append(POINTS, 0, b"a") == 0
            assert [record.value for record in await read_all(log)] == [b"a"]

    within(check())


@pytest.mark.parametrize(
    ("way", "changes", "message"),
    [
        ((SASL_TLS, "PLAIN"), {"sasl_password": "guess"}, "Invalid username or password"),
        ((SASL_TLS, SCRAM), {"sasl_password": "guess"}, "invalid credentials"),
        ((SASL_TLS, "PLAIN"), {"tls_ca": "other"}, "certificate verify failed"),
        ((SASL_TLS, "PLAIN"), {"security_protocol": "SASL_PLAINTEXT", "tls_ca": None}, "can't be reached"),
        ((CERTIFICATE, "PLAIN"), {"tls_certificate": None}, "can't be reached"),
    ],
    ids=["password", "scram password", "authority", "no TLS", "no certificate"],
)
def test_who_is_not_let_in(secure: SecureBroker, way: tuple[str, str], changes: dict[str, Any], message: str) -> None:
    if changes.get("tls_ca"):
        changes = {"tls_ca": secure.other_ca}
    # What is refused at once is told at once; on a busy machine even that may take seconds.
    refused = settings(secure, way, timeout=3 if message == "can't be reached" else 60, **changes)
    with pytest.raises(LogUnavailableError) as raised:
        within(_open(refused))
    assert message in str(raised.value)
    assert PASSWORD not in str(raised.value)


async def _open(refused: KafkaSettings) -> None:
    await (await KafkaLog.open(refused)).close()


@pytest.mark.parametrize("way", [(CERTIFICATE, "PLAIN"), (SASL_TLS, SCRAM)], ids="-".join)
def test_a_cluster(secure: SecureBroker, way: tuple[str, str], tmp_path: Path) -> None:
    """Projector, its router and its member of the group, the api's workers, and the tools."""
    options = secure.options(*way)
    environment = {f"HEADWATER_KAFKA__{name.upper()}": value for name, value in options.items()}
    with Cluster(
        tmp_path, settings(secure, way, prefix=f"cluster-{way[0]}"), workers=2, environment=environment
    ) as made:
        made.start()
        with Http(made.port) as http:
            body = {"vectors": {"size": 2, "distance": "Dot"}, "shard_number": 3}
            assert http.put("/collections/words", body).result is True
            points = [{"id": i, "vector": [i, 1]} for i in range(30)]
            assert http.put("/collections/words/points?wait=true", {"points": points}).status == 200
            foreign = b'{"collection_name": "words", "id": 100, "vector": [100, 1]}'
            for partition in range(3):  # at home in one of them, forwarded from the others
                made.topics.with_log(lambda log, p=partition: log.append(POINTS, p, foreign))
            made.settle()
            found = http.post("/collections/words/points/query", {"query": [1, 0], "limit": 2}).result["points"]
            assert [point["id"] for point in found] == [100, 29]
            assert http.post("/collections/words/points/count", {}).result["count"] == 31
