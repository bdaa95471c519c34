"""constraints.txt pins all that pyproject.toml asks for, with hashes, and names no index."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PIN = re.compile(
    r"^(?P<name>[a-z0-9.-]+)==\S+( ; [^\\]+)? \\\n(?P<hashes>(    --hash=sha256:[0-9a-f]{64}( \\)?\n)+)", re.M
)
NAME = re.compile(r"[A-Za-z0-9._-]+")


def canonical(requirement: str) -> str:
    """The name of a requirement as indexes spell it."""
    found = NAME.match(requirement)
    assert found is not None
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def test_every_pin_has_hashes() -> None:
    text = (ROOT / "constraints.txt").read_text()
    assert len(PIN.findall(text)) == len(re.findall(r"^[^\s#]", text, re.M)) > 50


def test_every_direct_dependency_is_pinned() -> None:
    pinned = {match["name"] for match in PIN.finditer((ROOT / "constraints.txt").read_text())}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups: list[list[str]] = [project["dependencies"], *project["optional-dependencies"].values()]
    wanted = {canonical(requirement) for group in groups for requirement in group}
    assert wanted <= pinned


def test_names_no_index() -> None:
    text = (ROOT / "constraints.txt").read_text()
    assert "://" not in text
    assert "index-url" not in text
