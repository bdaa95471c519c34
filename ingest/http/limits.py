"""How much a client may ask for."""

from dataclasses import dataclass

from ingest.deadline import Deadline
from schemas.errors import OverloadedError, UnprocessableError
from schemas.rest.decode import MAX_VALUES, check_density


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds."""

    max_body_bytes: int = 32 << 20
    max_in_flight_bytes: int = 256 << 20
    """Bodies of all requests that are not answered yet."""
    max_record_bytes: int = 4 << 20
    """About where a request is split into several records."""
    body_seconds: float = 60.0
    """How long a client may take to send a body."""
    default_wait_seconds: float = 60.0
    """How long a request may take when the client doesn't say, its waiting for what is not visible yet included."""
    max_wait_seconds: float = 3600.0
    max_results: int = 65_536
    """Points of one page or query, those skipped by its offset included."""
    max_batch_results: int = 4 * 65_536
    """The same of all queries of a batch."""
    max_vector_values: int = 16 << 20
    """Numbers in the vectors of one answer."""
    max_answer_bytes: int = 256 << 20
    """Payloads and vectors of one answer."""
    max_ids: int = 65_536
    """Ids of one retrieve."""
    max_collections: int = 4096
    max_queries: int = 1024
    """Queries of one batch."""

    def deadline(self, asked: int | None, patience: float | None = None) -> Deadline:
        """When the time of a request is up that begins now; the client asked for ``asked`` seconds, 0: as None.

        ``patience``: how many seconds it waits at most.
        """
        # An int may be too large to be made a float, but not to be compared with one.
        seconds = float(min(asked, self.max_wait_seconds)) if asked else self.default_wait_seconds
        return Deadline(seconds if patience is None else min(seconds, patience))

    def check_results(self, limit: int, offset: int, where: str = "limit") -> None:
        """Raise UnprocessableError when a request asks for more points than allowed."""
        if limit + offset > self.max_results:
            raise UnprocessableError(
                f"Validation error in JSON body: [{where}: limit and offset together must be at most "
                f"{self.max_results}, not {limit + offset}]"
            )

    def check_read_body(self, body: bytes) -> None:
        """Raise UnprocessableError when a read's body would take much more memory decoded than it does as text."""
        check_density(body, "a read's body", max(MAX_VALUES, self.max_body_bytes // 8))

    def check_batch_results(self, results: int) -> None:
        """Raise UnprocessableError when a batch's queries ask for more points than allowed."""
        if results > self.max_batch_results:
            raise UnprocessableError(
                f"Validation error in JSON body: [searches: limits and offsets of all together must be at most "
                f"{self.max_batch_results}, not {results}]"
            )

    def check_vector_values(self, values: int) -> None:
        """Raise UnprocessableError when the vectors of an answer would have more numbers than allowed."""
        if values > self.max_vector_values:
            raise UnprocessableError(
                f"Validation error in JSON body: [with_vector: an answer's vectors have at most "
                f"{self.max_vector_values} numbers, not {values}; ask for fewer points or fewer vectors at a time]"
            )


class InFlight:
    """Counts the bytes of bodies being held. For one event loop."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.held = 0

    def take(self, size: int) -> None:
        """Hold ``size`` bytes more. Raises OverloadedError."""
        if self.held + size > self._limit:
            raise OverloadedError("Too many requests are being processed, try again later")
        self.held += size

    def give_back(self, size: int) -> None:
        """Hold ``size`` bytes less."""
        self.held -= size
