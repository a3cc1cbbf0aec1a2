"""Scripts that measure convexmtl; run from the project's root as python -m benchmarks.NAME."""

import os
import sys

# Settings of OpenBLAS that are meant for tests would slow it down. They work when numpy is loaded; afterwards, taking
# them back would only have other processes compute other digits than this one.
if "numpy" not in sys.modules:
    for _name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        os.environ.pop(_name, None)
