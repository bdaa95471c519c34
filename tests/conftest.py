"""Settings for all tests."""

import os
import sys

import pytest
from hypothesis import settings

from tests.support.examples import tries

# Hundreds of processes are started: each would compile every module again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Servers of tests run side by side: those that are asked over gRPC have ports of their own.
os.environ.setdefault("HEADWATER_GRPC", "false")

pytest_plugins = ["tests.support.kafka", "tests.support.cluster", "tests.support.scheduling"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of single tests."""
    parser.addoption("--examples", type=int, default=3, help="requests made for each of Qdrant's own (%(default)s)")


settings.register_profile("unhurried", deadline=None, max_examples=tries(100))  # a busy machine is no failure
settings.load_profile("unhurried")
