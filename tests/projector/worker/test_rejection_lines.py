"""What a projector logs of rejected records."""

from structlog.testing import capture_logs

from ingest.log import LogRecord
from projector.worker.rejection_lines import RejectionLines
from schemas.operations import Outcome


def record(offset: int) -> LogRecord:
    return LogRecord(3, offset, 0, None, b"x", ())


def test_a_line_in_a_while_says_how_many_there_were() -> None:
    outcomes = [Outcome(), Outcome("no good", 400)]
    with capture_logs() as lines:
        seldom, always = RejectionLines(3, line_seconds=3600.0), RejectionLines(3, line_seconds=0.0)
        for offset in range(100):
            seldom.note(record(offset), outcomes)
        assert len(lines) == 1
        assert (lines[0]["partition"], lines[0]["offset"], lines[0]["reason"]) == (3, 0, "no good")
        always.note(record(7), outcomes)
        always.note(record(8), outcomes)
    assert [line["offset"] for line in lines] == [0, 7, 8]
