"""What REST has behind the path: fields of the requests themselves."""

from typing import Any, ClassVar

from google.protobuf.message import Message

from ingest.http.query import NO_PARAMS, Params
from schemas.errors import UnprocessableError


class CallParameters:
    """Those of one kind of request."""

    FIELDS: ClassVar = ("wait", "ordering", "timeout", "read_consistency")

    def __init__(self, request: type[Message], writes: bool, waits: bool) -> None:
        """``writes``: it changes points, where a timeout of 0 is as none; ``waits``: it is waited for by default."""
        fields = request.DESCRIPTOR.fields_by_name
        self._has_wait, self._has_timeout = "wait" in fields, "timeout" in fields
        self._writes = writes
        self._unasked = Params(wait=True) if waits else NO_PARAMS

    def read(self, message: Any) -> Params:
        """What a request asks for. Raises UnprocessableError."""
        wait: bool | None = message.wait if self._has_wait and message.HasField("wait") else None
        timeout: int | None = message.timeout if self._has_timeout and message.HasField("timeout") else None
        if wait is None and timeout is None:
            return self._unasked
        if timeout == 0 and not self._writes:
            raise UnprocessableError("Validation error in JSON body: [timeout: value 0 invalid, must be 1 or larger]")
        return Params(wait=self._unasked.wait if wait is None else wait, declined=wait is False, timeout=timeout)
