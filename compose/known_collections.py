"""Which collections there are, for a command that has nothing but the log."""

from ingest.log import Log, Topic
from projector.catalog.fold import fold_catalog
from projector.catalog.state import CatalogState
from schemas.errors import BadInputError
from schemas.records import decode_catalog_record

_READ_BYTES = 1 << 20


async def catalog_on(log: Log) -> CatalogState | None:
    """The catalog as the log has it now; None where the log was shortened and no longer says it.

    Raises LogUnavailableError, LogDamagedError.
    """
    if await log.start_offset(Topic.CATALOG, 0):
        return None
    state, offset = CatalogState(), 0
    while records := await log.read(Topic.CATALOG, 0, offset, _READ_BYTES):
        for record in records:
            try:
                state = fold_catalog(state, decode_catalog_record(record.value or b"")).state
            except BadInputError:
                continue  # rejected by who folds it, too
        offset = records[-1].offset + 1
    return state
