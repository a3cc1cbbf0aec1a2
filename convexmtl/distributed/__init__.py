"""Beyond one machine: fits to data in chunks, out of core or on Dask, that are those of ``fit`` on all of them."""

from ._fit import fit
from ._sources import parquet

__all__ = ["fit", "parquet"]
