"""The composition root: settings, command line, and the all-in-one embedded server."""

import os

# numpy's BLAS would otherwise start a thread per core for every product of a few thousand values; waiting, they spin,
# and on a busy machine a search of 1 ms takes 20. It reads this when numpy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
