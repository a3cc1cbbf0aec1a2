"""Figures, lists and formulas as people read them."""

import inspect
from functools import cache


def figure(value):
    """Three digits, and no exponent for usual sizes."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"


def counted(n, noun):
    """ "1 task", "65 tasks"."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def percent(share):
    return "less than 0.0001%" if 0 < share < 1e-6 else f"{figure(100 * share)}%"


def listed(names, most=6, longest=40):
    """Names with commas; of many the first few and how many more, of a long one both ends."""
    names = list(names)
    shown = names if len(names) <= most + 1 else names[:most]
    shown = [_cut(str(name), longest) for name in shown]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def _cut(name, longest):
    half = (longest - 3) // 2
    return name if len(name) <= longest else f"{name[:half]}...{name[-half:]}"


def formula(thing, start):
    """The formula with which the docstring of its class begins, after ``start``; how it prints where there is none."""
    return _leading_formula(type(thing), start) or repr(thing)


@cache
def _leading_formula(cls, start):
    first = inspect.cleandoc(cls.__doc__ or "").partition("\n\n")[0]
    return " ".join(first.removeprefix(start).split()).rstrip(".,") if first.startswith(start) else ""
