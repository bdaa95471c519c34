"""Segment: the reader of a segment's folder (docs/segment-files.md)."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock

import msgspec
import numpy as np
from numpy.typing import NDArray

from projector.columns.columns import Columns
from projector.columns.meta import COLUMNS_SECTION
from projector.columns.select import select
from projector.columns.selection import Selection
from projector.quantization.codes import CODES_SECTIONS, check_codes, read_codes
from projector.quantization.search_codes import SECTIONS as SEARCH_CODES_SECTIONS
from projector.quantization.search_codes import read_search_codes
from projector.segments.errors import SegmentDamagedError
from projector.segments.flat_file import NOT_ITS_FAULT, FlatFile, file_checksum
from projector.segments.graph import Graph
from projector.segments.graph_links import Links
from projector.segments.graph_sections import REPEAT_SECTIONS, read_repeats
from projector.segments.meta import SEGMENT_FILE, SEGMENT_KIND, SegmentMeta, VectorMeta
from projector.segments.slot_ids import UUID_DTYPE, SlotIds
from projector.vectors.kind import Vectors
from projector.vectors.registry import open_vectors
from schemas.filters import Filter
from schemas.ids import PointId
from schemas.vectors.dense import DTYPES

_CHECKED = ("slots.", "ends.", "postings.", "posting_rows.", *REPEAT_SECTIONS)
"""Sections, beside those of ids and payloads, that lead to other data."""
CHECKED_AT_ONCE = 32 << 20
"""How many bytes a segment's file may have to be read whole when it is opened: some 20 ms."""

_meta_decoder = msgspec.json.Decoder(SegmentMeta)


class Segment:
    """An immutable slice of a shard, memory-mapped. Readers may be any number of threads."""

    def __init__(self, folder: Path, file: FlatFile) -> None:
        """Use ``open``."""
        self.folder = folder
        self.name = folder.name
        self.meta = file.meta(_meta_decoder)
        self._file = file
        numbers, uuids = file.array("numbers", np.uint64), file.array("uuids", UUID_DTYPE)
        self.slot_ids = SlotIds(numbers, uuids)
        self.size = self.slot_ids.size
        self.versions = file.array("versions", np.uint64)
        self._version_view = self.versions.data
        self._payload_offsets = file.array("payload_offsets", np.uint64)
        self._offset_view = self._payload_offsets.data
        self._payloads = file.view("payloads")
        self._vectors = {v.name: _vectors(file, v, self.size) for v in self.meta.vectors}
        self.positions = {v.name: v.number for v in self.meta.vectors}
        """The position in stored points that each vector name had when the segment was built."""
        self.columns = _columns(file, self.size)
        self._graphs: dict[str, Graph | None] = {}
        self._graph_files: dict[str, FlatFile] = {}
        self._graph_lock = Lock()
        self.damaged_graphs: dict[str, str] = {}
        """Vector names whose graph could not be read, and why."""
        self.damage: str | None = None
        """What was found to be damaged since it was opened, where another process has to rebuild it; None: nothing."""
        self._check_shapes()

    @staticmethod
    def open(folder: Path) -> "Segment":
        """Open a segment's folder. Checks every file's size, and the checksums of whatever leads to other data (ids,
        offsets, slots) or away from it (search codes), in a file below CHECKED_AT_ONCE of vectors and payloads, too;
        ``check`` and ``reread`` compare the rest, loading a graph that one's and its codes'.

        Raises SegmentDamagedError when a file is missing, has another size or checksum, or a newer version, OSError for
        lack of memory or rights.
        """
        file = FlatFile(folder / SEGMENT_FILE, SEGMENT_KIND)
        names = list(file.directory.sections)
        if file.size < CHECKED_AT_ONCE:
            for name in names:
                if not name.startswith(CODES_SECTIONS):
                    file.check_on_disk(name)
        else:
            slots = [name for name in names if name.startswith(_CHECKED)]
            file.check("numbers", "uuids", "versions", "payload_offsets", COLUMNS_SECTION, *slots)
            for name in names:
                if name.startswith(SEARCH_CODES_SECTIONS):
                    file.check_on_disk(name)
        return Segment(folder, file)

    def check(self, *, graphs: bool = True) -> None:
        """Read everything, graphs if asked for, and compare all checksums. Raises SegmentDamagedError."""
        self._file.check()
        for vector in self.meta.vectors:
            if graphs and vector.graph is not None:
                _check_graph_file(self.folder, vector)

    def reread(self) -> Iterator[int]:
        """Check everything, little by little, as ``FlatFile.reread``; of graphs those that are mapped."""
        yield from self._file.reread()
        for file in tuple(self._graph_files.values()):
            yield from file.reread()

    @property
    def doubted(self) -> bool:
        """Whether something in it could not be read since it was reread."""
        return self._file.doubted

    @property
    def numbers(self) -> NDArray[np.uint64]:
        """The ids that are numbers, ascending: slots [0, len)."""
        return self.slot_ids.numbers

    @property
    def uuids(self) -> NDArray[np.bytes_]:
        """The ids that are UUIDs, S16 big endian, ascending: the slots after the numbers."""
        return self.slot_ids.uuids

    def slot_of(self, point_id: PointId) -> int:
        """The slot of an id, -1 where absent."""
        return self.slot_ids.slot_of(point_id)

    def slots_of(self, ids: Sequence[PointId]) -> NDArray[np.int64]:
        """The slots of many ids, int64 [len(ids)], -1 where absent."""
        return self.slot_ids.slots_of(ids)

    def having_id(self, ids: frozenset[PointId]) -> NDArray[np.integer]:
        """The slots that have one of ``ids``, in any order."""
        slots = self.slots_of(list(ids))
        return slots[slots >= 0]

    def lower_bound(self, point_id: PointId) -> int:
        """The first slot whose id is not below ``point_id``; ``size`` when there is none."""
        return self.slot_ids.lower_bound(point_id)

    def version_at(self, slot: int) -> int:
        """The version of the point in a slot."""
        return self._version_view[slot]

    def id_at(self, slot: int) -> PointId:
        """The id at a slot."""
        return self.slot_ids.id_at(slot)

    def ids_at(self, slots: NDArray[np.integer]) -> list[PointId]:
        """The ids at many slots, in their order."""
        return self.slot_ids.ids_at(slots)

    @property
    def payload_bytes(self) -> int:
        """How many bytes all payloads have."""
        return len(self._payloads)

    def payload_at(self, slot: int) -> bytes:
        """The payload at a slot as JSON bytes; empty when there is none."""
        return bytes(self._payloads[self._offset_view[slot] : self._offset_view[slot + 1]])

    def payload_size_at(self, slot: int) -> int:
        """How many bytes that has."""
        return self._offset_view[slot + 1] - self._offset_view[slot]

    @property
    def vector_names(self) -> list[str]:
        """The names that any point here has a vector of."""
        return list(self._vectors)

    def vectors(self, name: str) -> Vectors | None:
        """The vectors of one name; None when no point has one."""
        return self._vectors.get(name)

    def graph(self, name: str) -> Graph | None:
        """The graph of a vector name, mapped on first use; None when there is none.

        A damaged graph counts as none (``damaged_graphs``): search is exact then, until a new one is built.
        """
        try:
            return self._graphs[name]
        except KeyError:
            pass
        with self._graph_lock:
            if name not in self._graphs:
                self._graphs[name] = self._load_graph(name)
            return self._graphs[name]

    def load_graphs(self) -> None:
        """Map all graphs now, comparing their checksums; meant for a worker thread, before the segment joins a view."""
        for name in self._vectors:
            self.graph(name)

    def check_graphs(self) -> None:
        """Find out which graphs are damaged, or their codes, without keeping any in memory: for who doesn't search."""
        for meta in self.meta.vectors:
            try:
                _check_graph_file(self.folder, meta)
                if meta.graph is not None:
                    check_codes(self._file, meta)
            except SegmentDamagedError as error:
                self.damaged_graphs[meta.name] = str(error)

    def graph_sections(self, number: int) -> Iterator[tuple[str, memoryview]]:
        """What goes with the graph of the configuration's ``number``-th name, by section: repeats and codes."""
        for section in (*REPEAT_SECTIONS, *CODES_SECTIONS):
            if (name := f"{section}{number}") in self._file:
                yield name, self._file.view(name)

    def sections(self, prefix: str) -> list[str]:
        """The names of its sections that begin with ``prefix``."""
        return [name for name in self._file.directory.sections if name.startswith(prefix)]

    def data(self, section: str) -> memoryview | None:
        """The bytes of a section, as they are mapped; None where it has no such section."""
        return self._file.view(section) if section in self._file else None

    def graph_data(self, name: str) -> memoryview | None:
        """The bytes of a vector name's links, as they are mapped; None where there are none, or not so."""
        if self.graph(name) is None or (file := self._graph_files.get(name)) is None:
            return None
        return file.data

    def select(self, filter_: Filter) -> Selection:
        """What the columns say about a filter, for every slot, dead or alive."""
        return select(filter_, self)

    def bytes_on_disk(self) -> int:
        """The size of all files."""
        graphs = (v.graph.length for v in self.meta.vectors if v.graph is not None)
        return self._file.path.stat().st_size + sum(graphs)

    def _load_graph(self, name: str) -> Graph | None:
        meta = next((v for v in self.meta.vectors if v.name == name), None)
        if meta is None or meta.graph is None:
            return None
        try:
            _check_graph_file(self.folder, meta)
            links = Links.open(self.folder / meta.graph.file, meta.rows)
            if links.file is not None:
                self._graph_files[name] = links.file
            values = self._file.array(f"vectors.{meta.number}", DTYPES[meta.datatype]).reshape(meta.rows, meta.dim)
            codes, search_codes = read_codes(self._file, meta), read_search_codes(self._file.array, meta)
            return Graph(links, values, meta.distance, read_repeats(self._file, meta), codes, search_codes)
        except (SegmentDamagedError, ValueError) as error:
            self.damaged_graphs[name] = str(error)
            return None

    def _check_shapes(self) -> None:
        sizes = (self.meta.numbers + self.meta.uuids, len(self.versions), len(self._payload_offsets) - 1)
        offsets_fit = not self.size or self._offset_view[self.size] == len(self._payloads)
        if any(size != self.size for size in sizes) or not offsets_fit:
            raise SegmentDamagedError(f"{self.folder}: its sections do not fit one another")
        for vector in self.meta.vectors:
            if vector.graph is not None:
                path = self.folder / vector.graph.file
                if not path.is_file() or path.stat().st_size != vector.graph.length:
                    raise SegmentDamagedError(f"{path}: is missing or cut short")


def _columns(file: FlatFile, size: int) -> Columns:
    try:
        return Columns(file, size)
    except msgspec.MsgspecError as error:
        raise SegmentDamagedError(f"{file.path}: {error}") from error


def _vectors(file: FlatFile, meta: VectorMeta, size: int) -> Vectors:
    slots = None if meta.every_slot else file.array(f"slots.{meta.number}", np.uint32)
    if (size if slots is None else len(slots)) != meta.rows:
        raise SegmentDamagedError(f"{file.path}: the vectors of {meta.name!r} do not fit the slots")
    return open_vectors(file, meta, slots)


def _check_graph_file(folder: Path, meta: VectorMeta) -> None:
    if meta.graph is None:
        return
    path = folder / meta.graph.file
    try:
        _, crc = file_checksum(path)
    except OSError as error:
        if error.errno in NOT_ITS_FAULT:
            raise
        raise SegmentDamagedError(f"{path}: {error}") from error
    if crc != meta.graph.crc:
        raise SegmentDamagedError(f"{path}: does not have its checksum")
