"""What of the tests ``make test`` runs: tests marked ``covering(k)`` in part, and with ``--all`` in full."""

import re
from functools import partial
from itertools import combinations

import pytest


def pytest_addoption(parser):
    parser.addoption("--all", action="store_true", help="run all parametrisations of the tests marked `covering`")


ESTIMATOR = re.compile("(.+?)((?:Regressor|Classifier)(?:CV)?)")


def _keys(value):
    """What tells a parameter of a test from others; of a class of estimators, its family and its kind."""
    if isinstance(value, partial):
        value = value.func
    name = getattr(value, "__qualname__", None) or repr(value)
    estimator = ESTIMATOR.fullmatch(name) if isinstance(value, type) else None
    return list(estimator.groups()) if estimator else [name]


def covering(items, strength):
    """Positions of as many items as it takes, greedily, for any ``strength`` parameters to meet all values they can."""
    choices = []
    for item in items:
        row = [
            (name, k, key) for name, value in sorted(item.callspec.params.items()) for k, key in enumerate(_keys(value))
        ]
        choices.append(set(combinations(row, min(strength, len(row)))))
    met, kept = set(), set()
    most = max(map(len, choices))
    # Those first that meet only what is new; in an order in which neighbours differ in more than the last parameter.
    order = sorted(range(len(items)), key=lambda i: i * 0.6180339887498949 % 1)
    for gain in range(most, 0, -1):
        for i in order:
            if len(choices[i] - met) >= gain:
                met |= choices[i]
                kept.add(i)
    return kept


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    if config.getoption("all"):
        return
    marked = {}
    for item in items:
        mark = item.get_closest_marker("covering")
        if mark is None or not hasattr(item, "callspec"):
            continue
        if not mark.kwargs.get("always", lambda **params: False)(**item.callspec.params):
            marked.setdefault((item.module.__name__, item.originalname), (mark.args[0], []))[1].append(item)
    left_out = set()
    for strength, some in marked.values():
        kept = covering(some, strength)
        left_out |= {item for i, item in enumerate(some) if i not in kept}
    config.hook.pytest_deselected(items=[item for item in items if item in left_out])
    items[:] = [item for item in items if item not in left_out]
