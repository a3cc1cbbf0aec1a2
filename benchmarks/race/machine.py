"""What the measurements were made on."""

import datetime
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("numpy", "scipy", "scikit-learn", "numba", "cvxpy", "clarabel", "scs", "celer", "skglm", "skein-glm")


def describe(solvers=()):
    """Machine, software, threads and day, as a dict that JSON can hold."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": _memory(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in ("convexmtl", *PACKAGES)},
        "blas": _blas(),
        "environment": {name: value for name, value in os.environ.items() if name.endswith("_NUM_THREADS")},
        "date": datetime.date.today().isoformat(),
    }


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _cpu():
    try:
        with open("/proc/cpuinfo") as handle:
            return next(line.split(":")[1].strip() for line in handle if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def _memory():
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
    except (ValueError, OSError, AttributeError):
        return None


def _blas():
    """One line per BLAS that is loaded; needs threadpoolctl."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return []
    import scipy.linalg  # noqa: F401

    return [
        f"{entry['internal_api']} {entry.get('version')}, {entry.get('architecture')}, {entry['num_threads']} threads"
        for entry in threadpool_info()
        if entry["user_api"] == "blas"
    ]


if __name__ == "__main__":
    print(describe(), file=sys.stdout)
