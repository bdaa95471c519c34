"""Many rounds for each kind of file: ``python -m tests.damage.long --rounds 100``. Ends with 1 on a failure."""

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.damage.files import EMBEDDED_KINDS
from tests.support.launching import ROOT
from tests.support.seeds import BASE_SEED

ROUND_SECONDS = 300.0


def play(folder: Path, kind: str, seed: int, rounds: int) -> Counter[str]:
    """How many rounds ended how. Raises CalledProcessError, TimeoutExpired."""
    command = [sys.executable, "-m", "tests.damage.rounds", str(folder), "play", kind, str(seed), str(rounds)]
    seconds = ROUND_SECONDS * rounds
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=True)
    outcomes = (line.strip().partition(":")[0] for line in done.stdout.splitlines() if line.startswith("  "))
    return Counter(outcomes)


def main() -> int:
    """Parse the command line and play."""
    parser = argparse.ArgumentParser(prog="python -m tests.damage.long", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=BASE_SEED)
    parser.add_argument("--kind", choices=EMBEDDED_KINDS)
    options = parser.parse_args()
    console = Console(width=160)
    table = Table("damaged", "rounds", "right, or made again", "refused with the remedy")
    with tempfile.TemporaryDirectory(prefix="headwater-damage-") as temporary:
        folder = Path(temporary)
        subprocess.run([sys.executable, "-m", "tests.damage.rounds", str(folder), "make"], cwd=ROOT, check=True)
        for kind in [options.kind] if options.kind else EMBEDDED_KINDS:
            try:
                found = play(folder, kind, options.seed, options.rounds)
            except subprocess.CalledProcessError as failure:
                said = f"{failure.stdout[-1000:]}{failure.stderr[-4000:]}"
                console.print(f"FAILED ({kind}, --seed {options.seed}): {said}", style="bold red", markup=False)
                return 1
            table.add_row(kind, str(options.rounds), str(found["right"]), str(found["refused"]))
            console.print(f"{kind}: {dict(found)}")
    console.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
