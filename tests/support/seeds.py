"""The seed of the random tests: fixed, unless HEADWATER_TEST_SEED says otherwise."""

import os

BASE_SEED = int(os.environ.get("HEADWATER_TEST_SEED", "20251"))


def seed_note(seed: int = BASE_SEED) -> str:
    """What to add to a failure's message, so that it can be had again."""
    return f"(seed {seed}: set HEADWATER_TEST_SEED={seed} to see it again)"
