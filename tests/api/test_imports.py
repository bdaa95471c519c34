import subprocess
import sys


def loaded_by(module: str, code: str = "") -> set[str]:
    """The modules that are loaded once one was imported, after some code."""
    code = f"{code}\nimport sys, {module}\nprint(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_workers_do_without_the_state() -> None:
    loaded = loaded_by("compose.api.worker")
    assert "projector.view.shard_view" in loaded
    assert not loaded & {
        "fastapi",
        "aiokafka",
        "pydantic",
        "regex",
        "rocksdict",
        "projector.state.kv",
        "projector.state.store",
    }


READ_SETTINGS = """
from contextlib import suppress
from compose.commands.app import app
from compose.errors import UserError
with suppress(UserError):
    app(["serve", "--port", "-1"])
"""
"""What comes before a server is opened, up to a setting that has it end there."""


def test_the_embedded_server_starts_without_what_it_may_never_need() -> None:
    for module in ("compose.server", "compose.several_processes"):
        assert not loaded_by(module, READ_SETTINGS) & {
            # clients and servers of other protocols, and what describes ours
            "aiokafka",
            "faust",
            "grpc",
            "httpx",
            "fastapi",
            # settings of Kafka
            "ingest.kafka.settings",
            "pydantic",
            # tables, and what foreign producers compress
            "rich",
            "pygments",
            "cramjam",
            # text indexes
            "regex",
            "anyascii",
            "Stemmer",
        }


def test_a_command_starts_without_what_shows_tables() -> None:
    assert not loaded_by("compose.commands.app") & {"rich", "pygments", "httpx", "pydantic"}


def test_builders_start_without_what_they_never_need() -> None:
    assert not loaded_by("projector.segments.worker") & {
        "structlog",
        "pydantic",
        "aiokafka",
        "rocksdict",
        "prometheus_client",
        "hnswlib",
    }
