"""Import, first fit ever, first fit in a new process, read-only install: each in processes of their own.

python -m benchmarks.race.startup
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

IMPORT = """
import time
start = time.perf_counter()
import {module}
print(time.perf_counter() - start)
"""

# Three numbers: seconds of the import, of the first fit, of the second one.
FIT = """
import time, warnings
warnings.simplefilter("ignore")
import numpy as np
rng = np.random.default_rng(0)
X = np.asfortranarray(rng.standard_normal((100, 200)))
Y = np.asfortranarray(X[:, :5] @ rng.standard_normal((5, 5)) + rng.standard_normal((100, 5)))
start = time.perf_counter()
{setup}
imported = time.perf_counter()
{fit}
first = time.perf_counter()
{fit}
print(imported - start, first - imported, time.perf_counter() - first)
"""

FITS = {
    "convexmtl": ("from convexmtl import BlockSparseRegressor", "BlockSparseRegressor(0.3).fit(X, Y)"),
    "convexmtl logistic": ("from convexmtl import BlockSparseClassifier", "BlockSparseClassifier(0.05).fit(X, Y > 0)"),
    "convexmtl dirty": ("from convexmtl import DirtyRegressor", "DirtyRegressor(0.6, 0.3).fit(X, Y)"),
    "scikit-learn": ("from sklearn.linear_model import MultiTaskLasso", "MultiTaskLasso(0.3).fit(X, Y)"),
    "celer": ("from celer.homotopy import mtl_path", "mtl_path(X, Y, alphas=np.array([0.3]))"),
    "skglm": ("from skglm.estimators import MultiTaskLasso", "MultiTaskLasso(0.3).fit(X, Y)"),
    "skein-glm": (
        "from skein_glm.multitask import MultiTaskLassoRegressor",
        "MultiTaskLassoRegressor(0.06).fit(X, Y)",
    ),
}
MODULES = {"scikit-learn": "sklearn", "skein-glm": "skein_glm"}


def python(code, cwd=None, **environment):
    """The numbers that the code prints in a new process."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "it died")
    return [float(word) for word in done.stdout.split()]


def _row(what, solver, seconds, note=""):
    seconds = np.asarray(seconds, dtype=float)
    return {
        "what": what,
        "solver": solver,
        "seconds": float(np.median(seconds)),
        "low": float(seconds.min()),
        "high": float(seconds.max()),
        "runs": len(seconds),
        "note": note,
    }


def measure(quick=False):
    """One dict per quantity and solver."""
    many = 3 if quick else 11
    rows = _imports(many)
    for solver, (setup, fit) in FITS.items():
        module = MODULES.get(solver, solver.split()[0])
        if importlib.util.find_spec(module) is None:
            rows.append(_row("first fit", solver, [np.nan], f"{module} is not installed"))
            continue
        if not quick or solver == "convexmtl":
            runs = 2 if quick or not solver.startswith("convexmtl") else 5
            rows += _first_fits(solver, FIT.format(setup=setup, fit=fit), runs)
    rows.append(_read_only())
    for row in rows:
        print(f"    {row['what']:44s} {row['solver']:24s} {row['seconds']:8.3f} s  {row['note']}", flush=True)
    return rows


def _imports(runs):
    """In turns, so that both see the same machine."""
    modules = ("convexmtl", "sklearn.linear_model")
    times = {module: [] for module in modules}
    for i in range(runs + 1):
        for module in modules:
            seconds = python(IMPORT.format(module=module))
            # The very first one reads from disk.
            times[module] += seconds if i else []
    return [_row("import", module, seconds) for module, seconds in times.items()]


def _first_fits(solver, code, runs):
    with tempfile.TemporaryDirectory() as folder:
        cold = python(code, NUMBA_CACHE_DIR=folder)
        warm = np.array([python(code, NUMBA_CACHE_DIR=folder) for _ in range(runs)])
    return [
        _row("first fit ever, nothing compiled", solver, cold[1:2]),
        _row("first fit in a new process, cache warm", solver, warm[:, 1]),
        _row("import and first fit, cache warm", solver, warm[:, 0] + warm[:, 1]),
        _row("second fit", solver, warm[:, 2]),
    ]


def _read_only():
    """A copy of the package in which nothing can be written, root or not."""
    package = Path(importlib.util.find_spec("convexmtl").origin).parent
    setup, fit = FITS["convexmtl"]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "convexmtl"
        shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))
        for place in (copy, *(path for path in copy.rglob("*") if path.is_dir())):
            (place / "__pycache__").touch()
        nowhere = str(copy / "__init__.py" / "nowhere")
        places = {"NUMBA_CACHE_DIR": nowhere, "XDG_CACHE_HOME": nowhere, "HOME": nowhere, "PYTHONPATH": folder}
        what = "first fit, read-only install without a cache"
        try:
            setup = f"{setup}; import convexmtl; assert convexmtl.__file__.startswith({folder!r})"
            seconds = python(FIT.format(setup=setup, fit=fit), cwd=folder, PYTHONDONTWRITEBYTECODE="1", **places)
        except RuntimeError as error:
            return _row(what, "convexmtl", [np.nan], f"failed: {error}")
        return _row(what, "convexmtl", seconds[1:2], "works")


if __name__ == "__main__":
    measure()
