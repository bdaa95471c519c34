"""Libraries of graphs in this process: hnswlib, faiss and usearch, with the same parameters and the same vectors."""

import importlib
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import hnswlib
import numpy as np

from bench.curve import EFS, Curve, on_all_cores, one_by_one
from bench.peers import EF_CONSTRUCT, M
from bench.workload import Floats, Ids, K

WARM = 50


class Library(ABC):
    """A library, and how its graph is built and searched."""

    system: str

    @abstractmethod
    def build(self, vectors: Floats) -> None:
        """A graph of these, all of length 1, on all cores."""

    @abstractmethod
    def look(self, ef: int) -> None:
        """So far searches look from now on."""

    @abstractmethod
    def search(self, query: Floats) -> Sequence[int]:
        """The rows of the nearest, on the calling thread."""

    def measure(self, storage: str, vectors: Floats, queries: Floats, right: Ids) -> Curve:
        """What it reaches."""
        self.build(vectors)
        curve, asked = Curve(self.system, storage), list(queries)
        for ef in EFS:
            self.look(ef)
            one_by_one(self.search, asked[:WARM])
            seconds, found = one_by_one(self.search, asked)
            curve.add(found, right, seconds, on_all_cores(self.search, asked * 2))
        return curve


class Hnswlib(Library):
    """What Headwater builds its graphs with."""

    system = "hnswlib, in process"

    def build(self, vectors: Floats) -> None:
        self._index = hnswlib.Index("cosine", vectors.shape[1])
        self._index.init_index(len(vectors), M=M, ef_construction=EF_CONSTRUCT)
        self._index.add_items(vectors)

    def look(self, ef: int) -> None:
        self._index.set_ef(ef)

    def search(self, query: Floats) -> Sequence[int]:
        labels, _ = self._index.knn_query(query, k=K, num_threads=1)
        return labels[0].tolist()


class Faiss(Library):
    """``codes``: of scalar quantization; None: values as they are."""

    system = "faiss, in process"

    def __init__(self, codes: str | None = None) -> None:
        self._codes = codes

    def build(self, vectors: Floats) -> None:
        faiss: Any = importlib.import_module("faiss")
        dim = vectors.shape[1]
        faiss.omp_set_num_threads(os.cpu_count() or 1)
        if self._codes is None:
            self._index = faiss.IndexHNSWFlat(dim, M, faiss.METRIC_INNER_PRODUCT)
        else:
            kind = getattr(faiss.ScalarQuantizer, self._codes)
            self._index = faiss.IndexHNSWSQ(dim, kind, M, faiss.METRIC_INNER_PRODUCT)
            self._index.train(vectors)
        self._index.hnsw.efConstruction = EF_CONSTRUCT
        self._index.add(vectors)
        faiss.omp_set_num_threads(1)

    def look(self, ef: int) -> None:
        self._index.hnsw.efSearch = ef

    def search(self, query: Floats) -> Sequence[int]:
        _, rows = self._index.search(query[np.newaxis], K)
        return rows[0].tolist()


class Usearch(Library):
    """``datatype``: what values are kept as."""

    system = "usearch, in process"

    def __init__(self, datatype: str) -> None:
        self._datatype = datatype

    def build(self, vectors: Floats) -> None:
        usearch: Any = importlib.import_module("usearch.index")
        self._index = usearch.Index(
            ndim=vectors.shape[1],
            metric="cos",
            dtype=self._datatype,
            connectivity=M,
            expansion_add=EF_CONSTRUCT,
        )
        self._index.add(np.arange(len(vectors)), vectors, threads=os.cpu_count() or 1)

    def look(self, ef: int) -> None:
        self._index.expansion_search = ef

    def search(self, query: Floats) -> Sequence[int]:
        return self._index.search(query, K, threads=1).keys.tolist()


LIBRARIES: Sequence[tuple[str, Library]] = (
    ("float32", Hnswlib()),
    ("float32", Faiss()),
    ("float32", Usearch("f32")),
    ("float16", Faiss("QT_fp16")),
    ("float16", Usearch("f16")),
    ("scalar int8", Faiss("QT_8bit")),
    ("scalar int8", Usearch("i8")),
)
"""By the way of storing that each is to be held beside. None of them compares what it finds by codes exactly."""
