"""Random hostile problems, fitted as a user would and judged from outside: is any answer wrong, or silently so?

    python -m benchmarks.fuzz [--seeds 0:10000] [--jobs 2] [--reference-share 0.3] [--csv FILE]
    python -m benchmarks.fuzz --only 4711
    python -m benchmarks.fuzz --csv NEW --beside OLD

One seed makes one problem: a family and a loss of ``benchmarks.textbook``, a layout, weights and up to two things that
are wrong with X, each a row of the tables below, at a strength between 1e-4 and 2 times alpha_max. It comes out as

wrong        the objective is not that of the textbook at these coefficients, or its lower bound, objective_ -
             dual_gap_, is above the textbook's objective somewhere else: at W = 0, or at the W that cvxpy found (which
             is thereby judged before it judges: by the value that it reaches, not by the one that it claims)
silent       an exception or a warning that is not documented, NaN, a certificate other than the one that ``certify``
             computes, or a gap above tol without a ConvergenceWarning
unconverged  a ConvergenceWarning
slow         more than SLOW seconds of the processor
refused      one of the documented errors
fine         none of these

A problem for which cvxpy finds no W, or none nearly as good as ours, is counted apart: nothing is known of it but what
the certificate says. All seeds change with the tables, and with how ``draw`` reads them.

With ``--beside`` the objectives are compared with those of another version of the package, whose table is there: the
difference may be the wanted gap at most, and where either has not converged, that or the gap that it says.
"""

import argparse
import time
import warnings

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.sparse import csr_array
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Bunch

import convexmtl as mtl
from convexmtl.losses import get_loss

from .families import at_ratio
from .textbook import FAMILIES, LOSSES, Textbook

KINDS = ["wrong", "silent", "unconverged", "slow", "refused", "fine"]
SLOW = 2.0
SHARP = 1e-6  # of the scale: how near to ours the objective of a good reference is
SLACK = 1e-7  # of the scale: what an objective may differ beside rounding
REFUSALS = ("is too large", "y has only 1 class")

# Families whose penalties see no tasks in the columns of W, so that there may be several for the classes of one.
OF_COLUMNS = {"BlockSparse", "SparseGroup", "Dirty", "TraceNorm", "TaskRelationship", "SharedFeature", "SparseLowRank"}

# (name, whether tasks share X, share of missing targets)
LAYOUTS = [("one task", True, 0.0), ("shared", True, 0.0), ("missing", True, 0.3), ("stacked", False, 0.0)]

WEIGHTS = {
    "none": None,
    "rows": lambda rng, shape: rng.uniform(0.2, 3, shape[:1]),
    "entries": lambda rng, shape: rng.uniform(0.2, 3, shape),
    "zeros": lambda rng, shape: (rng.random(shape) < 0.6).astype(float),
    "graded": lambda rng, shape: 10 ** rng.uniform(-3, 3, shape[:1]),
}


def column(change):
    """The pathology that replaces a column of X by change(it, another one, rng)."""

    def pathology(X, rng):
        X, (j, k) = X.copy(), rng.integers(X.shape[1], size=2)
        X[:, j] = change(X[:, j], X[:, k], rng)
        return X

    return pathology


PATHOLOGIES = {
    "duplicate": lambda X, rng: X[:, rng.integers(X.shape[1], size=X.shape[1])],
    "nearly duplicate": column(lambda x, other, rng: other * (1 + 1e-8 * x)),
    "opposite": column(lambda x, other, rng: -2 * other),
    "zero": column(lambda x, other, rng: 0),
    "constant": column(lambda x, other, rng: rng.choice([1, 1e4])),
    "nearly constant": column(lambda x, other, rng: 1 + 1e-7 * x),
    "all constant": lambda X, rng: np.ones_like(X) * rng.standard_normal(X.shape[1]),
    "huge": column(lambda x, other, rng: 1e6 * x),
    "tiny": column(lambda x, other, rng: 1e-6 * x),
    "graded": lambda X, rng: X * np.geomspace(1e-4, 1e4, X.shape[1]),
    "all huge": lambda X, rng: 1e5 * X,
    "all tiny": lambda X, rng: 1e-5 * X,
    "far off": column(lambda x, other, rng: x + 10 ** rng.uniform(2, 6)),
    "all far off": lambda X, rng: X + 10 ** rng.uniform(1, 4),
    "a huge row": lambda X, rng: X * np.where(np.arange(len(X)) == len(X) - 1, 1e4, 1)[:, None],
    "binary": lambda X, rng: (X > 1).astype(float),
}

# cvxpy is asked in turns until its objective is good.
SOLVERS = [
    {},
    {"solver": "CLARABEL", "tol_gap_abs": 1e-8, "tol_gap_rel": 1e-8, "tol_feas": 1e-8},
    {"solver": "SCS", "eps_abs": 1e-9, "eps_rel": 1e-9, "max_iters": 20_000},
]


def draw(seed):
    """The problem of a seed: X, y, task and weight as for fit, the estimator without its strength, and the ratio."""
    rng = np.random.default_rng(seed)
    family, loss = (table[rng.integers(len(table))] for table in (FAMILIES, LOSSES))
    layout, shared, missing = LAYOUTS[rng.integers(len(LAYOUTS))]
    T = 1 if layout == "one task" else int(rng.integers(2, 7))
    several = loss.classes > 1 and family.stem not in OF_COLUMNS
    if (family.free and loss.name not in ("squared", "huber")) or family.least_tasks > T or several:
        family = FAMILIES[rng.integers(9)]
    d = int(rng.integers(9, 26)) if rng.random() < 0.1 else int(rng.integers(1, 9))
    sizes = [int(rng.integers(1, 31))] if shared else [int(n) for n in rng.integers(1, 31, T) ** rng.integers(0, 2, T)]
    task = None if shared else rng.permutation(np.repeat(np.arange(T), sizes))
    n = sum(sizes)
    two = layout == "one task" and loss.kind == "Classifier" and loss.classes == 1
    n = max(n, 2) if two else n
    # (Of more than two classes every task has all.)
    at_least = loss.classes if loss.classes > 1 else 1
    if at_least > 1:
        sizes = [max(size, at_least) for size in sizes]
        task = None if shared else rng.permutation(np.repeat(np.arange(T), sizes))
        n = sum(sizes)
    X = rng.standard_normal((n, d)) + 0.5 * rng.standard_normal((n, 1))
    W = rng.standard_normal((d, 1)) * (rng.random((d, 1)) < 0.7) + 0.5 * rng.standard_normal((d, T))
    z = X @ W / np.sqrt(d)
    scale = 10 ** rng.uniform(-6, 6)
    y = loss.targets(z if shared else z[np.arange(n), task], scale, rng)
    if shared:
        # The first rows have targets in every task; their weights, below, are positive as well.
        y[at_least:][rng.random(y[at_least:].shape) < missing] = np.nan
    first = np.arange(min(n, 2)) if shared else np.unique(task, return_index=True)[1]
    if at_least > 1:
        first = np.arange(3) if shared else np.concatenate([np.flatnonzero(task == t)[:3] for t in range(T)])
        y[first] = np.arange(3.0)[:, None] if shared else np.tile(np.arange(3.0), T)
    if two:
        y[:2] = [[1], [-1]]
    y = y[:, 0] if layout == "one task" else y
    weights = list(WEIGHTS)[rng.integers(len(WEIGHTS))]
    weight = None if weights == "none" else WEIGHTS[weights](rng, y.shape)
    if weight is not None:
        weight[first] = 1
    wrong = sorted(rng.choice(list(PATHOLOGIES), rng.choice([0, 1, 2], p=[0.2, 0.5, 0.3]), replace=False).tolist())
    for name in wrong:
        X = PATHOLOGIES[name](X, rng)
    options = {
        "fit_intercept": bool(rng.random() < 0.75),
        "task_weight": ["equal", "size", 10 ** rng.uniform(-2, 2, T)][rng.choice(3, p=[0.7, 0.1, 0.2])],
        "tol": float(rng.choice([1e-4, 1e-6])),
    }
    own = {name: value(rng, d, T) if callable(value) else value for name, value in family.parameters.items()}
    estimator = getattr(mtl, family.stem + loss.kind)(**own, loss=loss.name, **options)
    sparse = rng.random() < 0.15
    return Bunch(
        seed=seed, family=family, loss=loss, layout=layout + ", sparse" * sparse, weights=weights, wrong=wrong,
        X=csr_array(X) if sparse else X, y=y, task=task, weight=weight, scale=scale, shape=(n, d, T),
        estimator=estimator, ratio=10 ** rng.uniform(-4, np.log10(2)),
    )  # fmt: skip


def with_strength(problem):
    """The estimator at ratio times alpha_max; at the ratio itself where that is 0."""
    p = problem
    top = mtl.alpha_max(p.estimator, p.X, p.y, task=p.task, sample_weight=p.weight)
    top = top if isinstance(top, dict) else {"alpha": top}
    if max(top.values()) <= 0:
        own = p.estimator.get_params()
        top = {name: own.get(f"penalty__{name}", own.get(name)) for name in top}
    return at_ratio(p.estimator, top, 1 / p.ratio)


def ask_cvxpy(problem, textbook, wanted):
    """(objective, its rounding error) by the textbook of the best W of cvxpy, which is asked until it is <= wanted."""
    p, best = problem, (np.inf, 0.0)
    for options in SOLVERS:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = mtl.reference.fit(p.estimator, p.X, p.y, task=p.task, sample_weight=p.weight, **options)
            best = min(best, textbook.objective(found.W, found.b))
        except Exception:  # whatever ends cvxpy, or a W of None, is no reference
            continue
        if best[0] <= wanted:
            break
    return best


def judge(problem, estimator, caught, seconds, textbook, ask):
    """([(kind, detail)], what was measured) of a fitted estimator and the warnings of its fit."""
    found, p, scale = [], problem, textbook.scale
    found += [
        ("silent", f"{w.category.__name__}: {w.message}")
        for w in caught
        if w.category is not UserWarning and not issubclass(w.category, ConvergenceWarning)
    ]
    warned = [str(w.message) for w in caught if issubclass(w.category, ConvergenceWarning)]
    certificate = mtl.certify(estimator, p.X, p.y, task=p.task, sample_weight=p.weight)
    gap, (F, rounding) = certificate.gap, textbook.fitted()
    about = {"objective": F, "scale": scale, "gap/scale": gap / (scale or 1.0), "n_iter": estimator.n_iter_}
    numbers = (estimator.coef_, estimator.intercept_, estimator.objective_, estimator.dual_gap_, gap)
    if any(np.isnan(number).any() for number in numbers):
        return [*found, ("silent", "NaN")], about
    slack = SLACK * scale + rounding
    threshold = estimator.tol * scale + 1e-30 * float(textbook.c @ textbook.y**2)
    if not abs(estimator.objective_ - F) <= slack:
        found.append(("wrong", f"objective_ {estimator.objective_:.10g}, by the textbook {F:.10g}"))
    for name, theirs, share in (("objective_", certificate.primal, 0.0), ("dual_gap_", gap, 0.01)):
        ours = getattr(estimator, name)
        # (Of a loss with kinks the dual variables to which W leads may make a better bound than those of the fit.)
        if name == "dual_gap_" and theirs <= ours and not get_loss(p.loss.name).smooth:
            continue
        if not (ours == theirs or abs(ours - theirs) <= 0.01 * threshold + rounding + share * abs(theirs)):
            found.append(("silent", f"{name} is {ours:.10g}, certify says {theirs:.10g}"))
    if warned:
        how = "iterations ran out" if "ran out" in warned[0] else "stalled"
        found.append(("unconverged", f"{how}, gap {about['gap/scale']:.2g} of the scale"))
    elif not gap <= 1.01 * threshold + 1e-3 * rounding:
        found.append(("silent", f"gap {gap:.3g} > {threshold:.3g} without a warning"))
    if seconds > SLOW:
        found.append(("slow", f"{seconds:.1f} s, {estimator.n_iter_} iterations"))
    others = {"W = 0": textbook.at_zero}
    if ask:
        others["that of cvxpy"] = ask_cvxpy(p, textbook, F + SHARP * scale + rounding)
        about["reference"] = (others["that of cvxpy"][0] - F) / (scale or 1.0)
    for name, (value, error) in others.items():
        excess = estimator.objective_ - estimator.dual_gap_ - value
        if excess > slack + error:
            found.append(
                ("wrong", f"lower bound above {name} by {excess:.2g}, {excess / (scale or 1):.2g} of the scale")
            )
    return found, about


def examine(seed, reference_share=0.3):
    """The row of a seed: its problem and what came of it."""
    p = draw(seed)
    row = {
        "seed": seed, "family": p.family.name, "loss": str(p.loss.name), "layout": p.layout, "weights": p.weights,
        "X": " & ".join(p.wrong), "y": p.scale, "n, d, T": "{} {} {}".format(*p.shape), "ratio": p.ratio,
        "intercept": p.estimator.fit_intercept, "tol": p.estimator.tol,
    }  # fmt: skip
    found, about, seconds = [], {}, 0.0
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            estimator = with_strength(p)
            for _ in range(2):
                start = time.process_time()
                estimator.fit(p.X, p.y, task=p.task, sample_weight=p.weight)
                seconds = time.process_time() - start
                # (Once more where many seconds for few iterations say that something was compiled.)
                if seconds <= SLOW or estimator.n_iter_ > 1000:
                    break
    except Exception as error:
        # (LinAlgError is a ValueError as well.)
        refused = type(error) is ValueError and any(words in str(error) for words in REFUSALS)
        found = [("refused" if refused else "silent", f"{type(error).__name__}: {error}")]
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ask = np.random.default_rng([seed, 1]).random() < reference_share
            textbook = Textbook(p.family, p.loss, estimator, p.X, p.y, p.task, p.weight)
            found, about = judge(p, estimator, caught, seconds, textbook, ask)
    found.sort(key=lambda one: KINDS.index(one[0]))
    kind, detail = found[0][0] if found else "fine", "; ".join(dict.fromkeys(detail for _, detail in found))
    return {**row, "seconds": round(seconds, 3), **about, "kind": kind, "detail": detail}


def run(seeds, jobs=1, reference_share=0.3):
    """Yield the rows of many seeds."""
    yield from Parallel(jobs, return_as="generator")(delayed(examine)(seed, reference_share) for seed in seeds)


def describe(seed):
    """The lines of Python that make one problem."""
    p = draw(seed)
    return f"""from benchmarks.fuzz import draw, with_strength
p = draw({seed})  # {p.layout}; weights: {p.weights}; X: {" & ".join(p.wrong) or "nothing wrong"}; n, d, T = {p.shape}
estimator = with_strength(p)  # {" ".join(repr(p.estimator).split())} at {p.ratio:.3g} of alpha_max
estimator.fit(p.X, p.y, task=p.task, sample_weight=p.weight)
print(estimator.objective_, estimator.dual_gap_, estimator.n_iter_)"""


def report(table):
    """Print how many there are of each kind, and the worst."""
    counts = table["kind"].value_counts().reindex(KINDS, fill_value=0)
    print(f"\nof {len(table)}:", ", ".join(f"{count} {kind}" for kind, count in counts.items()))
    if "reference" in table:
        asked = table["reference"].dropna()
        good, none = (asked <= 2 * SHARP).sum(), np.isinf(asked).sum()
        print(f"of {len(asked)} references: {good} good, {len(asked) - good - none} worse than ours, {none} not found")
    columns = ["seed", "family", "loss", "layout", "weights", "X", "y", "n, d, T", "intercept", "ratio", "detail"]
    for kind in KINDS[:-1]:
        those = table[table["kind"] == kind]
        if len(those):
            worst = those.sort_values("gap/scale", ascending=False) if "gap/scale" in those else those
            shown = worst[columns].head(40).to_string(index=False, float_format="{:.2g}".format, max_colwidth=110)
            print(f"\n{kind}\n{shown}")


def beside(table, old):
    """(rows of both tables side by side, whose objective is higher by more than is allowed, what is said of it)."""
    both = table.merge(old, on="seed", suffixes=("", "_old"), validate="one_to_one")
    fitted = both[both["objective"].notna() & both["objective_old"].notna()]
    scale = fitted["scale"].clip(lower=0)
    allowed, excess = fitted["tol"] * scale, fitted["objective"] - fitted["objective_old"]
    # (Tables have twelve digits.)
    rounding = SLACK * scale + 1e-11 * fitted["objective"].abs()
    worse = fitted[excess > np.maximum(allowed, fitted["gap/scale"] * scale) + rounding]
    share = (excess / allowed)[fitted["scale"] > 0]
    seconds = np.log(fitted["seconds"].clip(lower=1e-3) / fitted["seconds_old"].clip(lower=1e-3))
    said = (
        f"of {len(fitted)} that both have fitted {len(worse)} are worse by more than the tolerance; the difference "
        f"over the tolerance is {share.min():.2g} to {share.max():.2g}, median {share.median():.2g}; unconverged "
        f"{(fitted['kind'] == 'unconverged').sum()}, {(fitted['kind_old'] == 'unconverged').sum()} before; "
        f"seconds {fitted['seconds'].sum():.0f}, {fitted['seconds_old'].sum():.0f} before, geometric mean of the "
        f"ratios {np.exp(seconds.mean()):.2f}"
    )
    return worse, said


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="0:10000", metavar="FIRST:END")
    parser.add_argument("--only", type=int, metavar="SEED", help="look at one problem")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--reference-share", type=float, default=0.3, help="of the problems, for which cvxpy is asked")
    parser.add_argument("--csv", metavar="FILE", help="where the table goes")
    parser.add_argument("--beside", metavar="FILE", help="the table of another version")
    chosen = parser.parse_args(arguments)
    if chosen.only is not None:
        print(describe(chosen.only))
        print(pd.Series(examine(chosen.only, reference_share=1.0)).to_string())
        return
    rows, seeds = [], range(*map(int, chosen.seeds.split(":")))
    for row in run(seeds, chosen.jobs, chosen.reference_share):
        rows.append(row)
        if row["kind"] != "fine":
            what = f"{row['seed']} {row['kind']}: {row['family']}, {row['loss']}, {row['layout']}, X {row['X']}"
            print(f"{what}, at {row['ratio']:.2g}: {row['detail']}"[:240], flush=True)
        if chosen.csv and (len(rows) % 100 == 0 or len(rows) == len(seeds)):
            pd.DataFrame(rows).to_csv(chosen.csv, index=False, float_format="%.12g")
    report(pd.DataFrame(rows))
    if chosen.beside:
        worse, said = beside(pd.DataFrame(rows), pd.read_csv(chosen.beside))
        print(said)
        print(worse[["seed", "family", "loss", "layout", "ratio", "objective", "objective_old", "tol", "gap/scale"]])


if __name__ == "__main__":
    main()
