"""The bytes on the disk, as docs/embedded-log.md has them. A change here is a new format version."""

import uuid
from pathlib import Path

from ingest.embedded.frames import NewRecord, encode_frame
from ingest.embedded.segment_file import NO_PREVIOUS, SegmentHeader
from tests.ingest.embedded.support import values_in

IDENTITY = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")
FILE_HEADER = (
    "48574c4f47534547 f85b99e6 01000000 00112233445566778899aabbccddeeff 0000000000000000 efbeadde 00000000"
    "ffffffffffffffff 0000000000000000 0068e5cf8b010000" + "00" * 24 + "706f696e74732d30" + "00" * 24
)
FRAME = (
    "9b4857f5 6799d521 01 03 0100 0000000000000000 0168e5cf8b010000 00000000 0b000000 01000000 05000000 1cab4718"
    "0400 6e616d65 01000000 68 6b 76616c7565"
)
IDENTITY_JSON = """{
  "format": "headwater-log",
  "version": 1,
  "identity": "00112233-4455-6677-8899-aabbccddeeff",
  "partitions": {
    "catalog": 1,
    "points": 1,
    "rejected": 1
  }
}
"""


def header(name: str) -> bytes:
    return SegmentHeader(IDENTITY, name, 0, 0xDEADBEEF, 1_700_000_000_000, NO_PREVIOUS, 0).encode()


def test_file_header() -> None:
    assert header("points-0").hex() == FILE_HEADER.replace(" ", "")


def test_frame() -> None:
    record = NewRecord(1_700_000_000_001, b"k", b"value", (("name", b"h"),))
    assert b"".join(encode_frame(record, 0, 0, 0xDEADBEEF)).hex() == FRAME.replace(" ", "")


def test_a_folder_of_version_1_is_read(tmp_path: Path) -> None:
    (tmp_path / "identity.json").write_text(IDENTITY_JSON)
    for name in ("catalog-0", "points-0", "rejected-0"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "00000000000000000000.log").write_bytes(header(name))
    with (tmp_path / "points-0" / "00000000000000000000.log").open("ab") as file:
        file.write(bytes.fromhex(FRAME))
    for read_only in (True, False):
        assert values_in(tmp_path, read_only=read_only) == [b"value"]
