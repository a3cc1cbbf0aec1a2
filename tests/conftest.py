"""What of the tests ``make test`` runs: of every table as many cases as meet all pairs; with ``--all`` all of them."""

import gc
import re
import warnings
from functools import partial
from itertools import combinations

import pytest
import scipy.linalg  # noqa: F401  (comes with a BLAS of its own)
from threadpoolctl import threadpool_limits

PAIRS = 2
ESTIMATOR = re.compile("(.+?)((?:Regressor|Classifier)(?:CV)?)")


def pytest_addoption(parser):
    parser.addoption("--recipes", action="store_true", help="run what needs the extra `recipes` too")
    parser.addoption("--all", action="store_true", help="run every case of every table, rather than all pairs")


def pytest_configure(config):
    """Of several workers each has one core: threads would wait for each other, and keep both busy with it."""
    if hasattr(config, "workerinput"):
        import sklearn.ensemble  # noqa: F401  (of OpenMP only what has been loaded can be told)

        threadpool_limits(1)


def _keys(value):
    """What tells a value of a table from others; of a class of estimators, its family and its kind."""
    if isinstance(value, partial):
        value = value.func
    estimator = ESTIMATOR.fullmatch(value.__name__) if isinstance(value, type) else None
    if estimator:
        return estimator.groups()
    # (Functions may share a name, and arrays what is printed of them.)
    return (id(value) if callable(value) or hasattr(value, "dtype") else repr(value),)


def columns(rows):
    """The rows of a table, dicts of parameters by name, with all that is told apart in a column of its own."""
    keys = {id(value): _keys(value) for value in {id(value): value for row in rows for value in row.values()}.values()}
    return [{(name, k): key for name, value in row.items() for k, key in enumerate(keys[id(value)])} for row in rows]


def met(rows, strength=PAIRS, kinds=()):
    """Of every row, the set of what any ``strength`` of its columns meet, as numbers.

    ``kinds`` maps names of columns to functions: values of one kind are told apart beside other such columns, and for
    themselves, but not beside columns without kinds.
    """
    coarse = [{name: kinds[name](value) if name in kinds else value for name, value in row.items()} for row in rows]
    numbers, found = {}, []
    for fine, rough in zip(columns(rows), columns(coarse), strict=True):
        own = {item[0] for item in fine.items() if item[0][0] in kinds}
        some = [*combinations(sorted(fine), min(strength, len(fine))), *((column,) for column in sorted(own))]
        items = (tuple((c, (fine if own.issuperset(choice) else rough)[c]) for c in choice) for choice in some)
        found.append({numbers.setdefault(item, len(numbers)) for item in items})
    return found


def covering(rows, strength=PAIRS, last=(), kinds=()):
    """Positions of as many rows as it takes, greedily, for any ``strength`` columns to meet all values they can.

    Those in ``last`` are taken for what no other row meets; ``kinds`` as in ``met``.
    """
    choices = met(rows, strength, kinds)
    seen, kept, most = set(), set(), max(map(len, choices))
    # In an order in which neighbours differ in more than the last parameter, those first that meet only what is new.
    order = sorted(range(len(rows)), key=lambda i: i * 0.6180339887498949 % 1)
    for late in (False, True):
        for gain in range(most, 0, -1):
            for i in order:
                if (i in last) == late and i not in kept and len(choices[i] - seen) >= gain:
                    seen |= choices[i]
                    kept.add(i)
    return kept


def _says(mark, name, item):
    return name in mark.kwargs and mark.kwargs[name](**item.callspec.params)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    if not config.getoption("recipes"):
        _leave_out(config, items, {item for item in items if item.get_closest_marker("recipe")})
    if config.getoption("all"):
        return
    tables = {}
    for item in items:
        if hasattr(item, "callspec"):
            mark = item.get_closest_marker("covering") or pytest.mark.covering().mark
            if not _says(mark, "always", item):
                tables.setdefault((item.module.__name__, item.originalname), (mark, []))[1].append(item)
    left_out = set()
    for mark, some in tables.values():
        last = {i for i, item in enumerate(some) if _says(mark, "last", item)}
        kinds = mark.kwargs.get("kinds", ())
        kept = covering([item.callspec.params for item in some], *mark.args, last=last, kinds=kinds)
        left_out |= {item for i, item in enumerate(some) if i not in kept}
    _leave_out(config, items, left_out)


def _leave_out(config, items, left_out):
    config.hook.pytest_deselected(items=[item for item in items if item in left_out])
    items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(trylast=True)
def pytest_collection_finish():
    """Thousands of tests live until the end: no collection of garbage has to look at them."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def client():
    """Of a cluster of two processes."""
    distributed = pytest.importorskip("distributed")
    with warnings.catch_warnings():
        # What the cluster has to say of ports and slow machines is not about us.
        warnings.simplefilter("ignore")
        options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
        with distributed.LocalCluster(**options) as workers, distributed.Client(workers) as client:
            yield client
