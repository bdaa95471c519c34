"""A projector as far as the feed sees it: writes frames of growing offsets until it is killed.

    python -m tests.projector.feed.writer_process FOLDER STATE

STATE is a file with the applied offset. It is written before the frame, as the state is, and survives a kill.
"""

import os
import sys
import time
from pathlib import Path

from projector.feed import FeedWriter
from projector.frames import Frame
from tests.projector.feed.sample import IDENTITY, frame

FILE_BYTES = 20_000
KEPT = 400
"""How far behind the applied offset the segments are."""


def main(folder: Path, state: Path) -> None:
    """Go on where ``state`` says."""
    applied = int.from_bytes(state.read_bytes(), "big") - 1 if state.exists() else -1
    covered = applied - KEPT
    descriptor = os.open(state, os.O_WRONLY | os.O_CREAT, 0o644)
    with FeedWriter(folder, 0, IDENTITY, covered, file_bytes=FILE_BYTES) as writer:
        sequence = 0
        for offset in range(max(0, covered + 1), applied + 1):
            writer.write(_frame(sequence, offset))
            sequence += 1
        while True:
            applied += 1
            os.pwrite(descriptor, (applied + 1).to_bytes(8, "big"), 0)
            writer.write(_frame(sequence, applied))
            sequence += 1
            if applied % 100 == 0:
                writer.cut(applied - KEPT)
                time.sleep(0.001)


def _frame(sequence: int, offset: int) -> Frame:
    return frame(sequence, offset, size=10 + offset % 50)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
