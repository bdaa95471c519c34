"""The limit of open files, in processes of their own, as one can't be raised again."""

import subprocess
import sys

import pytest

_PROGRAM = """
import resource, sys
from compose.descriptors import raise_descriptor_limit
hard = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
raise_descriptor_limit()
print("limit is", resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(("hard", "warned"), [(256, True), (4096, False)])
def test_the_soft_limit_becomes_the_hard_one(hard: int, warned: bool) -> None:
    run = subprocess.run([sys.executable, "-c", _PROGRAM, str(hard)], capture_output=True, text=True, check=True)
    assert f"limit is {hard}" in run.stdout
    assert ("raise the hard limit" in run.stdout + run.stderr) is warned
