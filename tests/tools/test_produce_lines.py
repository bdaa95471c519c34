"""JSON lines to messages: which lines there are, what is sent for them, with which key, and where."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.produce.lines import LineError, LineParser, LineSplitter
from ingest.produce.partitioner import KEYLESS_PARTITION, partition_of


@given(st.lists(st.binary(max_size=8).map(lambda b: b.replace(b"\n", b"x")), max_size=12), st.data())
def test_lines_are_the_same_however_they_come(lines: list[bytes], data: st.DataObject) -> None:
    text = b"\n".join(lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    splitter = LineSplitter()
    found: list[tuple[int, bytes]] = []
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        if start < end:
            found += splitter.feed(text[start:end])
    found += splitter.finish()
    text = text.removeprefix(b"\xef\xbb\xbf")
    expected = enumerate((line.strip() for line in text.split(b"\n")), 1)
    assert found == [(number, line) for number, line in expected if line]


def test_a_line_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.produce.lines.MAX_LINE_BYTES", 10)
    splitter = LineSplitter()
    assert list(splitter.feed(b"a\nbcd")) == [(1, b"a")]
    with pytest.raises(LineError, match="line 2: more than 10 bytes"):
        list(splitter.feed(b"x" * 10))


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (b'{"collection_name":"c","id":7}', b"7"),
        (b'{"collection_name":"c","id":"\\u00e4b"}', "äb".encode()),
        (b'{"collection_name":"c","id":null}', None),
        (b'{"collection_name":"c"}', None),
        (b'{"collection_name":"c","id":{"a": [1]}}', b'{"a": [1]}'),
    ],
)
def test_keys(line: bytes, key: bytes | None) -> None:
    message = LineParser(None, "id").message(1, line)
    assert (message.value, message.key) == (line, key)


def test_another_field_as_key() -> None:
    line = b'{"collection_name":"c","id":7,"user":"me"}'
    assert LineParser(None, "user").message(1, line).key == b"me"
    assert LineParser(None, "collection_name").message(1, line).key == b"c"
    assert LineParser("d", "collection_name").message(1, b"{}").key is None


@pytest.mark.parametrize("line", [b"{}", b"{ }", b'{"id":1}', b'{ "id" : 1 }', b'{"collection_name":"own","id":1}'])
def test_a_collection_for_lines_without(line: bytes) -> None:
    message = LineParser('a"b', "id").message(1, line)
    assert message.value is not None
    assert json.loads(message.value) == {"collection_name": 'a"b', **json.loads(line)}
    assert message.headers == (("content-type", b"application/json"),)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"[1]", "line 9: it is not a JSON object$"),
        (b"nonsense", "line 9: it is not a JSON object$"),
        (b'{"id": 1', "line 9: it is not a JSON object: .*truncated"),
        (b'{"id": nan, "collection_name": "c"}', "not a JSON object: "),
        (b'{"id":' + b"[" * 100_000, "not a JSON object: "),
        (b'{"id":1}', "line 9: it has no collection_name, and no --collection"),
        (b'{"collection_name":"c","id":"\xff"}', "line 9: it is not a JSON object: "),
        (b'{"collection_name":"c","id":"\\ud800"}', "line 9: it is not a JSON object: "),
        (b'{"collection_name":"c","id":"\\udc00a"}', "line 9: it is not a JSON object: "),
    ],
)
def test_what_is_no_record(line: bytes, reason: str) -> None:
    with pytest.raises(LineError, match=reason):
        LineParser(None, "id").message(9, line)


@pytest.mark.parametrize(
    ("key", "hashed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_partitions_are_those_of_kafka_clients(key: bytes, hashed: int) -> None:
    # The hashes that Kafka's own client must give for these keys.
    assert partition_of(key, 1000) == (hashed & 0x7FFFFFFF) % 1000
    assert partition_of(None, 1000) == KEYLESS_PARTITION
