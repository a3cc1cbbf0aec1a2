"""A solver at work on one problem, in this process or in one of its own, on the clock that is asked for.

A process of its own can be ended when the time is up, and has its own peak of memory.
"""

import contextlib
import gc
import multiprocessing
import os
import signal
import time
import traceback
import warnings
from dataclasses import dataclass, replace

import numpy as np

from .benchmark_utils import data, textbook
from .benchmark_utils.instance import make_instance
from .benchmark_utils.solvers import SOLVER

# BLAS threads of the process that has just finished spin for a while before they sleep.
PAUSE = 0.05


@dataclass(frozen=True)
class Run:
    """One timed call: the setting is a tolerance, or the number of iterations."""

    setting: float
    seconds: float
    gap: float


class OverLimit(Exception):
    """The run took longer than it may."""


class Failed(Exception):
    """The solver raised, or its process died."""


class Desk:
    """A solver prepared for one instance, in this process."""

    def __init__(self, solver, instance, options):
        self.solver, self.instance, self.options = solver, instance, options
        if solver.compiles:
            warm_up(solver, instance)
        self.solve = None if solver.method else solver.prepare(instance)
        self.seconds = np.nan

    def call(self, setting):
        """The timed part; returns what ``judge`` needs."""
        gc.collect()
        if self.solver.method:
            return self._follow(setting)
        start = self.options.now()
        found = self.solve(setting)
        self.seconds = self.options.now() - start
        return found

    def _follow(self, setting):
        """Recorded iterates are judged on the way, while the clock stands still."""
        runs = []
        options = self.options
        for shown in textbook.snapshots(self.instance, self.solver.method, options.limit, setting, now=options.now):
            runs.append(Run(shown.iteration, shown.seconds, self.instance.relative_gap(shown.W, shown.b)))
            if setting is None and runs[-1].gap <= min(self.options.targets):
                break
        return runs

    def judge(self, setting, found):
        """List of Run."""
        return found if self.solver.method else [Run(setting, self.seconds, self.instance.relative_gap(*found))]

    def run(self, setting):
        """(list of Run, peak of memory in MB beside what was there before, NaN where unknown)."""
        before = reset_peak()
        try:
            found = self.call(setting)
        except Exception as error:
            raise Failed(one_line(error)) from error
        peak = peak_memory() - before
        return self.judge(setting, found), peak

    def close(self):
        pass


# Processes are forked from one that has imported all and computed nothing: OpenMP does not survive a fork.
_context = multiprocessing.get_context(
    "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else None
)


def preload(solvers):
    """Import what the solvers need only once, in the process that all others are forked from."""
    if hasattr(_context, "set_forkserver_preload"):
        modules = {solver.module for solver in solvers if not solver.missing}
        _context.set_forkserver_preload(["benchmarks.race.desk", *sorted(modules)])


class Worker:
    """A Desk in a process of its own, which is killed when its time is up and made anew when asked again."""

    def __init__(self, solver, instance, options):
        self.solver, self.instance, self.options = solver, instance, options
        self.process = None

    def _start(self):
        self.pipe, other = _context.Pipe()
        # A copy of the instance, without what it has cached.
        arguments = other, self.solver.name, replace(self.instance), self.options
        self.process = _context.Process(target=_serve, args=arguments, daemon=True)
        self.process.start()
        other.close()

    def run(self, setting):
        # What is not part of the race takes what it takes: to prepare, and to judge.
        patient = 10 * self.options.limit + 60
        if self.process is None:
            self._start()
            self._receive(patient)
        time.sleep(PAUSE)
        self.pipe.send(setting)
        # Methods that record their iterates end by themselves, as does what has an alarm; the rest is killed.
        alone = self.solver.method or self.options.of_processor
        self._receive(patient if alone else self.options.limit + 0.5)
        return self._receive(patient)

    def _receive(self, seconds):
        try:
            if not self.pipe.poll(seconds):
                self.close()
                raise OverLimit
            kind, content = self.pipe.recv()
        except (EOFError, ConnectionError):
            self.process.join()
            ended = self.process.exitcode
            self.close()
            if ended == -signal.SIGPROF:
                raise OverLimit from None
            raise Failed("its process died, of memory perhaps") from None
        if kind == "failed":
            raise Failed(content)
        return content

    def close(self):
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.pipe.close()
            self.process = None


def _serve(pipe, name, instance, options):
    warnings.simplefilter("ignore")
    # What solvers print is not asked for.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    _limit_memory()
    try:
        desk = Desk(SOLVER[name], instance, options)
        instance.relative_gap(*instance.zero())
        pipe.send(("ready", None))
    except Exception as error:
        pipe.send(("failed", one_line(error)))
        return
    while True:
        setting = pipe.recv()
        try:
            before = reset_peak()
            with _alarm(options, desk.solver):
                found = desk.call(setting)
            pipe.send(("called", None))
            peak = peak_memory() - before
            pipe.send(("judged", (desk.judge(setting, found), peak)))
        except Exception as error:
            pipe.send(("failed", one_line(error)))


@contextlib.contextmanager
def _alarm(options, solver):
    """Where seconds are those of the processor, so is the limit: it ends the process."""
    if not options.of_processor or solver.method:
        yield
        return
    signal.setitimer(signal.ITIMER_PROF, options.limit + 0.5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def one_line(error):
    where = traceback.extract_tb(error.__traceback__)[-1]
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:160]} ({os.path.basename(where.filename)}:{where.lineno})"


def _limit_memory():
    """A solver that needs more than the machine has must fail alone."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        resource.setrlimit(resource.RLIMIT_AS, (int(0.8 * total), resource.RLIM_INFINITY))


def _status(name):
    """MB; NaN where there is no /proc."""
    try:
        with open("/proc/self/status") as handle:
            line = next(line for line in handle if line.startswith(name))
        return int(line.split()[1]) / 1024
    except (OSError, StopIteration):
        return np.nan


def reset_peak():
    """Resident memory in MB, from where the peak is counted anew."""
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as handle:
        handle.write("5")
    return _status("VmRSS")


def peak_memory():
    """Highest resident memory in MB since ``reset_peak``."""
    return _status("VmHWM")


def warm_up(solver, instance):
    """Let it compile on something tiny: what that costs in a new process is measured in startup.py."""
    classify = instance.loss == "logistic"
    if instance.is_sparse:
        drawn = data.sparse_design(30, 20, 3, density=0.3)
    else:
        drawn = data.drawn("clustered", 3, 20, 8, layout=instance.layout, classification=classify)
    path = (3, 10) if instance.is_path else None
    with warnings.catch_warnings(), contextlib.suppress(Exception):
        warnings.simplefilter("ignore")
        solver.prepare(make_instance("tiny", drawn, instance.family, 5, instance.fit_intercept, path))(1e-3)
