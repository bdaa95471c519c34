"""How many random examples a property is tried on: few by default, as they are others in every run."""

import os

THOROUGH = "HEADWATER_TEST_THOROUGH"
"""The environment variable that asks for many; ``scripts/test --thorough`` sets it."""
_SHARE = 3


def tries(many: int) -> int:
    """``many`` in a thorough run, else a third of them."""
    return many if os.environ.get(THOROUGH) == "1" else max(1, many // _SHARE)


def every(few: int) -> int:
    """The step through what is too much to try whole: 1 in a thorough run, else ``few``."""
    return 1 if os.environ.get(THOROUGH) == "1" else few
