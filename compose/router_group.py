"""The name of the router's consumer group, for those who need nothing else of Kafka."""


def router_group(prefix: str) -> str:
    """The router's consumer group."""
    return f"{prefix}.router"
