"""What a record counts for in bounds on memory: nothing of it is free."""

from ingest.log import Headers, LogRecord


def size(value: bytes | None = None, key: bytes | None = None, headers: Headers = ()) -> int:
    return LogRecord(0, 0, 0, key, value, headers).size


def test_everything_counts() -> None:
    assert size() >= 200
    assert size(bytes(1000)) == size() + 1000
    assert size(None, bytes(1000)) == size() + 1000
    assert size(b"v", b"k", (("name", b"value"),)) > size(b"v", b"k") + len("name") + len("value")
    assert size(headers=(("a", b""),) * 10) >= size() + 10 * 100
