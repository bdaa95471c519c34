"""The programs in other languages: what each is built of and with."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.clients import cargo

HERE = Path(__file__).parent
Command = list[str]


@dataclass(frozen=True)
class Program:
    """A folder beside this file whose program takes a port and tells each snippet that did what it says."""

    language: str
    tools: tuple[str, ...]
    """Commands that must be there."""
    pins: tuple[str, ...]
    """Files that say which versions of what are fetched."""
    fetch: Callable[[Path], list[Command]]
    """What brings dependencies into a folder that has the sources."""
    build: Callable[[Path], list[Command]]
    """What builds, with nothing but what was fetched."""
    run: Callable[[Path], Command]
    """What starts the program; the port follows."""
    rest: bool = False
    """Whether it speaks REST rather than gRPC."""

    @property
    def sources(self) -> Path:
        """The folder in the repository."""
        return HERE / self.language


def _cargo_fetch(folder: Path) -> list[Command]:
    return [
        ["cargo", "generate-lockfile", "--quiet"],
        cargo.restoring(folder),
        ["cargo", "fetch", "--quiet", "--locked"],
    ]


def _javac(folder: Path) -> list[Command]:
    sources = sorted(str(path.relative_to(folder)) for path in folder.glob("src/**/*.java"))
    return [["javac", "-Xlint:all,-processing", "-Werror", "-cp", "target/jars/*", "-d", "target/classes", *sources]]


RUST = Program(
    "rust",
    tools=("cargo", "cc"),
    pins=("Cargo.toml", "Cargo.lock.in"),
    fetch=_cargo_fetch,
    build=lambda folder: [["cargo", "build", "--quiet", "--locked", "--offline"]],
    run=lambda folder: [str(folder / "target/debug/snippets")],
)
GO = Program(
    "go",
    tools=("go",),
    pins=("go.mod", "go.sum"),
    fetch=lambda folder: [["go", "mod", "download"]],
    build=lambda folder: [["go", "build", "-o", "target/snippets", "."]],
    run=lambda folder: [str(folder / "target/snippets")],
)
JAVA = Program(
    "java",
    tools=("javac", "java", "mvn"),
    pins=("pom.xml",),
    fetch=lambda folder: [
        ["mvn", "--batch-mode", "--quiet", "dependency:copy-dependencies", "-DoutputDirectory=target/jars"]
    ],
    build=_javac,
    run=lambda folder: ["java", "-cp", f"{folder}/target/jars/*:{folder}/target/classes", "snippets.Main"],
)
TYPESCRIPT = Program(
    "typescript",
    tools=("node", "npm"),
    pins=("package.json", "package-lock.json"),
    fetch=lambda folder: [["npm", "ci", "--no-audit", "--no-fund"]],
    build=lambda folder: [["node_modules/.bin/tsc"]],
    run=lambda folder: ["node", str(folder / "target/main.js")],
    rest=True,
)

PROGRAMS = (RUST, GO, JAVA, TYPESCRIPT)
