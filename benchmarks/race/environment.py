"""Imported before numpy: takes back settings of OpenBLAS that are meant for tests and would slow it down."""

import os

for _name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(_name, None)
