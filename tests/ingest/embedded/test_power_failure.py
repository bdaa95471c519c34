"""A power failure during a group's write: any of its sectors may be lost, in any order."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.embedded.tail_scan import SECTOR_BYTES
from tests.ingest.embedded.support import (
    append_each,
    append_together,
    opened,
    segment_files,
    values_in,
    within,
)
from tests.support.examples import tries


def repeated(byte: int, size: int) -> bytes:
    return bytes([byte]) * size


values = st.lists(
    st.builds(repeated, st.sampled_from([0, 0, 7]), st.integers(0, 1500)),
    min_size=1,
    max_size=6,
)


def after_the_failure(synced: bytes, written: bytes, kept: list[bool], size: int) -> bytes:
    """The file as found: what was synced, and those sectors of the rest that reached the disk."""
    found = bytearray(synced.ljust(len(written), b"\0"))
    for number, keep in enumerate(kept, len(synced) // SECTOR_BYTES):
        if keep:
            found[number * SECTOR_BYTES : (number + 1) * SECTOR_BYTES] = written[
                number * SECTOR_BYTES : (number + 1) * SECTOR_BYTES
            ]
    return bytes(found[: max(len(synced), size)])


@settings(max_examples=tries(60), deadline=None)
@given(st.data(), values, values)
def test_what_was_acknowledged_stays_and_the_log_opens(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, acknowledged: list[bytes], in_flight: list[bytes]
) -> None:
    folder: Path = tmp_path_factory.mktemp("log")
    read: list[bytes] = []

    async def write() -> None:
        async with opened(folder) as log:
            await append_each(log, acknowledged)
            read.append(segment_files(folder)[0].read_bytes())
            await append_together(log, in_flight)

    within(write())
    file = segment_files(folder)[0]
    end = 128 + sum([48 + len(value) for value in acknowledged])
    written = file.read_bytes()
    assert not any(read[0][end:])
    synced, room = read[0][:end], len(read[0])
    sectors = (len(written) - 1) // SECTOR_BYTES - len(synced) // SECTOR_BYTES + 1
    kept = data.draw(st.lists(st.booleans(), min_size=sectors, max_size=sectors))
    size = data.draw(st.sampled_from([len(written)]) | st.integers(len(synced), len(written)))
    found_there = after_the_failure(synced, written, kept, size)
    # The room may have reached the disk with the records before, or not.
    file.write_bytes(found_there.ljust(room, b"\0") if data.draw(st.booleans()) else found_there)
    found = values_in(folder)
    everything = acknowledged + in_flight
    assert len(acknowledged) <= len(found) <= len(everything)
    assert found == everything[: len(found)]
    if all(kept) and size == len(written):
        assert found == everything

    async def go_on() -> None:
        async with opened(folder) as log:
            assert await append_each(log, [b"more"]) == [len(found)]

    asyncio.run(go_on())
    assert values_in(folder) == [*found, b"more"]
