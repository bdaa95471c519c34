"""The composition root: settings, command line, and the all-in-one embedded server."""

import os
import sys
from importlib import import_module
from types import ModuleType
from typing import cast

# numpy's BLAS would otherwise start a thread per core for every product of a few thousand values; waiting, they spin,
# and on a busy machine a search of 1 ms takes 20. It reads this when numpy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# structlog takes rich where it is there, to show tracebacks with: ours are text already when they come to it
# (``compose.logging``), and rich takes 5 MB of every process.
_RICH = "rich"
if "structlog" not in sys.modules and _RICH not in sys.modules:
    sys.modules[_RICH] = cast("ModuleType", None)  # the import system's sign for what is not to be found
    try:
        import_module("structlog")
    finally:
        del sys.modules[_RICH]
