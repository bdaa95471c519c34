"""Finding Java and fetching the broker's jars: once, by Maven, into the user's cache folder."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

POM = Path(__file__).with_name("pom.xml")
JAVA_VERSION = 17
FETCH_SECONDS = 600.0
_CLIP = 2000


class MissingToolError(Exception):
    """Something that has to be installed first; the message says what and how."""


class FetchError(Exception):
    """Maven could not bring the jars; the message ends with the last it wrote."""


def find_java() -> Path:
    """Java 17 or newer: that of JAVA_HOME, else the one on the path. Raises MissingToolError."""
    advice = (
        f"A Kafka broker takes Java {JAVA_VERSION} or newer (on Debian and Ubuntu: apt install "
        f"openjdk-{JAVA_VERSION}-jre-headless; on macOS: brew install openjdk@{JAVA_VERSION}, and set JAVA_HOME)."
    )
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    if found is None:
        raise MissingToolError(f"Java was not found{f' in JAVA_HOME, {home}' if home else ''}. {advice}")
    written = subprocess.run([found, "-version"], capture_output=True, text=True, check=False)
    version = re.search(r'version "(\d+)', written.stderr + written.stdout)
    if written.returncode or version is None or int(version[1]) < JAVA_VERSION:
        said = (written.stderr or written.stdout).strip().splitlines()
        raise MissingToolError(f"{found} says: {said[0] if said else 'nothing'}. {advice}")
    return Path(found)


def cache_folder() -> Path:
    """Where jars are kept: one folder for each content of pom.xml."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "headwater" / f"kafka-{hashlib.sha256(POM.read_bytes()).hexdigest()[:16]}"


def kafka_jars() -> Path:
    """The folder that holds the broker's jars; Maven fetches them when they aren't there yet (about 45 MB).

    Raises MissingToolError, FetchError.
    """
    folder = cache_folder()
    if folder.is_dir():
        return folder
    maven = shutil.which("mvn")
    if maven is None:
        raise MissingToolError(
            "Maven, which fetches Kafka's jars, was not found (on Debian and Ubuntu: apt install maven; "
            "on macOS: brew install maven)."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "fetching.lock").open("w") as lock:
        # One at a time: Maven's own repository doesn't take two well.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetching-") as temporary:
                fetched = Path(temporary) / "jars"
                _run_maven(maven, fetched)
                fetched.rename(folder)
    return folder


def _run_maven(maven: str, into: Path) -> None:
    command = [maven, "--batch-mode", "--quiet", "--no-transfer-progress", "--file", str(POM)]
    command += ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={into}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise FetchError(f"Maven did not bring Kafka's jars in {FETCH_SECONDS:.0f} s; is the network slow?") from None
    if done.returncode or not any(into.glob("kafka_*.jar")):
        raise FetchError(f"Maven could not bring Kafka's jars:\n{(done.stdout + done.stderr)[-_CLIP:]}")
