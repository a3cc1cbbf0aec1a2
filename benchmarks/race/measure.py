"""Time to a gap: every solver in a process of its own, timed in turns, judged from outside.

For one problem, each solver first goes down a ladder of its own tolerances until the gap seen from outside
reaches the smallest target. Then, for every target, the loosest tolerance that reaches it is timed again, all
solvers in turns, since a machine is seldom equally fast for a minute. Methods that record their iterates need
one run for all targets. A process of its own can be ended when the time is up, and has its own peak of memory.
"""

import contextlib
import gc
import multiprocessing
import os
import time
import traceback
import warnings
from dataclasses import dataclass, field, replace

import numpy as np

from .benchmark_utils import data, textbook
from .benchmark_utils.instance import make_instance
from .benchmark_utils.solvers import OURS, SOLVER

TARGETS = (1e-3, 1e-6, 1e-9)
# BLAS threads of the process that has just finished spin for a while before they sleep.
PAUSE = 0.05


@dataclass(frozen=True)
class Options:
    """How long and how often.

    Attributes
    ----------
    limit : float
        Seconds for one run.
    runs : int
        Hot runs per target.
    budget : float
        Seconds of hot runs per solver and target; fewer runs, at least one, where it does not suffice.
    exploring : float
        Seconds for the ladder of one solver.
    """

    targets: tuple = TARGETS
    limit: float = 6.0
    runs: int = 5
    budget: float = 12.0
    exploring: float = 12.0

    def on(self, instance):
        """A path is many fits: four times as long, and one target only."""
        if not instance.is_path:
            return self
        return replace(self, targets=(1e-6,), limit=4 * self.limit, exploring=3 * self.exploring)

    def beside(self, solver, ours):
        """Solvers that may take many times as long as ours are given the time that it takes to see how many."""
        if not solver.patience or ours is None:
            return self
        limit = max(self.limit, min(8 * self.limit, solver.patience * ours))
        return replace(self, limit=limit, exploring=max(self.exploring, limit))


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


# -------------------------------------------------------------------------------------------- one solver


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
        start = time.perf_counter()
        found = self.solve(setting)
        self.seconds = time.perf_counter() - start
        return found

    def _follow(self, setting):
        """Recorded iterates are judged on the way, while the clock stands still."""
        runs = []
        for shown in textbook.snapshots(self.instance, self.solver.method, self.options.limit, setting):
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
        _context.set_forkserver_preload(["benchmarks.race.measure", *sorted(modules)])


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
        # Methods that record their iterates end by themselves; the rest is killed.
        self._receive(patient if self.solver.method else self.options.limit + 0.5)
        return self._receive(patient)

    def _receive(self, seconds):
        try:
            if not self.pipe.poll(seconds):
                self.close()
                raise OverLimit
            kind, content = self.pipe.recv()
        except (EOFError, ConnectionError):
            self.close()
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
            found = desk.call(setting)
            pipe.send(("called", None))
            peak = peak_memory() - before
            pipe.send(("judged", (desk.judge(setting, found), peak)))
        except Exception as error:
            pipe.send(("failed", one_line(error)))


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


# ------------------------------------------------------------------------------------------- the ladder


@dataclass
class Ladder:
    """What one solver has shown on one problem.

    Attributes
    ----------
    runs : list of Run
        From loose to tight; of recorded iterates, from early to late.
    first : float
        Seconds of the very first call, apart from the others.
    slowest : float
        Seconds that were spent without reaching what is not reached: more are needed.
    message : str
        Why it ended early.
    """

    worker: object
    runs: list = field(default_factory=list)
    first: float = np.nan
    peak: float = np.nan
    slowest: float = 0.0
    over: bool = False
    message: str = ""

    @property
    def solver(self):
        return self.worker.solver

    def reaching(self, target):
        """The first Run that reaches the target, or None."""
        return next((run for run in self.runs if run.gap <= target), None)

    def explore(self):
        """Runs from loose to tight until the smallest target is reached or the time is up."""
        try:
            self._explore(self.worker.options)
        except OverLimit:
            self.over, self.slowest = True, max(self.slowest, self.worker.options.limit)
        except Failed as error:
            self.message = f"failed: {error}"
        return self

    def _call(self, setting):
        runs, peak = self.worker.run(setting)
        self.runs += runs
        self.peak = np.fmax(self.peak, peak)
        if np.isnan(self.first) and not self.solver.method:
            self.first = runs[-1].seconds
        self.slowest = max(self.slowest, runs[-1].seconds)
        return runs[-1]

    def _explore(self, options):
        solver = self.solver
        if solver.method or solver.one_shot:
            self._call(None if solver.method else 0.0)
            self.over = self.slowest >= options.limit
            return
        setting, spent = solver.loosest, 0.0
        while True:
            run = self._call(setting)
            spent += run.seconds
            left = [target for target in options.targets if self.reaching(target) is None]
            if not left:
                return
            gaps = [run.gap for run in self.runs]
            if setting < 1e-4 * left[0] and len(gaps) > 3 and min(gaps[-3:]) > 0.5 * min(gaps[:-3]):
                self.message = "a tighter tolerance changes nothing"
                return
            if setting < 1e-17:
                return
            if spent > options.exploring or run.seconds > options.limit:
                # A tighter tolerance would take no less.
                self.over = True
                return
            setting = _tighter(setting, run.gap, left[0], solver.by_gap)


def _tighter(setting, gap, target, by_gap):
    """The next tolerance: half a decade below, or more where the gap is far from the target."""
    if by_gap and gap < np.inf:
        # Twice what the rule of three says, not to go too far.
        return min(setting / np.sqrt(10), 2 * setting * target / gap)
    return setting / (10 if gap > 100 * target else np.sqrt(10))


# ------------------------------------------------------------------------------------------ one problem


def race(instance, solvers, options, desk=Worker):
    """(rows, curves): one dict per solver and target, and one per solver and run of its ladder."""
    ladders, rows, curves = [], [], []
    options, ours = options.on(instance), None
    for solver in solvers:
        if solver.missing:
            rows += [_row(instance, solver, target, "missing", note=solver.missing) for target in options.targets]
            continue
        try:
            ladder = Ladder(desk(solver, instance, options.beside(solver, ours)))
        except Exception as error:
            note = f"failed: {one_line(error)}"
            rows += [_row(instance, solver, target, "failed", note=note) for target in options.targets]
            continue
        ladders.append(ladder.explore())
        if solver.name in OURS and ladder.reaching(1e-6):
            ours = ladder.reaching(1e-6).seconds
        curves += _curve(instance, ladder)
    times = _in_turns(ladders, options)
    for ladder in ladders:
        rows += [_result(instance, ladder, target, times) for target in options.targets]
        ladder.worker.close()
    return rows, curves


def _in_turns(ladders, options):
    """{(name, setting): [seconds of hot runs]}: round after round, one run of every solver and setting."""
    times = {}
    for ladder in ladders:
        for run in filter(None, map(ladder.reaching, options.targets)):
            # A run of the ladder that was not the process's first is as hot as any, and one that takes long is hot
            # enough: a run of recorded iterates is made again only where it is short.
            first = run is ladder.runs[0] if not ladder.solver.method else run.seconds < options.budget / 5
            hot = [] if first and run.seconds < options.budget / 2 else [run.seconds]
            times.setdefault((ladder.solver.name, run.setting), hot)

    def more(ladder, setting):
        seconds = times[ladder.solver.name, setting]
        if not seconds:
            return True
        most = 1 if ladder.solver.method and seconds[0] >= options.budget / 5 else options.runs
        return len(seconds) < most and sum(seconds) + seconds[-1] <= options.budget

    for _ in range(options.runs):
        for ladder in ladders:
            wanted = {run.setting for run in filter(None, map(ladder.reaching, options.targets))}
            wanted = sorted(setting for setting in wanted if more(ladder, setting))
            # Recorded iterates need one run for all targets.
            for setting in [wanted] if ladder.solver.method and wanted else wanted:
                for run in _again(ladder, setting):
                    times[ladder.solver.name, run.setting].append(run.seconds)
    return times


def _again(ladder, setting):
    try:
        runs, peak = ladder.worker.run(setting)
    except (OverLimit, Failed):
        return []
    ladder.peak = np.fmax(ladder.peak, peak)
    return [run for run in runs if not ladder.solver.method or run.setting in setting]


def _result(instance, ladder, target, times):
    shown = dict(first=ladder.first, peak_mb=ladder.peak, note=ladder.message)
    run = ladder.reaching(target)
    if run is not None:
        seconds = times.get((ladder.solver.name, run.setting)) or [run.seconds]
        numbers = dict(seconds=np.median(seconds), low=min(seconds), high=max(seconds), runs=len(seconds))
        # A machine has slow moments: the median may pass a limit that the ladder has not.
        return _row(instance, ladder.solver, target, "reached", gap=run.gap, setting=run.setting, **numbers, **shown)
    best = min(ladder.runs, key=lambda run: run.gap, default=Run(np.nan, np.nan, np.nan))
    status = "over limit" if ladder.over else "failed" if ladder.message.startswith("failed") else "not reached"
    return _row(
        instance,
        ladder.solver,
        target,
        status,
        seconds=ladder.slowest if ladder.over else best.seconds,
        gap=best.gap,
        setting=best.setting,
        **shown,
    )


def _row(instance, solver, target, status, **values):
    d, T = instance.shape
    return {
        "problem": instance.name,
        "family": instance.family,
        "loss": instance.loss,
        "layout": instance.layout + (" path" if instance.is_path else ""),
        "n": instance.X.shape[0],
        "d": d,
        "T": T,
        "solver": solver.name,
        "target": target,
        "status": status,
        **{name: values.get(name, np.nan) for name in ("seconds", "low", "high", "runs", "first", "gap", "setting")},
        "peak_mb": values.get("peak_mb", np.nan),
        "note": values.get("note", ""),
    }


def _curve(instance, ladder):
    """The runs that came nearer than all before."""
    best, curve = np.inf, []
    for run in ladder.runs:
        if run.gap < 0.9 * best:
            best = run.gap
            point = {"problem": instance.name, "solver": ladder.solver.name, "seconds": run.seconds, "gap": run.gap}
            curve.append(point)
    return curve


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
