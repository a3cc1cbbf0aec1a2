"""Time to a gap: every solver in a process of its own, timed in turns, judged from outside.

For one problem, each solver first goes down a ladder of its own tolerances until the gap seen from outside
reaches the smallest target. Then, for every target, the loosest tolerance that reaches it is timed again, all
solvers in turns, since a machine is seldom equally fast for a minute. Methods that record their iterates need
one run for all targets.
"""

import time
from dataclasses import dataclass, field, replace

import numpy as np

from .benchmark_utils.solvers import OURS
from .desk import Failed, OverLimit, Run, Worker, one_line

TARGETS = (1e-3, 1e-6, 1e-9)
# No limit is below: what a first call takes besides.
SHORTEST = 0.5


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
    enough : float
        A peer is stopped, before ``limit`` perhaps, when it has taken this many times as long as ours.
    own : float
        Ours may take this many times as long as the limit: without its seconds there is no ratio.
    clock : str
        Of the module ``time``: "perf_counter", or "thread_time" for one thread on a machine that does other work as
        well. (The clock of the process goes by ticks of 4 ms while an alarm is set on it.)
    """

    targets: tuple = TARGETS
    limit: float = 6.0
    runs: int = 5
    budget: float = 12.0
    exploring: float = 12.0
    enough: float = np.inf
    own: float = 1.0
    clock: str = "perf_counter"

    @property
    def of_processor(self):
        return self.clock != "perf_counter"

    def now(self):
        return getattr(time, self.clock)()

    def on(self, instance):
        """A path is many fits: four times as long, and one target only."""
        if not instance.is_path:
            return self
        return replace(self, targets=(1e-6,), limit=4 * self.limit, exploring=3 * self.exploring)

    def beside(self, solver, ours):
        """Solvers that may take many times as long as ours are given the time that it takes to see how many."""
        if solver.name in OURS:
            return replace(self, limit=self.own * self.limit, exploring=self.own * self.exploring)
        if ours is None:
            return self
        if not solver.patience:
            limit = min(self.limit, max(SHORTEST, self.enough * ours))
            return replace(self, limit=limit, exploring=min(self.exploring, 2 * limit))
        limit = max(self.limit, min(8 * self.limit, solver.patience * ours))
        return replace(self, limit=limit, exploring=max(self.exploring, limit))


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
    hot : dict
        {setting: [seconds of hot runs]}
    """

    worker: object
    runs: list = field(default_factory=list)
    first: float = np.nan
    peak: float = np.nan
    slowest: float = 0.0
    over: bool = False
    message: str = ""
    hot: dict = field(default_factory=dict)

    @property
    def instance(self):
        return self.worker.instance

    @property
    def targets(self):
        return self.worker.options.targets

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


def race(instance, solvers, options, desk=Worker, beside=()):
    """(rows, curves): one dict per solver and target, and one per solver and run of its ladder.

    ``beside`` are more instances, of which ours alone takes part in the hot runs.
    """
    ladders, rows = _explored(instance, solvers, options, desk)
    for other in beside:
        more, failed = _explored(other, [s for s in solvers if s.name in OURS], options, desk)
        ladders, rows = ladders + more, rows + failed
    curves = [point for ladder in ladders for point in _curve(ladder.instance, ladder)]
    _in_turns(ladders, options)
    for ladder in ladders:
        rows += [_result(ladder, target) for target in ladder.targets]
        ladder.worker.close()
    return rows, curves


def _explored(instance, solvers, options, desk):
    """(ladders, rows of what has none)."""
    ladders, rows = [], []
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
    return ladders, rows


def _in_turns(ladders, options):
    """Fill ``hot`` of the ladders, round after round, one run of every solver and setting."""
    for ladder in ladders:
        for run in filter(None, map(ladder.reaching, ladder.targets)):
            # A run of the ladder that was not the process's first is as hot as any, and one that takes long is hot
            # enough, unless it may have compiled: a run of recorded iterates is made again only where it is short.
            first = run is ladder.runs[0] if not ladder.solver.method else run.seconds < options.budget / 5
            again = ladder.solver.compiles or (first and run.seconds < options.budget / 2)
            ladder.hot.setdefault(run.setting, [] if again else [run.seconds])

    def more(ladder, setting):
        seconds = ladder.hot[setting]
        if not seconds:
            return True
        most = 1 if ladder.solver.method and seconds[0] >= options.budget / 5 else options.runs
        return len(seconds) < most and sum(seconds) + seconds[-1] <= options.budget

    for _ in range(options.runs):
        for ladder in ladders:
            wanted = sorted(setting for setting in ladder.hot if more(ladder, setting))
            # Recorded iterates need one run for all targets.
            for setting in [wanted] if ladder.solver.method and wanted else wanted:
                for run in _again(ladder, setting):
                    ladder.hot[run.setting].append(run.seconds)


def _again(ladder, setting):
    try:
        runs, peak = ladder.worker.run(setting)
    except (OverLimit, Failed):
        return []
    ladder.peak = np.fmax(ladder.peak, peak)
    return [run for run in runs if not ladder.solver.method or run.setting in setting]


def _result(ladder, target):
    shown = dict(first=ladder.first, peak_mb=ladder.peak, note=ladder.message)
    run = ladder.reaching(target)
    if run is not None:
        seconds = ladder.hot.get(run.setting) or [run.seconds]
        numbers = dict(seconds=np.median(seconds), low=min(seconds), high=max(seconds), runs=len(seconds))
        numbers |= dict(gap=run.gap, setting=run.setting)
        # A machine has slow moments: the median may pass a limit that the ladder has not.
        return _row(ladder.instance, ladder.solver, target, "reached", **numbers, **shown)
    best = min(ladder.runs, key=lambda run: run.gap, default=Run(np.nan, np.nan, np.nan))
    status = "over limit" if ladder.over else "failed" if ladder.message.startswith("failed") else "not reached"
    numbers = dict(seconds=ladder.slowest if ladder.over else best.seconds, gap=best.gap, setting=best.setting)
    return _row(ladder.instance, ladder.solver, target, status, **numbers, **shown)


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
