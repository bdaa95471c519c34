"""The Dockerfile, as far as it can be checked without Docker: what it copies, runs and names is there."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from compose.settings import Settings
from tests.packaging.compose_file import ROOT, dockerfile

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
BUILD, IMAGE = dockerfile()
PACKAGES = [name.removesuffix("*") for name in PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]]


def copied() -> list[tuple[str, str]]:
    """Source and destination of everything that comes from the repository."""
    found: list[tuple[str, str]] = []
    for line in BUILD.all("COPY"):
        *sources, destination = line.split()
        for source in sources:
            into = destination.endswith("/")
            found.append((source, str(Path(destination) / Path(source).name) if into else destination))
    return found


def allowed() -> set[str]:
    """What .dockerignore lets into the build."""
    lines = (ROOT / ".dockerignore").read_text().split("\n")
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    return {rule[1:] for rule in rules if rule.startswith("!")}


def test_what_is_copied_is_there_and_gets_in() -> None:
    sources = {source for source, _ in copied()}
    assert sources == allowed()
    assert all((ROOT / source).exists() for source in sources)
    assert sources >= {*PACKAGES, "constraints.txt", "pyproject.toml", *PROJECT["project"]["license-files"][:2]}
    assert not (ROOT / ".dockerignore").read_text().count("!data")


def test_dependencies_are_installed_as_the_scripts_do() -> None:
    install, package = [line for line in BUILD.all("RUN") if "_env.sh" in line]
    script = (ROOT / "scripts" / "_env.sh").read_text()
    called = re.findall(r"&& ([a-z_]+)", install)
    assert called == ["create_environment", "require_compiler", "install_build_tools", "install_extra"]
    assert all(f"\n{name}() {{" in script for name in [*called, "pip_install"])
    assert "--require-hashes" in script.partition("install_extra() {")[2].partition("\n}")[0]
    assert "pip_install --no-deps --no-build-isolation ." in package
    # Sources change more often than dependencies: they come later, so that those stay built.
    order = [line for word, line in BUILD.instructions if word in ("RUN", "COPY")]
    assert order.index(install) < min(order.index(f"{name} {name}") for name in PACKAGES)
    environment = BUILD.environment()
    assert environment["HNSWLIB_NO_NATIVE"] == "1"
    assert f"COPY --from={BUILD.name}" in f"COPY {IMAGE.all('COPY')[0]}"
    assert IMAGE.all("COPY")[0].split()[1:] == [environment["HEADWATER_VENV"]] * 2
    assert IMAGE.environment()["PATH"].startswith(environment["HEADWATER_VENV"] + "/bin:")


def test_both_stages_have_one_python_that_is_recent_enough() -> None:
    assert BUILD.base == IMAGE.base
    version = re.fullmatch(r"python:3\.(\d+)-slim-\w+", BUILD.base)
    assert version is not None
    assert f"Programming Language :: Python :: 3.{version[1]}" in PROJECT["project"]["classifiers"]


def test_runs_as_somebody_who_may_write_to_the_data_folder_alone() -> None:
    (user,) = IMAGE.all("USER")
    (run,) = IMAGE.all("RUN")
    data = IMAGE.environment()["HEADWATER_DATA"]
    assert f" {user} " in f"{run} "
    assert f"install -d -o {user} -g {user} {data}" in run
    last = [word for word, _ in IMAGE.instructions].index("USER")
    assert all(word not in ("RUN", "COPY") for word, _ in IMAGE.instructions[last:])


def test_names_settings_and_commands_that_exist() -> None:
    names = [name for name in IMAGE.environment() if name.startswith("HEADWATER_")]
    assert {name.removeprefix("HEADWATER_").lower() for name in names} <= set(Settings.__struct_fields__)
    rest, admin = Settings().port, Settings().admin_port
    assert IMAGE.all("EXPOSE") == [f"{rest} {rest + 1} {admin}"]
    (program,) = json.loads(IMAGE.all("ENTRYPOINT")[0])
    assert program in PROJECT["project"]["scripts"]
    (command,) = json.loads(IMAGE.all("CMD")[0])
    assert command in subprocess.check_output([sys.executable, "-m", "compose.cli", "--help"], cwd=ROOT, text=True)


def test_what_is_installed_has_every_module(tmp_path: Path) -> None:
    source = tmp_path / "source"
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name, destination in copied():
        target = source / destination
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target, ignore=ignored)
        else:
            shutil.copy(ROOT / name, target)
    installed = tmp_path / "installed"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    quickly = os.environ | {"HEADWATER_KERNEL_OPTIMIZATION": "-O0"}
    subprocess.run([*command, "--target", str(installed), str(source)], check=True, cwd=tmp_path, env=quickly)
    for package in PACKAGES:
        for path in (source / package).rglob("*"):
            if path.suffix in (".py", ".npz", ".xml"):
                assert (installed / path.relative_to(source)).is_file(), path
