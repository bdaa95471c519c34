"""Routes that change points: decode, check, put on the log."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar

import msgspec

from ingest import requests
from ingest.http.endpoint import Call, Endpoint, Handler, Reply
from ingest.http.limits import Limits
from ingest.http.offsets import OFFSETS_HEADER, render_offsets
from ingest.ports import Catalog, CollectionEntry
from ingest.requests import RequestT
from ingest.shard_keys import written
from ingest.strict.writes import StrictWrites
from ingest.writer import PointsWriter, WriteResult
from schemas.config import CollectionConfig
from schemas.errors import BadInputError
from schemas.operations import Operation
from schemas.rest.decode import ParsedBody, decode_body
from schemas.rest.points import (
    DeletePayloadRequest,
    DeleteVectorsRequest,
    SelectorRequest,
    SetPayloadRequest,
    UpdateBatchRequest,
    UpdateOperationRequest,
    UpdateVectorsRequest,
    UpsertRequest,
)
from schemas.rest.responses import UpdateResult

TAG = "Points"
_ROOT = "/collections/{collection_name}/points"
Targets = tuple[CollectionEntry, ...]
_decode_batch = msgspec.json.Decoder(UpdateBatchRequest)


ASIDE_BYTES = 1 << 20
"""Decoding and checking so much takes up to 7 ms, thirty times what handing it to a thread does."""
_INLINE_BYTES = 64 << 10
"""Texts of so many bytes become vectors on the event loop."""
_MODELS = (b'"model"', b"bm25")
"""What is in a body that has texts for a model, as JSON or as a message."""

MadeT = TypeVar("MadeT")
MakePlain = Callable[[CollectionConfig, bytes], Operation | None]
"""Makes the operation, checked, of a body that is as most are; None of others."""


async def _made(make: Callable[[], MadeT], body: bytes | ParsedBody) -> MadeT:
    """What ``make`` makes of a body; on a thread where it takes long, as when texts in it become vectors."""
    text = body.source if isinstance(body, ParsedBody) else body
    if len(text) > ASIDE_BYTES or (len(text) > _INLINE_BYTES and any(model in text for model in _MODELS)):
        return await asyncio.to_thread(make)
    return make()


class PointWriteRoutes:
    """The write routes of points."""

    def __init__(self, catalog: Catalog, writer: PointsWriter, limits: Limits, strict: StrictWrites) -> None:
        self._strict = strict
        self._catalog = catalog
        self._writer = writer
        self._limits = limits

    def endpoints(self) -> list[Endpoint]:
        """One endpoint per kind of operation, and the batch of them."""
        return [
            self._endpoint("PUT", "", "Upsert points", UpsertRequest, requests.upsert, requests.plain_upsert),
            self._endpoint("POST", "/delete", "Delete points", SelectorRequest, requests.delete_points),
            self._endpoint("PUT", "/vectors", "Update vectors", UpdateVectorsRequest, requests.update_vectors),
            self._endpoint("POST", "/vectors/delete", "Delete vectors", DeleteVectorsRequest, requests.delete_vectors),
            self._endpoint("POST", "/payload", "Set payload", SetPayloadRequest, requests.set_payload),
            self._endpoint("PUT", "/payload", "Overwrite payload", SetPayloadRequest, requests.overwrite_payload),
            self._endpoint("POST", "/payload/delete", "Delete payload", DeletePayloadRequest, requests.delete_payload),
            self._endpoint("POST", "/payload/clear", "Clear payload", SelectorRequest, requests.clear_payload),
            Endpoint(
                "POST",
                f"{_ROOT}/batch",
                self._batch,
                "Batch update points",
                TAG,
                result=list[UpdateResult],
                body=UpdateBatchRequest,
                writes=True,
            ),
        ]

    def _endpoint(
        self,
        method: str,
        path: str,
        summary: str,
        body: type[RequestT],
        make: Callable[[CollectionConfig, RequestT], Operation],
        make_plain: MakePlain | None = None,
    ) -> Endpoint:
        handler = self._handler(msgspec.json.Decoder(body), make, make_plain)
        return Endpoint(method, _ROOT + path, handler, summary, TAG, result=UpdateResult, body=body, writes=True)

    def _handler(
        self,
        decoder: msgspec.json.Decoder[RequestT],
        make: Callable[[CollectionConfig, RequestT], Operation],
        make_plain: MakePlain | None,
    ) -> Handler:
        async def handle(call: Call) -> Reply:
            entry, body = self._catalog.resolve(call.collection), call.body

            def plain() -> tuple[Targets, Operation] | None:
                if make_plain is None or not isinstance(body, bytes):
                    return None
                operation = make_plain(entry.config, body)
                return None if operation is None else (written(entry, None), operation)

            def decoded() -> tuple[Targets, Operation]:
                request = decode_body(decoder, body)
                targets = written(entry, request.shard_key)
                return targets, requests.operation_of(entry.config, make, request)

            is_short = len(body) <= ASIDE_BYTES
            # What is plain names no model: it is not looked through for one, which takes as long as reading it.
            prepared = plain() if is_short else None
            if prepared is None:
                prepared = await _made(decoded if is_short else lambda: plain() or decoded(), body)
            targets, operation = prepared
            return await self._write(call, entry, [(targets, [operation])])

        return handle

    async def _batch(self, call: Call) -> Reply:
        entry = self._catalog.resolve(call.collection)

        def decode() -> tuple[Sequence[UpdateOperationRequest], list[Operation]]:
            parts = decode_body(_decode_batch, call.body).operations
            return parts, requests.batch_operations(entry.config, parts) if parts else []

        parts, operations = await _made(decode, call.body)
        if not parts:
            return Reply([])
        aimed = zip(_targets(entry, parts), operations, strict=True)
        runs = [(targets, [op for _, op in run]) for targets, run in groupby(aimed, key=itemgetter(0))]
        reply = await self._write(call, entry, runs)
        reply.result = [reply.result] * len(parts)
        return reply

    async def _write(
        self, call: Call, entry: CollectionEntry, runs: Sequence[tuple[Targets, Sequence[Operation]]]
    ) -> Reply:
        """Put operations on the log, one run after another, each for all of its targets."""
        if entry.config.strict is not None:
            self._strict.check(entry, [op for _, run in runs for op in run], call.params.timeout)
        deadline = call.deadline(self._limits)
        done: list[WriteResult] = []
        for targets, operations in runs:
            for target in targets:
                done.append(await self._writer.write(target, operations, wait=call.params.wait, deadline=deadline))
        written = done[0] if len(done) == 1 else _together(done)
        result: Any = UpdateResult(written.operation_id, written.status)
        return Reply(result, ((OFFSETS_HEADER, render_offsets(written.offsets)),))


def _together(done: Sequence[WriteResult]) -> WriteResult:
    """What several writes are as one: late, if one of them is."""
    offsets = tuple(offset for part in done for offset in part.offsets)
    status = next((part.status for part in done if part.status is not done[0].status), done[0].status)
    return WriteResult(max(part.operation_id for part in done), status, offsets)


def _targets(entry: CollectionEntry, parts: Sequence[UpdateOperationRequest]) -> Iterator[Targets]:
    """What each operation of a batch goes to. Raises BadInputError naming the operation."""
    for index, part in enumerate(parts):
        try:
            yield written(entry, requests.shard_key_of(part))
        except BadInputError as error:
            raise BadInputError(f"{error.message} (in operations[{index}])") from error
