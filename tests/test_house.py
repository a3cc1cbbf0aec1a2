"""The house: which module may import which, what importing costs, and kernels that are compiled once."""

import ast
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import cases
import numpy as np
import pytest
import stubs
from numpy.testing import assert_allclose

import convexmtl as cm
from convexmtl import reference
from convexmtl.penalties import MeanCoupling, Parts, RowNorm, RowPenalty, TraceNorm, row_prox

PACKAGE = Path(cm.__file__).parent

FLOORS = [
    ["_compat"],
    ["_version", "_jit", "_words", "_input", "_progress", "_threads"],
    ["_rows"],
    ["_products", "inverses", "coupling", "structures"],
    ["tasks", "losses", "penalties"],
    ["_columns", "_classes", "reduction"],
    ["gram"],
    ["data", "_moments"],
    ["problem", "certificate", "result", "statistics"],
    ["solvers", "textbook"],
    ["freedom", "relaxed"],
    ["criteria"],
    ["model_selection", "metrics", "explanation", "_predicting"],
    ["intervals"],
    ["estimators"],
    ["reweighted", "compose", "new_tasks", "path", "theory", "reference", "baselines", "_subsets", "kernels"],
    ["_families"],
    ["auto"],
    ["inspection", "_json"],
    ["deploy", "comparison", "affinity", "auxiliary", "stability"],
    ["contrib", "relatives", "distributed"],
    ["federated"],
]
FLOOR_OF = {name: level for level, floor in enumerate(FLOORS) for name in floor}
# These stand apart: they import nothing of the package but what is private elsewhere, and nothing below imports them.
APART = {"datasets", "stacking"}
# The modules that import what is heavy, inside functions.
HEAVY = {"numba": {"_compat.py", "_jit.py"}, "cvxpy": {"textbook.py"}, "matplotlib": {"inspection/_common.py"}}
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


@cache
def imports(module):
    """[(full name, whether inside a function)] of every import of the module."""
    tree, found = ast.parse((PACKAGE / module).read_text()), []
    inside = {id(node) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for node in ast.walk(f)}
    here = ["convexmtl", *Path(module).parent.parts]
    for node in ast.walk(tree):
        base = []
        if isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else []
            base = [*base, *(node.module or "").split(".")]
        if isinstance(node, ast.Import | ast.ImportFrom):
            found += [(".".join([*filter(None, base), alias.name]), id(node) in inside) for alias in node.names]
    return found


@pytest.mark.parametrize("module", [m for m in MODULES if m != "__init__.py"])
def test_imports_only_from_lower_floors(module):
    own = module.removesuffix(".py").split("/")[0]
    names = [name.split(".") for name, _ in imports(module)]
    used = {name[1] for name in names if name[0] == "convexmtl" and len(name) > 1} - {own}
    if own in APART:
        assert used <= {"_compat"}
    else:
        assert not used & APART
        assert all(FLOOR_OF[name] < FLOOR_OF[own] for name in used), used


@pytest.mark.parametrize("package", HEAVY)
def test_heavy_imports(package):
    """numba, cvxpy and matplotlib inside functions only, and in one module each."""
    found = {(m, within) for m in MODULES for name, within in imports(m) if name.split(".")[0] == package}
    assert found == {(module, True) for module in HEAVY[package]}


def test_stub_is_in_step():
    """What editors and type checkers know of the estimators: ``make stubs`` writes it anew."""
    for path, text in stubs.stubs().items():
        assert path.read_text() == text, path
    assert (PACKAGE / "py.typed").exists()


def test_what_is_private_elsewhere_is_in_one_module():
    """A name with an underscore, anywhere on its way, or one of numba's core."""
    private = {
        module
        for module in MODULES
        for name, _ in imports(module)
        if not name.startswith("convexmtl.")
        and (any(part.startswith("_") for part in name.split(".")) or name.startswith("numba.core"))
    }
    assert private == {"_compat.py"}


# ------------------------------------------------------------------------------- other processes


def run(code, cwd=None, **environment):
    """What the code prints in a fresh process, in which warnings are errors."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_is_light():
    code = "import sys, convexmtl; print(sorted({'numba', 'cvxpy', 'matplotlib'} & set(sys.modules)))"
    assert run(code) == "[]"


FIT = """
import numpy as np
from numba.core import event
from convexmtl import BlockSparseRegressor, BlockSparseClassifier, DirtyRegressor
compilations = event.RecordingListener()
event.register("numba:compile", compilations)
rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 6)), rng.standard_normal((20, 3))
coef = [BlockSparseRegressor(0.05, q=q).fit(X, Y).coef_ for q in (1.5, np.inf)]
coef += [DirtyRegressor(0.1, 0.06).fit(X, Y).coef_, BlockSparseClassifier(0.01).fit(X, Y > 0).coef_]
print(len(compilations.buffer), repr(float(np.abs(coef).sum())))
"""


def listing(folder):
    return {path.relative_to(folder): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_kernels_are_compiled_once(tmp_path):
    """A second process compiles nothing, adds no file and gives the same numbers."""
    compiled, coefficients = run(FIT, NUMBA_CACHE_DIR=str(tmp_path)).split()
    files = listing(tmp_path)
    assert int(compiled) > 0 and files
    assert run(FIT, NUMBA_CACHE_DIR=str(tmp_path)).split() == ["0", coefficients]
    assert listing(tmp_path) == files


INNER = """
from convexmtl._jit import kernel
SHIFT = 0.0
@kernel("float64(float64)")
def inner(x):
    return x + SHIFT
"""
OUTER = """
from convexmtl._jit import kernel
from inner import inner
@kernel("float64(float64)")
def outer(x):
    return 2.0 * inner(x)
"""


# As new processes would: from the source, with what is on the disk alone.
EDITED = f"""
import importlib, pathlib, sys
found = []
for shift in (0.0, 1.0, 0.0):
    pathlib.Path("inner.py").write_text({INNER!r}.replace("SHIFT = 0.0", f"SHIFT = {{shift}}"))
    for name in ("inner", "outer"):
        sys.modules.pop(name, None)
    importlib.invalidate_caches()
    found.append(str(importlib.import_module("outer").outer(3.0)))
print(*found)
"""


def test_the_cache_knows_what_a_kernel_calls(tmp_path):
    """A kernel of one module that is edited changes those of other modules that call it."""
    folders = os.pathsep.join([str(tmp_path), str(PACKAGE.parent)])
    (tmp_path / "outer.py").write_text(OUTER)
    assert run(EDITED, cwd=tmp_path, PYTHONPATH=folders, NUMBA_CACHE_DIR=str(tmp_path / "cache")) == "6.0 8.0 6.0"


def test_read_only_install(tmp_path):
    """Where nothing can be cached, kernels are compiled in memory."""
    copy = tmp_path / "convexmtl"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in (copy, copy / "penalties", copy / "solvers"):
        # A file in place of the folder: not even root can write below it.
        (folder / "__pycache__").touch()
    nowhere = str(tmp_path / "convexmtl" / "__init__.py" / "nowhere")
    places = {"NUMBA_CACHE_DIR": nowhere, "XDG_CACHE_HOME": nowhere, "HOME": nowhere, "PYTHONPATH": str(tmp_path)}
    code = f"import convexmtl\nassert convexmtl.__file__.startswith({str(tmp_path)!r})\n"
    code += "print(convexmtl.BlockSparseRegressor(0.1).fit([[0.0], [1.0], [3.0]], [0.0, 1.0, 2.0]).coef_)"
    expected = cm.BlockSparseRegressor(0.1).fit([[0.0], [1.0], [3.0]], [0.0, 1.0, 2.0]).coef_
    assert run(code, cwd=tmp_path, **places) == str(expected)


# ------------------------------------------------------------------------- a penalty of one's own


@row_prox
def prox_weighted_tasks(row, step, fpar, ipar, feature):
    for t in range(row.shape[0]):
        cut = fpar[0] * fpar[1 + t] * step[t]
        row[t] = np.sign(row[t]) * max(abs(row[t]) - cut, 0.0)


class WeightedTasks(RowPenalty):
    """Omega(W) = alpha sum_t c_t norm_1(w_t): nothing but what a member of the family owes."""

    row_prox = prox_weighted_tasks

    def __init__(self, alpha=1.0, costs=(1.0,)):
        self.alpha = alpha
        self.costs = costs

    def pack(self):
        return np.array([self.alpha, *self.costs], dtype=float), np.zeros(0, dtype=np.int64)

    def value(self, W):
        return self.alpha * float(np.abs(W).sum(axis=0) @ np.asarray(self.costs))

    def expression(self, W, cp):
        return self.alpha * cp.sum(cp.abs(W) @ np.asarray(self.costs)), []


COSTS = (0.5, 1.0, 1.5, 2.0)


@pytest.mark.parametrize("form", ["shared", "missing", "stacked"])
@pytest.mark.parametrize("loss", [name for name, case in cases.LOSSES.items() if case.loss.by_column])
def test_a_penalty_of_ones_own(loss, form):
    """One class, one kernel: fitted, certified and solved by the reference, for every loss."""
    X, y, options = cases.user_input(loss, form)
    own = cases.LOSSES[loss].loss
    cls = cm.MultiTaskClassifier if own.classification else cm.MultiTaskRegressor
    estimator = cls(WeightedTasks(0.05, COSTS), loss=own, tol=1e-7).fit(X, y, **options)
    scale = cases.scale_of(estimator._formulate(X, y, **options).problem)
    assert cm.certify(estimator, X, y, **options).gap <= 1e-7 * scale * (1 + 1e-9)
    cases.assert_agrees(estimator.objective_, estimator.dual_gap_, reference.fit(estimator, X, y, **options), scale)


def test_a_penalty_of_ones_own_is_the_lasso():
    X, Y, _ = cases.user_input("squared", "shared")
    own = cm.MultiTaskRegressor(WeightedTasks(0.1, (1.0,) * 4), tol=1e-9).fit(X, Y)
    assert_allclose(own.coef_, cm.BlockSparseRegressor(0.1, q=1, tol=1e-9).fit(X, Y).coef_, atol=1e-5)
    own, known = (cm.MultiTaskRegressor(p) for p in (WeightedTasks(1.0, (1.0,) * 4), RowNorm(1.0, q=1)))
    assert_allclose(cm.alpha_max(own, X, Y), cm.alpha_max(known, X, Y), rtol=1e-9)


def test_a_penalty_of_ones_own_joins_the_others():
    X, Y, _ = cases.user_input("squared", "shared")
    own = WeightedTasks(0.05, COSTS)
    for penalty in (own + MeanCoupling(0.1, 0.1), Parts([("own", own), ("low_rank", TraceNorm(0.1))])):
        estimator = cm.MultiTaskRegressor(penalty, tol=1e-7).fit(X, Y)
        assert_allclose(estimator.objective_, reference.fit(estimator, X, Y).objective, rtol=1e-6)


def test_a_penalty_of_ones_own_on_a_working_set():
    rng = np.random.default_rng(0)
    X, y, codes = cases.draw_stacked(cases.real_targets, rng, (20, 30, 25, 15), 300)
    estimator = cm.MultiTaskRegressor(WeightedTasks(0.1, COSTS), tol=1e-6).fit(X, y, task=codes)
    assert estimator.dual_gap_ <= 1e-6 * cases.scale_of(estimator._formulate(X, y, task=codes).problem)
