"""What can be said of the programs in other languages without their tools."""

import json
from pathlib import Path

import pytest

from tests.clients import cargo
from tests.clients.programs import PROGRAMS, RUST, TYPESCRIPT, Program
from tests.clients.snippets import REST_SNIPPETS, SNIPPETS

SUFFIXES = {".rs", ".go", ".java", ".ts"}
SOURCE = 'source = "registry+https://index.example/"\n'


@pytest.mark.parametrize("program", PROGRAMS, ids=[program.language for program in PROGRAMS])
def test_every_snippet_has_a_check(program: Program) -> None:
    sources = [path for path in program.sources.rglob("*") if path.suffix in SUFFIXES and "target" not in path.parts]
    written = "".join(path.read_text() for path in sources)
    names = [*SNIPPETS, *(REST_SNIPPETS if program.rest else ())]
    assert [name for name in names if f'"{name}"' not in written] == []


def test_lock_files_pin_without_naming_a_registry() -> None:
    crates = (RUST.sources / "Cargo.lock.in").read_text()
    assert "source" not in crates
    assert crates.count("\nchecksum = ") == crates.count("[[package]]") - 1  # all but the program itself
    packages = json.loads((TYPESCRIPT.sources / "package-lock.json").read_text())["packages"]
    assert all("integrity" in package and "resolved" not in package for name, package in packages.items() if name)


def test_what_cargo_is_given_has_the_pinned_versions_from_its_own_registry(tmp_path: Path) -> None:
    pinned = '[[package]]\nname = "a"\nversion = "1.0.0"\nchecksum = "aa"\n\n[[package]]\nname = "snippets"\n'
    (tmp_path / "Cargo.lock.in").write_text(pinned)
    lock = tmp_path / "Cargo.lock"
    lock.write_text(pinned.replace("1.0.0", "1.0.1").replace('checksum = "aa"', f'{SOURCE}checksum = "bb"'))
    cargo.restore(tmp_path)
    assert lock.read_text() == pinned.replace("checksum", f"{SOURCE}checksum")
    (tmp_path / "Cargo.lock.in").unlink()
    cargo.strip(lock)
    assert (tmp_path / "Cargo.lock.in").read_text() == pinned
