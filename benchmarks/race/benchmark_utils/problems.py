"""The problems of the race: which family on which data, at alpha_max divided by how much."""

from collections.abc import Callable
from dataclasses import dataclass

from . import data
from .families import COUPLINGS
from .instance import make_instance

SMOOTH = ("squared trace norm", "learned clusters", *COUPLINGS)

# name: (function, its arguments). Shared X is n x d x T, tasks with rows of their own are T x n x d.
DATA = {
    **{
        f"gaussian {n}x{d}x{T}": (data.gaussian, dict(n=n, d=d, T=T))
        for n, d, T in (
            (300, 7500, 100),
            (500, 5000, 50),
            (2000, 500, 20),
            (1000, 10000, 10),
            (5000, 1000, 5),
            (64, 4000, 20),
            (100, 300, 50),
            (60, 200, 10),
        )
    },
    "lead field 64x1092x50": (data.lead_field, {}),
    "school 139 unequal x27": (data.school, {}),
    "stacked 50x100x1000": (data.drawn, dict(kind="block_sparse", T=50, n=100, d=1000, n_informative=20)),
    "stacked 1000x30x50": (data.drawn, dict(kind="block_sparse", T=1000, n=30, d=50, n_informative=5)),
    "stacked 10x30x100": (data.drawn, dict(kind="block_sparse", T=10, n=30, d=100)),
    "low rank 50x60x200": (data.drawn, dict(kind="low_rank", T=50, n=60, d=200, rank=3)),
    "low rank shared 300x200x50": (data.drawn, dict(kind="low_rank", T=50, n=300, d=200, rank=3, layout="shared")),
    "low rank 10x30x40": (data.drawn, dict(kind="low_rank", T=10, n=30, d=40)),
    "clusters 20x100x200": (data.drawn, dict(kind="clustered", T=20, n=100, d=200)),
    "clusters 100x50x100": (data.drawn, dict(kind="clustered", T=100, n=50, d=100)),
    "clusters shared 2000x500x20": (data.drawn, dict(kind="clustered", T=20, n=2000, d=500, layout="shared")),
    "clusters 12x30x50": (data.drawn, dict(kind="clustered", T=12, n=30, d=50)),
    "clusters shared 300x100x12": (data.drawn, dict(kind="clustered", T=12, n=300, d=100, layout="shared")),
    "classes shared 1000x300x10": (
        data.drawn,
        dict(kind="clustered", T=10, n=1000, d=300, layout="shared", classification=True),
    ),
    "classes 50x100x200": (data.drawn, dict(kind="block_sparse", T=50, n=100, d=200, classification=True)),
    "classes shared 200x60x10": (
        data.drawn,
        dict(kind="clustered", T=10, n=200, d=60, layout="shared", classification=True),
    ),
    "sparse 20000x50000x10": (data.sparse_design, dict(n=20_000, d=50_000, T=10)),
    "sparse 1000x3000x10": (data.sparse_design, dict(n=1000, d=3000, T=10, density=0.01)),
}

# What stands in for data of a folder that was not given.
FILES = {data.lead_field: data.LEAD_FIELD, data.school: data.SCHOOL}


@dataclass(frozen=True)
class Problem:
    """Attributes
    ----------
    family, data : str
        Keys of ``FAMILIES`` and ``DATA``.
    ratio : float or None
        alpha_max / alpha; None is 10 for norms, and 100 for what gives no zeros, where alpha_max only halves things.
    fit_intercept : bool or None
        As in ``make_instance``.
    path : (int, float) or None
        As in ``make_instance``.
    """

    family: str
    data: str
    ratio: float | None = None
    fit_intercept: bool | None = None
    path: tuple | None = None

    @property
    def loss(self):
        return "logistic" if self.data.startswith("classes") else "squared"

    @property
    def name(self):
        what = f"{self.loss} {self.family}" if self.loss != "squared" else self.family
        return f"{what}{' path' if self.path else ''}, {self.data}"

    def missing(self, folder):
        """The file that the folder lacks, or None; a stand-in is drawn in its place."""
        function: Callable = DATA[self.data][0]
        return FILES.get(function) if folder is None else None

    def build(self, folder=None):
        """The Instance."""
        function, arguments = DATA[self.data]
        drawn = function(folder) if function in FILES else function(**arguments)
        ratio = self.ratio or (100 if self.family in SMOOTH else 10)
        return make_instance(self.name, drawn, self.family, ratio, self.fit_intercept, self.path)


def _gaussian(family, *ratios):
    return [Problem(family, f"gaussian {size}", ratio) for size, ratio in ratios]


SEVEN = (
    ("300x7500x100", 10),
    ("500x5000x50", 20),
    ("2000x500x20", 50),
    ("1000x10000x10", 100),
    ("5000x1000x5", 100),
    ("64x4000x20", 5),
    ("100x300x50", 20),
)
ROWS = (("100x300x50", 20), ("500x5000x50", 20))
CLASSES, MANY_CLASSES = "classes shared 1000x300x10", "classes 50x100x200"

PROBLEMS = [
    *_gaussian("l1/l2", *SEVEN),
    Problem("l1/l2", "lead field 64x1092x50"),
    *(Problem("l1/l2", f"gaussian {size}", path=(100, 100)) for size in ("100x300x50", "2000x500x20", "64x4000x20")),
    *_gaussian("l1/linf", *ROWS),
    *_gaussian("l1/l3", *ROWS),
    *_gaussian("sparse group", *ROWS),
    *_gaussian("dirty", *ROWS),
    Problem("l1/l2", "stacked 50x100x1000"),
    Problem("l1/l2", "stacked 1000x30x50"),
    Problem("l1/l2", "school 139 unequal x27", fit_intercept=True),
    Problem("l1/linf", "stacked 50x100x1000"),
    Problem("dirty", "stacked 50x100x1000"),
    Problem("trace norm", "low rank 50x60x200"),
    Problem("trace norm", "low rank shared 300x200x50"),
    Problem("trace norm", "school 139 unequal x27", fit_intercept=True),
    Problem("squared trace norm", "low rank 50x60x200"),
    Problem("squared trace norm", "low rank shared 300x200x50"),
    Problem("learned clusters", "clusters 20x100x200"),
    Problem("learned clusters", "clusters 100x50x100"),
    Problem("mean-regularised", "clusters shared 2000x500x20"),
    Problem("mean-regularised", "clusters 100x50x100"),
    Problem("mean-regularised", "school 139 unequal x27", fit_intercept=True),
    Problem("known clusters", "clusters shared 2000x500x20"),
    Problem("known clusters", "clusters 100x50x100"),
    Problem("graph Laplacian", "clusters shared 2000x500x20"),
    Problem("graph Laplacian", "clusters shared 2000x500x20", path=(20, 1000)),
    Problem("mean-regularised", "clusters shared 2000x500x20", path=(20, 1000)),
    *(
        Problem(family, CLASSES)
        for family in (
            "l1/l2",
            "l1/linf",
            "l1/l3",
            "sparse group",
            "dirty",
            "trace norm",
            "squared trace norm",
            "learned clusters",
            "mean-regularised",
            "known clusters",
            "graph Laplacian",
            "ridge",
        )
    ),
    # liblinear penalises its intercept.
    Problem("l1/l1", CLASSES, fit_intercept=False),
    *(
        Problem(family, "classes 50x100x200")
        for family in ("l1/l2", "dirty", "trace norm", "mean-regularised", "ridge")
    ),
    Problem("l1/l1", "classes 50x100x200", fit_intercept=False),
    Problem("l1/l2", "sparse 20000x50000x10"),
]

_SMALL = "gaussian 60x200x10"
_SMALL_CLASSES = "classes shared 200x60x10"

# One of each kind, small.
QUICK = [
    Problem("l1/l2", _SMALL),
    Problem("l1/l2", _SMALL, path=(20, 100)),
    *(Problem(family, _SMALL) for family in ("l1/linf", "l1/l3", "sparse group", "dirty")),
    Problem("l1/l2", "lead field 64x1092x50"),
    Problem("l1/l2", "stacked 10x30x100"),
    Problem("dirty", "stacked 10x30x100"),
    Problem("trace norm", "low rank 10x30x40"),
    Problem("squared trace norm", "low rank 10x30x40"),
    Problem("learned clusters", "clusters 12x30x50"),
    Problem("mean-regularised", "school 139 unequal x27", fit_intercept=True),
    Problem("known clusters", "clusters 12x30x50"),
    Problem("graph Laplacian", "clusters shared 300x100x12"),
    Problem("graph Laplacian", "clusters shared 300x100x12", path=(20, 1000)),
    *(Problem(family, _SMALL_CLASSES) for family in ("l1/l2", "dirty", "trace norm", "mean-regularised", "ridge")),
    Problem("l1/l1", _SMALL_CLASSES, fit_intercept=False),
    Problem("l1/l2", "sparse 1000x3000x10"),
]
