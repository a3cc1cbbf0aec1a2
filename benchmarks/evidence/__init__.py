"""What the package claims of its models, measured: one module and one page of docs/evidence each.

    python -m benchmarks.evidence [FOLDER] [--quick] [--only NAME ...]

runs them all; FOLDER has the measured data. Each module is a script as well, with `--csv` for its rows and `--page` for
its page, into which tables and pictures are put.
"""
