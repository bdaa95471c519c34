"""Benches: the data they run on and the programs that measure."""

import os
import sys

# As the server is run: several threads of linear algebra wait for one another, busily.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# As where a server was run before: else each start that is measured compiles every module, for .3 s of the processor.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
