"""For how long an event loop is held up while a partition is opened, a read of the log applied, a tail spilled.

python -m bench.stalls [--points 100000]

A task on the loop asks for its turn all the time; the longest that it waited for it is what is told, in seconds, and how
long the work took.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path

import numpy as np
import uvloop

from ingest.log import LogRecord, Topic
from projector.folders import StateFolder
from projector.recovery import open_views
from projector.runner import PartitionRunner, ignore_frame
from projector.segments.builder import SegmentBuilder
from projector.segments.policy import Plan
from projector.segments.replacement import Replacement
from projector.segments.shard_work import begin_work
from projector.state.store import PartitionState
from schemas.config import CollectionConfig, Distance, VectorParams
from schemas.ids import PointId
from schemas.operations import PointsBlock, Upsert
from schemas.records import PointsRecord, ShardOpened, encode_record
from tests.support.memory_log import MemoryLog

DIM = 100
RECORD_POINTS = 20
