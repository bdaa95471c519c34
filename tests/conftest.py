"""Settings for all tests."""

from hypothesis import settings

pytest_plugins = ["tests.support.kafka", "tests.support.cluster"]

settings.register_profile("unhurried", deadline=None)  # a busy machine is no failure
settings.load_profile("unhurried")
