"""The kernel: C++ that walks graphs and compares vectors where they lie, without the interpreter lock.

It knows arrays, and rows in runs of bytes: what they mean, and where they come from, is for others in ``projector`` and
for ``query_api`` to say.
Beside that it tells how large messages are that come over gRPC; which there are, ``compose/grpc`` says.
"""

from projector.kernel._kernel import CodedQuery as KernelCodedQuery
from projector.kernel._kernel import (
    DamagedEndsError,
    DamagedGraphError,
    DamagedPostingsError,
    WireSchema,
    around_rows,
    distances,
    encoded,
    kept_of_ef,
    levels,
    max_sim_nearest,
    max_sim_scores,
    nearest,
    normalised,
    product_codes,
    product_table,
    rotated,
    row_of_each,
    scores,
    sparse_scores,
    with_rows,
    without_middle,
)
from projector.kernel._kernel import Finish as KernelFinish
from projector.kernel._kernel import Graph as KernelGraph
from projector.kernel._kernel import Parts as KernelParts
from projector.kernel._kernel import Passing as KernelPassing
from projector.kernel._kernel import Pool as KernelPool
from projector.kernel._kernel import Postings as KernelPostings
from projector.kernel._kernel import Rescoring as KernelRescoring
from projector.kernel._kernel import SearchCodes as KernelSearchCodes

__all__ = [
    "DamagedEndsError",
    "DamagedGraphError",
    "DamagedPostingsError",
    "KernelCodedQuery",
    "KernelFinish",
    "KernelGraph",
    "KernelParts",
    "KernelPassing",
    "KernelPool",
    "KernelPostings",
    "KernelRescoring",
    "KernelSearchCodes",
    "WireSchema",
    "around_rows",
    "distances",
    "encoded",
    "kept_of_ef",
    "levels",
    "max_sim_nearest",
    "max_sim_scores",
    "nearest",
    "normalised",
    "product_codes",
    "product_table",
    "rotated",
    "row_of_each",
    "scores",
    "sparse_scores",
    "with_rows",
    "without_middle",
]
