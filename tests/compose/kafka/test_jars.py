"""What is missing is said, with how to install it."""

from pathlib import Path

import pytest

from compose.kafka.jars import FetchError, MissingToolError, cache_folder, find_java, kafka_jars
from tests.support.kafka import missing_kafka


def program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.fixture(autouse=True)
def _nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_no_java() -> None:
    with pytest.raises(MissingToolError, match=r"Java was not found.*apt install openjdk-17"):
        find_java()


def test_java_is_too_old(tmp_path: Path) -> None:
    program(tmp_path / "bin", "java", "echo 'openjdk version \"11.0.2\" 2019-01-15' >&2")
    with pytest.raises(MissingToolError, match=r'says: openjdk version "11.0.2".*Java 17 or newer'):
        find_java()


def test_java_home_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "bin", "java", "echo 'openjdk version \"11\"' >&2")
    program(tmp_path / "home" / "bin", "java", "echo 'openjdk version \"21\" 2023-09-19' >&2")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    assert find_java() == tmp_path / "home" / "bin" / "java"
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(MissingToolError, match="not found in JAVA_HOME"):
        find_java()


def test_no_maven() -> None:
    with pytest.raises(MissingToolError, match=r"Maven.*was not found.*apt install maven"):
        kafka_jars()


def test_maven_fails(tmp_path: Path) -> None:
    program(tmp_path / "bin", "mvn", "echo no network; exit 1")
    with pytest.raises(FetchError, match="no network"):
        kafka_jars()
    assert not cache_folder().exists()


def test_jars_are_fetched_once(tmp_path: Path) -> None:
    into = 'for a in "$@"; do case "$a" in -DoutputDirectory=*) out="${a#*=}";; esac; done'
    program(tmp_path / "bin", "mvn", f'PATH=/usr/bin:/bin; {into}; mkdir -p "$out"; touch "$out/kafka_2.13.jar"')
    folder = kafka_jars()
    assert [path.name for path in folder.iterdir()] == ["kafka_2.13.jar"]
    program(tmp_path / "bin", "mvn", "exit 1")
    assert kafka_jars() == folder
    assert {path.name for path in folder.parent.iterdir()} == {folder.name, "fetching.lock"}


def test_on_ci_what_is_missing_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no Java"):
        missing_kafka(MissingToolError("no Java"))
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match="no Java"):
        missing_kafka(MissingToolError("no Java"))
