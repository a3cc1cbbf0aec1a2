"""Rows that are measured one after the other, as a csv file."""

import csv


def write(path, rows):
    """Write all rows, dicts of the same names; nothing where there is no path."""
    if path:
        with open(path, "w", newline="") as file:
            writer = csv.DictWriter(file, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
