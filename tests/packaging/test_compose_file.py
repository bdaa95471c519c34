"""The compose file, as far as it can be checked without Docker: its parts exist and agree with one another."""

import http.server
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from compose.kafka.properties import server_properties
from compose.reading_settings import read_settings
from compose.settings import Settings
from ingest.kafka import KafkaSettings
from tests.packaging.compose_file import COMPOSE_FILE, ROOT, compose, dockerfile, environment
from tests.support.server import free_port, headwater

OURS = ("projector", "api")


def container(service: str) -> dict[str, str]:
    """What a process of ours finds in its environment: what the image says, then what the compose file does."""
    return dockerfile()[-1].environment() | environment(service)


def settings(service: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in container(service).items():
        if name.startswith("HEADWATER_"):
            monkeypatch.setenv(name, value)
    return read_settings()


def test_follows_the_schema_of_compose_files() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE_FILE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_has_kafka_a_projector_and_an_api() -> None:
    services = compose()["services"]
    assert list(services) == ["kafka", "projector", "api"]
    version = re.search(r"<artifactId>kafka_2.13</artifactId>\s*<version>(.*)</version>", kafka_pom())
    assert version is not None
    assert services["kafka"]["image"] == f"apache/kafka:{version[1]}"
    assert services["projector"]["image"] == services["api"]["image"]
    for name in OURS:
        build = services[name]["build"]
        assert (COMPOSE_FILE.parent / build["context"]).resolve() == ROOT
        assert (ROOT / build["dockerfile"]).is_file()
    for service in services.values():
        assert service["mem_limit"]
        assert service["restart"] == "unless-stopped"


def kafka_pom() -> str:
    return (ROOT / "compose" / "kafka" / "pom.xml").read_text()


@pytest.mark.parametrize("service", OURS)
def test_every_variable_is_a_setting(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {f"HEADWATER_{name.upper()}" for name in Settings.__struct_fields__}
    known |= {f"HEADWATER_KAFKA__{name.upper()}" for name in KafkaSettings.model_fields}
    assert {name for name in container(service) if name.startswith("HEADWATER_")} <= known
    made = settings(service, monkeypatch)
    assert made.host == "0.0.0.0"
    assert made.kafka is not None
    assert made.kafka.partitions == 4


@pytest.mark.parametrize("service", OURS)
def test_every_command_is_there(service: str) -> None:
    (command,) = compose()["services"][service]["command"]
    done = headwater(command, "--help")
    assert done.returncode == 0, done.stderr


def test_projector_and_api_share_the_data_folder() -> None:
    described = compose()
    mounts = {name: [m.split(":") for m in service["volumes"]] for name, service in described["services"].items()}
    assert mounts["projector"] == mounts["api"] == [["data", environment("api")["HEADWATER_DATA"]]]
    assert mounts["kafka"] == [["kafka", environment("kafka")["KAFKA_LOG_DIRS"]]]
    assert described["volumes"].keys() == {"data", "kafka"}


def test_ports_are_those_that_the_services_listen_on(monkeypatch: pytest.MonkeyPatch) -> None:
    services = compose()["services"]
    ports = {name: service["ports"] for name, service in services.items() if "ports" in service}
    projector, api = settings("projector", monkeypatch), settings("api", monkeypatch)
    assert ports == {
        "kafka": ["127.0.0.1:9092:9092"],
        "api": [f"127.0.0.1:{port}:{port}" for port in (api.port, api.port + 1)],
    }
    assert services["projector"]["expose"] == [str(projector.admin_port)]
    kafka = environment("kafka")
    assert projector.kafka is not None
    advertised = dict(entry.split("://") for entry in kafka["KAFKA_ADVERTISED_LISTENERS"].split(","))
    assert advertised == {"INTERNAL": projector.kafka.bootstrap_servers, "EXTERNAL": "localhost:9092"}
    listening = dict(entry.split("://") for entry in kafka["KAFKA_LISTENERS"].split(","))
    assert {name: at.split(":")[1] for name, at in listening.items()} == {
        "INTERNAL": "19092",
        "EXTERNAL": "9092",
        "CONTROLLER": kafka["KAFKA_CONTROLLER_QUORUM_VOTERS"].split(":")[1],
    }


def test_who_waits_for_whom() -> None:
    services = compose()["services"]
    waits = {name: service.get("depends_on", {}) for name, service in services.items()}
    for name, conditions in waits.items():
        for other, how in conditions.items():
            assert how["condition"] in ("service_healthy", "service_started"), name
            assert how["condition"] == "service_started" or "healthcheck" in services[other], name
    assert waits["projector"].keys() == {"kafka"}
    assert waits["api"].keys() == {"kafka", "projector"}


class _Answering(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/readyz" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.mark.parametrize("service", OURS)
@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False), (None, False)])
def test_health_checks_tell_ready_from_not(service: str, status: int | None, healthy: bool) -> None:
    kind, program, *arguments = compose()["services"][service]["healthcheck"]["test"]
    assert (kind, program) == ("CMD", "python")
    variable = {"projector": "HEADWATER_ADMIN_PORT", "api": "HEADWATER_PORT"}[service]
    expected = f"127.0.0.1:{environment(service)[variable]}/readyz"
    assert expected in arguments[-1]
    handler = type("Handler", (_Answering,), {"status": status})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        port = server.server_port if status else free_port()
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        command = [sys.executable, *arguments[:-1], arguments[-1].replace(expected, f"127.0.0.1:{port}/readyz")]
        done = subprocess.run(command, capture_output=True, check=False)
        server.shutdown()
        serving.join()
    assert (done.returncode == 0) == healthy


def test_kafka_keeps_what_the_broker_without_docker_keeps() -> None:
    """Names that both set have the same values, but for where they listen."""
    own = dict(line.split("=", 1) for line in server_properties(Path("/data"), 1, 2).splitlines())
    given = {
        name.removeprefix("KAFKA_").replace("_", ".").lower(): str(value)
        for name, value in environment("kafka").items()
        if name.startswith("KAFKA_")
    }
    both = {name for name in own.keys() & given.keys() if "listener" not in name and name != "log.dirs"}
    assert {name: given[name] for name in both} == {name: own[name] for name in both}
    assert both >= {"auto.create.topics.enable", "offsets.topic.replication.factor", "process.roles", "node.id"}
