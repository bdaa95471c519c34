"""A file that is uploaded as a form, as its pieces come."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from python_multipart import MultipartParser
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import parse_options_header

from compose.snapshots.answering import Background
from compose.snapshots.folder import SnapshotsRoot
from ingest.http.endpoint import Call, Reply
from ingest.http.head import RawHeaders, find_header
from schemas.errors import BadInputError, HeadwaterError

FIELD = "snapshot"


class NotAFormError(HeadwaterError):
    """The body is no form."""

    status = 415


async def receive_upload(
    call: Call, root: SnapshotsRoot, background: Background, restore: Callable[[Path], Awaitable[bool]]
) -> Reply:
    """Take an uploaded file, then ``restore`` from it. Raises as ``receive_form_file``, and what ``restore`` does."""
    with contextlib.ExitStack() as stack:
        path = stack.enter_context(root.temporary())
        await receive_form_file(call.headers, call.pieces, path)
        kept = stack.pop_all()

    async def work() -> bool:
        with kept:
            return await restore(path)

    return await background.run(call, work)


async def receive_form_file(headers: RawHeaders, pieces: AsyncIterator[bytes], path: Path) -> None:
    """Write what the field ``snapshot`` of a form has to ``path``. Raises NotAFormError, BadInputError, OSError."""
    kind, options = parse_options_header(find_header(headers, b"content-type") or b"")
    boundary = options.get(b"boundary")
    if not kind.startswith(b"multipart/"):
        raise NotAFormError("Parsed Content-Type did not have 'multipart' top-level media type")
    if not boundary:
        raise BadInputError("Bad request: the form's Content-Type has no boundary")
    part = _Part()
    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": part.begin,
            "on_header_field": part.header_name,
            "on_header_value": part.header_value,
            "on_header_end": part.header_end,
            "on_part_data": part.data,
        },
    )
    try:
        with path.open("wb") as file:
            async for piece in pieces:
                parser.write(piece)
                if part.found:
                    await asyncio.to_thread(file.write, b"".join(part.found))
                    part.found.clear()
            parser.finalize()
    except MultipartParseError as error:
        raise BadInputError(f"Bad request: the form can't be read: {error}") from error
    if not part.seen:
        raise BadInputError(f"Bad request: the form has no field `{FIELD}`")


class _Part:
    """The part of the form that the parser is in. ``found``: what came of the field since it was cleared."""

    def __init__(self) -> None:
        self.found: list[bytes] = []
        self.seen = False
        self._wanted = False
        self._name = b""
        self._value = b""

    def begin(self) -> None:
        self._wanted = False

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            _, options = parse_options_header(self._value)
            self._wanted = options.get(b"name") == FIELD.encode()
            self.seen = self.seen or self._wanted
        self._name, self._value = b"", b""

    def data(self, data: bytes, start: int, end: int) -> None:
        if self._wanted:
            self.found.append(data[start:end])
