"""The broker's settings: one KRaft node that is broker and controller, on this machine alone."""

from pathlib import Path

HOST = "127.0.0.1"


def server_properties(data: Path, port: int, controller_port: int) -> str:
    """The text of server.properties.

    Topics are never made by asking for them: one that was made so would have a finite retention. Internal topics
    are small, since each of their partitions costs files and time to start. A broker that nobody asks writes to its
    metadata every ten seconds rather than twice a second, which is for others to see that it is there.
    """
    settings: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.bootstrap.servers": f"{HOST}:{controller_port}",
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": data,
        "auto.create.topics.enable": "false",
        "default.replication.factor": 1,
        "min.insync.replicas": 1,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "share.coordinator.state.topic.num.partitions": 1,
        "group.initial.rebalance.delay.ms": 0,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "log.cleaner.dedupe.buffer.size": 4 << 20,
        "log.cleaner.threads": 1,
        "metadata.max.idle.interval.ms": 10_000,
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())
