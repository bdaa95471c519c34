"""Where settings come from, and what is said of those that are wrong."""

import pickle
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from compose.errors import UserError
from compose.reading_settings import QDRANTS, read_settings, unread_credentials
from compose.settings import Secret, Settings


def keys(settings: Settings) -> list[str | None]:
    given = (settings.api_key, settings.alt_api_key, settings.read_only_api_key, settings.alt_read_only_api_key)
    return [None if key is None else key.revealed() for key in given]


def test_defaults() -> None:
    settings = read_settings({})
    assert (settings.port, settings.port_of_grpc, settings.data, settings.kafka) == (6333, 6334, Path("data"), None)
    assert settings == Settings()


def test_flags_go_before_the_environment_and_that_before_qdrants() -> None:
    environment = {"HEADWATER_GRPC_PORT": "1", "QDRANT__SERVICE__GRPC_PORT": "2", "HEADWATER_PORT": "3"}
    settings = read_settings(environment, port=4)
    assert (settings.port, settings.grpc_port) == (4, 1)
    assert read_settings({"QDRANT__SERVICE__GRPC_PORT": "2"}).grpc_port == 2
    assert read_settings({"GRPC_PORT": "2", "headwater_port": "3"}) == Settings(port=3)


def test_each_variable_that_qdrant_has_is_read() -> None:
    texts = {"grpc_port": "7", "max_collections": "7", "cluster_enabled": "true", "tls_cert": "c", "tls_key": "k"}
    settings = read_settings({variable: texts.get(name, "x") for name, variable in QDRANTS.items()})
    assert (settings.grpc_port, settings.max_collections, settings.cluster_enabled) == (7, 7, True)
    assert (settings.tls_cert, settings.tls_key, settings.snapshots_path) == (Path("c"), Path("k"), Path("x"))
    assert keys(settings) == ["x"] * 4


@pytest.mark.parametrize(("text", "means"), [("1", True), ("Yes", True), ("on", True), ("0", False), ("FALSE", False)])
def test_words_for_yes_and_no(text: str, means: bool) -> None:
    assert read_settings({"HEADWATER_GRPC": text}).grpc is means


def test_every_kind_of_value() -> None:
    environment = {
        "HEADWATER_DATA": "/somewhere",
        "HEADWATER_WORKER_TIMEOUT": "2.5",
        "HEADWATER_CORS_ORIGINS": '["https://a", "https://b"]',
        "HEADWATER_LOG_RETENTION_BYTES": " 65_536\r",
        "HEADWATER_API_KEY": "null",
        "HEADWATER_GROUP": "7",
    }
    settings = read_settings(environment)
    assert (settings.data, settings.worker_timeout) == (Path("/somewhere"), 2.5)
    assert (settings.cors_origins, settings.log_retention_bytes) == (("https://a", "https://b"), 65536)
    assert keys(settings)[0] == "null"
    assert settings.group == "7"


def test_what_concerns_kafka_is_put_together() -> None:
    environment = {"HEADWATER_KAFKA": '{"prefix": "a", "client_id": "b"}', "HEADWATER_KAFKA__PREFIX": "c"}
    kafka = read_settings(environment, kafka={"bootstrap_servers": "x:1"}, partitions=3).kafka
    assert kafka is not None
    assert (kafka.prefix, kafka.client_id, kafka.bootstrap_servers, kafka.partitions) == ("c", "b", "x:1", 3)
    kafka = read_settings({"HEADWATER_KAFKA__PARTITIONS": "2", "HEADWATER_PARTITIONS": "3"}).kafka
    assert kafka is not None
    assert kafka.partitions == 2
    assert read_settings({"HEADWATER_KAFKA": "{}"}).kafka is not None
    kafka = read_settings({"HEADWATER_KAFKA__PREFIX": "a", "HEADWATER_PARTITIONS": "3"}).kafka
    assert kafka is not None
    assert kafka.partitions == 3


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"HEADWATER_PORT": "65536"}, "port: should be less than or equal to 65535, not 65536"),
        ({"HEADWATER_PARTITIONS": "0"}, "partitions: should be greater than or equal to 1, not 0"),
        ({"HEADWATER_WORKER_TIMEOUT": "0.5"}, "worker_timeout: should be greater than or equal to 1.0, not 0.5"),
        ({"HEADWATER_PORT": "http"}, "port: should be a whole number"),
        ({"HEADWATER_PORT": "1e3"}, "port: should be a whole number"),
        ({"HEADWATER_LOG_RETENTION_BYTES": "null"}, "log_retention_bytes: should be a whole number"),
        ({"HEADWATER_WORKER_TIMEOUT": "soon"}, "worker_timeout: should be a number"),
        ({"HEADWATER_GRPC": "perhaps"}, "grpc: should be true or false"),
        ({"HEADWATER_GROUP": ""}, "group: should not be empty"),
        ({"HEADWATER_DATA": ""}, "data: should not be empty"),
        ({"HEADWATER_CORS_ORIGINS": "a"}, "cors_origins: should be JSON: .*"),
        ({"HEADWATER_CORS_ORIGINS": "{}"}, "cors_origins: should be a list of texts, as JSON"),
        ({"HEADWATER_CORS_ORIGINS": "[1]"}, "cors_origins: should be a list of texts, as JSON"),
        ({"HEADWATER_CORS_ORIGINS": "\udcff"}, "cors_origins: should be UTF-8"),
        ({"HEADWATER_KAFKA": "1"}, "kafka: should be a JSON object"),
        ({"HEADWATER_KAFKA__TLS_KEY": "x"}, "kafka: tls_ca, tls_certificate and tls_key have no meaning .*"),
        ({"HEADWATER_KAFKA__BOOTSTRAP_SERVERS": "h:x"}, "kafka.bootstrap_servers: should be HOST:PORT, .* 'h:x'"),
        ({"HEADWATER_KAFKA__TIMEOUT": "soon"}, "kafka.timeout: should be a valid number, .*"),
        ({"HEADWATER_KAFKA__TIMEOUT": "0"}, "kafka.timeout: should be greater than or equal to 1, not 0"),
        ({"HEADWATER_TLS_CERT": "x"}, "tls_cert and tls_key are given together, or neither"),
        ({"HEADWATER_API_KEY": ""}, "api_key is empty: .*"),
        ({"HEADWATER_READ_ONLY_API_KEY": "x"}, "read_only_api_key without api_key: nobody could write"),
    ],
)
def test_what_is_wrong_is_said(environment: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as raised:
        read_settings(environment)
    assert re.fullmatch(message, str(raised.value))


def test_variables_that_have_only_the_name_of_a_key() -> None:
    environment = {"API_KEY": "x", "Tls_Cert": "x", "PORT": "1", "TLS_KEY": ""}
    assert unread_credentials(environment) == {"API_KEY": "HEADWATER_API_KEY", "Tls_Cert": "HEADWATER_TLS_CERT"}
    for read in ("HEADWATER_API_KEY", "QDRANT__SERVICE__API_KEY", "headwater_api_key"):
        assert unread_credentials({"API_KEY": "x", read: "y"}) == {}


def test_keys_are_not_shown_and_get_to_workers() -> None:
    settings = read_settings({"HEADWATER_API_KEY": "guess"})
    assert "guess" not in repr(settings)
    assert "guess" not in str(settings.api_key)
    assert keys(pickle.loads(pickle.dumps(settings))) == ["guess", None, None, None]
    with pytest.raises(TypeError):
        msgspec.json.encode(settings)


def test_some_are_changed() -> None:
    settings = read_settings({"HEADWATER_API_KEY": "key"}, port=1).changed(port=2)
    assert (settings.port, keys(settings)[0]) == (2, "key")
    assert isinstance(settings.api_key, Secret)
