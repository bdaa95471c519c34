"""The formats of docs/segment-files.md, byte for byte: a change here is a change of version."""

import struct
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
from crc32c import crc32c

from projector.segments.flat_file import FlatFileWriter
from projector.segments.manifest import Manifest, SegmentEntry, write_manifest
from schemas.ids import PointId
from tests.projector.segments.samples import samples, segment_of, uuid


def test_a_flat_file(tmp_path: Path) -> None:
    with FlatFileWriter(tmp_path / "f") as file:
        file.put("a", np.array([1, 2], np.uint32))
        file.put("b", b"xyz")
        file.finish("segment", {"x": 1})
    a, b = bytes.fromhex("0100000002000000"), b"xyz"
    sections = f'{{"a":[64,8,{crc32c(a)}],"b":[128,3,{crc32c(b)}]}}'
    directory = f'{{"version":1,"kind":"segment","sections":{sections},"meta":{{"x":1}}}}'.encode()
    trailer = struct.pack("<QII", 192, len(directory), crc32c(directory)) + bytes.fromhex("0a4857464c454e44")
    expected = bytes.fromhex("4857464c4154010a").ljust(64, b"\0") + a.ljust(64, b"\0") + b.ljust(64, b"\0")
    assert (tmp_path / "f").read_bytes() == expected + directory + trailer


def test_a_manifest(tmp_path: Path) -> None:
    write_manifest(tmp_path, Manifest(5, 3, [SegmentEntry("s1", 3, b"\x05"), SegmentEntry("s2", 9)], usable_from=7))
    data = (tmp_path / "manifest").read_bytes()
    body = data[16:]
    assert data[:16] == bytes.fromhex("48574d414e49460a") + struct.pack("<II", len(body), crc32c(body))
    assert msgspec.msgpack.decode(body) == {
        "version": 1,
        "offset": 5,
        "next_number": 3,
        "usable_from": 7,
        "segments": [{"name": "s1", "size": 3, "dead": b"\x05"}, {"name": "s2", "size": 9, "dead": b""}],
    }


def test_a_segments_sections(tmp_path: Path) -> None:
    segment = segment_of(tmp_path / "s", samples([PointId(3), uuid(258), PointId(2)]))
    data = (segment.folder / "segment.flat").read_bytes()
    start, length, _ = struct.unpack("<QII", data[-24:-8])
    directory = msgspec.json.decode(data[start : start + length])

    def section(name: str) -> bytes:
        offset, size, crc = directory["sections"][name]
        found = data[offset : offset + size]
        assert offset % 64 == 0
        assert crc32c(found) == crc
        return found

    assert section("numbers") == struct.pack("<2Q", 2, 3)
    assert section("uuids") == bytes(14) + b"\x01\x02"
    assert section("versions") == struct.pack("<3Q", 1, 1, 1)
    ends = struct.unpack("<4Q", section("payload_offsets"))
    payloads = [section("payloads")[a:b] for a, b in pairwise(ends)]
    assert payloads == [segment.payload_at(slot) for slot in range(3)]
    assert (directory["meta"]["numbers"], directory["meta"]["uuids"]) == (2, 1)
    columns = msgspec.json.decode(section("columns"))
    assert columns["complete"] is True
    assert {tuple(c["path"]) for c in columns["columns"]} == {("n",), ("city",), ("tags",)}
