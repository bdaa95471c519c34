"""Benches: the data they run on and the programs that measure."""

import os

# As the server is run: several threads of linear algebra wait for one another, busily.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
