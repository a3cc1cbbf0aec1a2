"""All evidence, one module after the other."""

import argparse
from importlib import import_module

from ._report import PAGES, RESULTS

# name: (whether it needs the folder of measured data, what takes a minute of it)
MODULES = {
    "theory": (False, ["--seeds", "2"]),
    "transitions": (False, ["--seeds", "10", "--sizes", "128", "--thetas", "1", "2", "3", "4"]),
    "curves": (False, ["--seeds", "0", "--sizes", "20"]),
    "school": (
        True,
        ["--splits", "0", "--only", "MeanRegularized", "Clustered", "single-task", "pooled", "TaskMixture"],
    ),
    "real": (True, ["--seeds", "0"]),
    "peers": (False, ["--seeds", "1", "--only", "l1/l2, 40 x 30 x 5", "tree, 60 x 50 x 8"]),
}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", help="measured data; without it, what needs it is left out")
    parser.add_argument(
        "--quick", action="store_true", help="a small part of everything; rows and pages stay as they are"
    )
    parser.add_argument("--only", nargs="+", default=list(MODULES), choices=list(MODULES), metavar="NAME")
    given = parser.parse_args(arguments)
    for name in given.only:
        needs, few = MODULES[name]
        if needs and not given.folder:
            print(f"{name} is left out: it needs the folder of measured data")
            continue
        outputs = ["--csv", str(RESULTS / f"evidence_{name}.csv"), "--page", str(PAGES / f"{name}.md")]
        print(f"{name}:", flush=True)
        import_module(f"{__package__}.{name}").main([given.folder] * needs + (few if given.quick else outputs))


if __name__ == "__main__":
    main()
