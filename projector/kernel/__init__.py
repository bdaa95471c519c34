"""The kernel: C++ that walks graphs and compares vectors where they lie, without the interpreter lock.

It knows arrays only: what they mean, and where they come from, is for ``projector/segments`` and ``query_api`` to say.
"""

from projector.kernel._kernel import DamagedGraphError, distances, levels
from projector.kernel._kernel import Graph as KernelGraph
from projector.kernel._kernel import Pool as KernelPool

__all__ = ["DamagedGraphError", "KernelGraph", "KernelPool", "distances", "levels"]
