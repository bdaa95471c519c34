"""Whether Kafka answers: told once when it goes, and once when it is back."""

from structlog.testing import capture_logs

from ingest.kafka.reachability import REACHABLE, Reachability


def reachable() -> float:
    (sample,) = next(iter(REACHABLE.collect())).samples
    return sample.value


def test_it_is_told_once_when_it_goes_and_once_when_it_is_back() -> None:
    reachability = Reachability("there:9092", gone_seconds=0.0)
    with capture_logs() as lines:
        for _ in range(2):
            reachability.heard()
            assert (reachability.is_gone, reachability.trouble(), reachable()) == (False, "", 1)
            for _ in range(20):
                reachability.failed("nobody there")
            assert (reachability.is_gone, reachable()) == (True, 0)
            assert reachability.trouble().startswith("Kafka at there:9092 has not answered for ")
        reachability.heard()
    assert [line["event"] for line in lines] == ["Kafka can't be reached", "Kafka is back"] * 2
    assert lines[0]["reason"] == "nobody there"
    assert lines[1]["gone_seconds"] >= 0


def test_a_connection_that_breaks_now_and_then_is_nothing_to_tell() -> None:
    reachability = Reachability("there:9092", gone_seconds=3600.0)
    with capture_logs() as lines:
        for _ in range(20):
            reachability.failed("nobody there")
        assert not reachability.is_gone
        reachability.heard()
    assert lines == []
