"""Means with intervals, tables in pages, small pictures."""

import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from .._table import write

ROOT = Path(__file__).parents[2]
RESULTS, PAGES, IMAGES = ROOT / "benchmarks" / "results", ROOT / "docs" / "evidence", ROOT / "docs" / "images"


def add_outputs(parser, what):
    """The arguments that all scripts have."""
    parser.add_argument("--csv", help="file of the rows")
    parser.add_argument("--read", action="store_true", help="take the rows from that file, and measure nothing")
    parser.add_argument("--page", help=f"page to put {what} into")


def carry_out(given, parts, report):
    """Measure the ``parts``, lists of rows, and write them after each; or read the rows; then make the page of them."""
    rows = pd.read_csv(given.csv).to_dict("records") if given.read else []
    for part in () if given.read else parts:
        rows += part
        write(given.csv, rows)
        print(*part[0].values(), f"and {len(part) - 1} more", flush=True)
    if given.page:
        report(rows, given.page)
    return rows


def interval(values, level=0.95):
    """(mean, half the width of its t interval, NaN of less than two values)."""
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return float(values.mean()) if len(values) else np.nan, np.nan
    error = values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean()), float(error * stats.t.ppf(0.5 + level / 2, len(values) - 1))


def said(values, digits=3):
    """Mean ± half the width of its interval, as people read it; of one value, which has none, the value."""
    mean, half = interval(values)
    return f"{mean:.{digits}f}" if np.isnan(half) else f"{mean:.{digits}f} ± {half:.{digits}f}"


def share(successes, trials, level=0.95):
    """(low, high) Wilson's interval of a probability."""
    return stats.binomtest(int(successes), int(trials)).proportion_ci(level, "wilson")


def markdown(header, rows):
    """A table whose first column is text."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def put(page, name, text):
    """Put the text between the marks of this name in a page, a path."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    old = Path(page).read_text()
    if begin not in old or end not in old:
        raise ValueError(f"{page} has no place for {name!r}: {begin} and {end}")
    found = re.escape(begin) + ".*?" + re.escape(end)
    Path(page).write_text(re.sub(found, lambda _: f"{begin}\n{text}\n{end}", old, flags=re.S))


def picture(figure, name):
    """Save a figure as docs/images/NAME.png in few bytes, which is in few colours."""
    from PIL import Image

    drawn = BytesIO()
    figure.savefig(drawn, dpi=80)
    Image.open(drawn).convert("RGB").quantize(48, dither=Image.Dither.NONE).save(IMAGES / f"{name}.png", optimize=True)
