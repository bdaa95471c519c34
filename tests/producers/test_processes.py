"""The producers alone: what they are given arrives, byte for byte, where they say, keys in one order."""

from collections.abc import Callable

import pytest

from compose.kafka import KafkaBroker, MissingToolError
from ingest.kafka import KafkaLog, KafkaSettings
from ingest.log import LogRecord, Topic
from tests.ingest.log_contract import read_all, within
from tests.producers.messages import Ack, Message, from_line, to_line
from tests.producers.processes import JavaProducer, LineProducer, ProducerError, PythonProducer
from tests.support.kafka import missing_kafka, settings_for

PARTITIONS = 3
Start = Callable[[KafkaBroker, KafkaSettings], LineProducer]
MESSAGES = [
    Message(None, b'{"id": 1}'),
    Message(b"key", None, (("collection_name", b"words"),)),
    Message(b"", b""),
    Message(None, b""),
    Message(
        b"\x00\xff\t\n", b"\xff\xfe\t\r\n\x00", (("content-type", b"a/b"), ("content-type", b"=\xff"), ("no", b""))
    ),
    Message(b"large", bytes(range(256)) * 8000),
]


def start_java(broker: KafkaBroker, settings: KafkaSettings) -> LineProducer:
    try:
        return JavaProducer(broker.bootstrap, settings.topic(Topic.POINTS))
    except MissingToolError as error:
        missing_kafka(error)
        raise


def start_python(broker: KafkaBroker, settings: KafkaSettings) -> LineProducer:
    return PythonProducer(broker.bootstrap, settings.topic(Topic.POINTS))


either = pytest.mark.parametrize("start", [start_java, start_python])


def records_of(settings: KafkaSettings) -> dict[Ack, LogRecord]:
    """Every record of the points topic, by where it is."""
    found: dict[Ack, LogRecord] = {}

    async def read() -> None:
        log = await KafkaLog.open(settings)
        for partition in range(PARTITIONS):
            for record in await read_all(log, partition=partition, max_bytes=1 << 20):
                found[Ack(partition, record.offset)] = record
        await log.close()

    within(read())
    return found


@pytest.fixture
def settings(kafka_broker: KafkaBroker) -> KafkaSettings:
    settings = settings_for(kafka_broker, partitions=PARTITIONS)
    records_of(settings)  # creates the topics
    return settings


@pytest.mark.parametrize("message", MESSAGES)
def test_a_line_holds_any_message(message: Message) -> None:
    line = to_line(message)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert from_line(line) == message


@pytest.mark.kafka
@either
def test_what_is_sent_arrives_as_it_was(kafka_broker: KafkaBroker, settings: KafkaSettings, start: Start) -> None:
    with start(kafka_broker, settings) as producer:
        assert [producer.send(message) for message in MESSAGES] == list(range(len(MESSAGES)))
        acks = producer.finish()
    found = records_of(settings)
    assert sorted(acks) == sorted(found)
    assert [Message(r.key, r.value, r.headers) for r in (found[ack] for ack in acks)] == MESSAGES


@pytest.mark.kafka
@either
def test_a_key_has_one_partition_and_keeps_its_order(
    kafka_broker: KafkaBroker, settings: KafkaSettings, start: Start
) -> None:
    messages = [Message(b"%d" % (i % 20), b"%d" % i) for i in range(2000)]
    with start(kafka_broker, settings) as producer:
        acks = producer.send_all(messages)
        assert producer.acks() == dict(enumerate(acks))
        assert producer.send_all([messages[0]]) == [Ack(acks[0].partition, max(acks_of(acks, acks[0].partition)) + 1)]
    for key in range(20):
        assert len({ack.partition for ack in acks[key::20]}) == 1
        assert acks[key::20] == sorted(acks[key::20])
    assert {ack.partition for ack in acks} == set(range(PARTITIONS))


def acks_of(acks: list[Ack], partition: int) -> list[int]:
    return [ack.offset for ack in acks if ack.partition == partition]


@pytest.mark.kafka
def test_both_put_a_key_into_the_same_partition(kafka_broker: KafkaBroker, settings: KafkaSettings) -> None:
    messages = [Message(b"key %d" % i, b"") for i in range(50)]
    partitions: list[list[int]] = []
    for start in (start_java, start_python):
        with start(kafka_broker, settings) as producer:
            partitions.append([ack.partition for ack in producer.send_all(messages)])
    assert partitions[0] == partitions[1]


@pytest.mark.kafka
@pytest.mark.slow
@either
def test_a_broker_that_is_killed_meanwhile(own_broker: KafkaBroker, start: Start) -> None:
    settings = settings_for(own_broker, partitions=PARTITIONS)
    records_of(settings)
    messages = [Message(b"%d" % (i % 7), b"%d" % i) for i in range(600)]
    with start(own_broker, settings) as producer:
        first = producer.send_all(messages[:200])
        own_broker.kill()
        for message in messages[200:400]:
            producer.send(message)
        own_broker.restart()
        for message in messages[400:]:
            producer.send(message)
        acks = producer.finish()
    assert acks[:200] == first
    found = records_of(settings)
    assert len(found) == len(messages), "each is there once"
    assert [found[ack].value for ack in acks] == [message.value for message in messages]
    for key in range(7):
        assert acks[key::7] == sorted(acks[key::7])


@pytest.mark.kafka
@either
def test_a_producer_that_is_gone_says_so(kafka_broker: KafkaBroker, settings: KafkaSettings, start: Start) -> None:
    with start(kafka_broker, settings) as producer:
        producer.send_all(MESSAGES[:1])
        too_large = Message(None, bytes(40 << 20))
        with pytest.raises(ProducerError, match=r"(?i)large"):
            producer.send_all([too_large])
