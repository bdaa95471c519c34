"""Build a segment: merge the ids of all sources, stream everything else, build graphs, rename into place."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ingest.disk import sync_file, sync_folder
from projector.columns.builder import ColumnsBuilder
from projector.quantization.codes import wanted_meta, write_codes
from projector.quantization.search_codes import read_search_codes, write_search_codes
from projector.segments.errors import SegmentDamagedError
from projector.segments.flat_file import FlatFileWriter, file_checksum
from projector.segments.graph import Graph
from projector.segments.graph_keep import keep_graphs
from projector.segments.graph_links import Links
from projector.segments.graph_sections import write_repeats
from projector.segments.merge_order import merge_ids
from projector.segments.meta import (
    DENSE,
    SEGMENT_FILE,
    SEGMENT_KIND,
    GraphMeta,
    SearchCodesMeta,
    SegmentMeta,
    UnfitGraph,
    VectorMeta,
)
from projector.segments.repeats import Repeats
from projector.segments.search_codes_check import leads_as_far
from projector.segments.sources import SegmentSource, Source, SpillSource
from projector.segments.spec import BuildResult, BuildSpec
from projector.vectors.kind import PartKind, Stored, Vectors
from projector.vectors.registry import part_kind
from schemas.config import CollectionConfig
from schemas.vectors.dense import DTYPES

BLOCK_BYTES = 1 << 20
SMALL_BLOCK, LARGE_BLOCK = 1 << 12, 1 << 16
UNFINISHED = ".tmp"
"""What follows a segment's name in that of its folder while it is built."""
MIN_GRAPH_ROWS = 256
"""Fewer vectors than this are faster searched exactly, whatever the configuration says."""

Progress = Callable[[float], None]


def build_segment(spec: BuildSpec, progress: Progress) -> BuildResult:
    """Build ``spec.target``; ``progress`` is told the fraction of graph rows that are in.

    Everything goes to ``<target>.tmp``, which is synced and then renamed: a crash leaves no half segment. Memory: a
    few dozen bytes a slot, one block of vectors or payloads, and what columns and hnswlib need.
    Raises BuildFailedError, SegmentDamagedError for a damaged source, OSError.
    """
    target = Path(spec.target)
    folder = target.with_name(target.name + UNFINISHED)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        result = _Build(spec, folder, progress).run()
        sync_folder(folder)
        os.rename(folder, target)
        sync_folder(target.parent)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return result


class _Build:
    def __init__(self, spec: BuildSpec, folder: Path, progress: Progress) -> None:
        self._spec = spec
        self._config = spec.config
        self._folder = folder
        self._progress = progress
        self._order = merge_ids(_open_sources(spec))

    def run(self) -> BuildResult:
        order = self._order
        with FlatFileWriter(self._folder / SEGMENT_FILE) as file:
            file.put("numbers", order.numbers)
            file.put("uuids", order.uuids)
            self._write_versions(file)
            self._write_payloads(file)
            written = (self._write_vectors(file, i, name) for name, i in self._config.positions.items())
            vectors = [self._with_search_codes(file, meta) for meta in written if meta is not None]
            started = perf_counter()
            indexed = self._spec.graph
            if self._spec.keep:
                (source,) = (s.segment for s in order.sources if isinstance(s, SegmentSource))
                vectors = keep_graphs(source, file, self._folder, vectors)
                indexed = source.meta.indexed
            elif indexed:
                vectors = self._build_graphs(file, vectors)
            graph_seconds = perf_counter() - started
            meta = SegmentMeta(len(order.numbers), len(order.uuids), vectors, indexed)
            file.finish(SEGMENT_KIND, meta)
        size = sum(path.stat().st_size for path in self._folder.iterdir())
        return BuildResult(order.size, size, graph_seconds)

    def _write_versions(self, file: FlatFileWriter) -> None:
        with file.section("versions") as section:
            for block in self._order.blocks(LARGE_BLOCK):
                versions = np.empty(block.stop - block.start, np.uint64)
                section.write(self._order.gather(block, versions, lambda source, rows: source.versions(rows)))

    def _write_payloads(self, file: FlatFileWriter) -> None:
        order = self._order
        columns = ColumnsBuilder(self._spec.config.payload_indexes)
        lengths = np.zeros(order.size + 1, np.uint64)
        with file.section("payloads") as section:
            for block in order.blocks(SMALL_BLOCK):
                sources: list[int] = order.source[block].tolist()
                rows: list[int] = order.row[block].tolist()
                payloads = [order.sources[s].payload(row) for s, row in zip(sources, rows, strict=True)]
                for payload in payloads:
                    columns.add(payload)
                lengths[block.start + 1 : block.stop + 1] = [len(payload) for payload in payloads]
                section.write(b"".join(payloads))
        file.put("payload_offsets", np.cumsum(lengths, dtype=np.uint64))
        columns.write(file)

    def _write_vectors(self, file: FlatFileWriter, number: int, name: str) -> VectorMeta | None:
        kind = part_kind(self._config.names[name])
        present = np.empty(self._order.size, np.bool_)
        for block in self._order.blocks(LARGE_BLOCK):
            self._order.gather(block, present[block], lambda source, rows: source.has_vector(name, rows))
        rows = int(np.count_nonzero(present))
        if rows == 0:
            return None
        every_slot = rows == self._order.size
        if not every_slot:
            file.put(f"slots.{number}", np.flatnonzero(present).astype(np.uint32))
        blocks = self._order.blocks(max(1, BLOCK_BYTES // kind.row_bytes))
        kind.write(file, number, (self._block(name, kind, block, present[block]) for block in blocks))
        return kind.meta(name, number, rows, every_slot)

    def _block(self, name: str, kind: PartKind[Any], block: slice, wanted: NDArray[np.bool_]) -> Vectors:
        """A block's values, whatever their sources, in the order of slots."""
        found = self._order.rows_by_source(block, wanted)
        if len(found) == 1:
            (source, _, rows) = found[0]
            return source.take_vectors(name, rows)
        taken = [source.take_vectors(name, rows) for source, _, rows in found]
        places = np.concatenate([np.empty(0, np.int64), *(at for _, at, _ in found)])
        return kind.take(kind.joined(taken), np.argsort(places)) if taken else kind.block(Stored(b"", ()))

    def _build_graphs(self, file: FlatFileWriter, vectors: list[VectorMeta]) -> list[VectorMeta]:
        due = [v for v in vectors if wants_graph(self._config, v.name, v.rows)]
        total = sum(v.rows for v in due)
        done = 0
        built: dict[int, VectorMeta] = {}
        for vector in due:
            values = _values(file, vector)
            write_codes(file, vector, values, self._config.quantization_for(vector.name))
            matrix = values.astype(np.float32, copy=False)
            repeats = Repeats.find(matrix)
            write_repeats(file, vector.number, repeats)
            built[vector.number] = self._build_graph(
                file, vector, matrix, repeats, lambda rows, done=done: self._progress((done + rows) / total)
            )
            done += vector.rows
        return [built.get(v.number, v) for v in vectors]

    def _with_search_codes(self, file: FlatFileWriter, vector: VectorMeta) -> VectorMeta:
        quantized = self._spec.graph and wants_graph(self._config, vector.name, vector.rows)
        if quantized and self._config.quantization_for(vector.name) is not None:
            return vector
        if vector.kind != DENSE or not write_search_codes(file, vector, _values(file, vector)):
            return vector
        return msgspec.structs.replace(vector, search_codes=SearchCodesMeta(walked=False))

    def _build_graph(
        self,
        file: FlatFileWriter,
        vector: VectorMeta,
        matrix: NDArray[np.float32],
        repeats: Repeats,
        progress: Callable[[int], None],
    ) -> VectorMeta:
        """What the directory is to say of the vectors then."""
        hnsw = self._config.hnsw_for(vector.name)
        threads = self._spec.threads or hnsw.max_indexing_threads or os.cpu_count() or 1
        path = self._folder / f"graph.{vector.number}.links"
        # What builds graphs takes 5 MB, and a seal needs none of it.
        from projector.segments.graph_build import build_graph

        quality = build_graph(path, matrix, vector.distance, hnsw, threads, repeats, progress)
        vector = msgspec.structs.replace(vector, quantized=wanted_meta(self._config, vector.name))
        if not quality.sufficient:
            path.unlink()
            return msgspec.structs.replace(
                vector, unfit=UnfitGraph(hnsw.m, hnsw.ef_construct, quality.own, quality.far)
            )
        codes = read_search_codes(file.map, vector)
        if codes is not None:
            graph = Graph(Links.open(path, vector.rows), matrix, vector.distance, repeats, None, codes)
            walked = leads_as_far(graph, matrix, vector.distance, hnsw.ef_construct)
            vector = msgspec.structs.replace(vector, search_codes=SearchCodesMeta(walked))
        sync_file(path)
        length, crc = file_checksum(path)
        return msgspec.structs.replace(vector, graph=GraphMeta(path.name, length, crc, hnsw.m, hnsw.ef_construct))


def _values(file: FlatFileWriter, vector: VectorMeta) -> NDArray[Any]:
    """The vectors of a name as they were written, [rows, dim]."""
    return file.map(f"vectors.{vector.number}", DTYPES[vector.datatype]).reshape(vector.rows, vector.dim)


def wants_graph(config: CollectionConfig, name: str, rows: int) -> bool:
    """Whether a segment that is to have graphs has one for this vector name."""
    params = config.names.get(name)
    return rows >= MIN_GRAPH_ROWS and params is not None and part_kind(params).graphs and config.hnsw_for(name).m > 1


def _open_sources(spec: BuildSpec) -> list[Source]:
    sources: list[Source] = [SpillSource(Path(path), spec.config) for path in spec.spills]
    for piece in spec.segments:
        try:
            sources.append(SegmentSource(Path(piece.folder), piece.dead, spec.config, graphs=spec.keep))
        except SegmentDamagedError as error:
            raise SegmentDamagedError(error.message, piece.folder) from error
    return sources
