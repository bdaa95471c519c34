"""Foreign records: what producers put on the points topic that is not a canonical record (docs/log-format.md).

JSON as Qdrant's Kafka sink connector takes it, the JSON bodies of the REST write endpoints with ``collection_name``
added, and tombstones. They name a collection by its name, and may land in any partition.
"""

from ingest.foreign.decode import decode_foreign
from ingest.foreign.destination import Destination
from ingest.foreign.unknown import look_at
from ingest.foreign.writes import ForeignWrite

__all__ = [
    "Destination",
    "ForeignWrite",
    "decode_foreign",
    "look_at",
]
