"""Settings for all tests."""

import os
import sys

from hypothesis import settings

# Hundreds of processes are started: each would compile every module again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Servers of tests run side by side: those that are asked over gRPC have ports of their own.
os.environ.setdefault("HEADWATER_GRPC", "false")

pytest_plugins = ["tests.support.kafka", "tests.support.cluster"]

settings.register_profile("unhurried", deadline=None)  # a busy machine is no failure
settings.load_profile("unhurried")
