"""What a worker measures of its partitions."""

from prometheus_client import Gauge

_PARTITION = ["topic", "partition"]

LAG = Gauge("headwater_lag_records", "Offsets on the log that are not applied, as of the last second", _PARTITION)
CATCH_UP_REMAINING = Gauge("headwater_catch_up_remaining", "Offsets left of what was there at the opening", _PARTITION)
OPEN_PARTITIONS = Gauge("headwater_open_partitions", "Partitions whose state this worker has open", ["topic"])
