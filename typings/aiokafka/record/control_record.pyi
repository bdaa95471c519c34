class ControlRecord:
    @classmethod
    def parse(cls, data: bytes) -> ControlRecord: ...

ABORT_MARKER: ControlRecord
COMMIT_MARKER: ControlRecord
