"""What of topics' settings would lose records: the rules, for clusters of any size."""

import pytest

from ingest.kafka.topic_settings import faults, sure_replicas
from ingest.log import Topic
from tests.ingest.kafka.support import LOSSLESS

NAMES = {topic: f"t.{topic}" for topic in Topic}
GOOD = LOSSLESS | {"max.message.bytes": str(1 << 20), "unclean.leader.election.enable": "false"}


def found(replicas: int, **in_sync: str) -> list[str]:
    """``in_sync``: the setting of the topics that are named."""
    configs = {name: GOOD | {"min.insync.replicas": in_sync.get(topic, "2")} for topic, name in NAMES.items()}
    configs[NAMES[Topic.REJECTED]]["max.message.bytes"] = str(2 << 20)
    return list(faults(NAMES, configs, dict.fromkeys(Topic, replicas)))


@pytest.mark.parametrize("replicas", [2, 3, 5])
def test_a_record_that_one_broker_has_is_not_acknowledged(replicas: int) -> None:
    assert found(replicas) == []
    (fault,) = found(replicas, points="1")
    assert "acknowledge records that only one broker has" in fault
    assert fault.endswith("--entity-name t.points --add-config min.insync.replicas=2")
    (fault,) = found(replicas, catalog="1")
    assert fault.startswith("t.catalog has min.insync.replicas=1")


def test_no_state_depends_on_the_rejected_topic() -> None:
    assert found(3, rejected="1") == []


def test_more_replicas_than_there_are_take_nothing() -> None:
    every = found(1)
    assert len(every) == len(Topic)
    assert all("nothing can be written" in fault and "min.insync.replicas=1" in fault for fault in every)


def test_what_is_created_is_right() -> None:
    for replicas in range(1, 6):
        value = str(sure_replicas(replicas))
        assert found(replicas, **dict.fromkeys(map(str, Topic), value)) == []
