"""The README's and the docs' Python blocks run as written, page by page; so do the examples in docstrings."""

import configparser
import doctest
import inspect
import re
from pathlib import Path
from pkgutil import resolve_name

import pytest

import convexmtl
from convexmtl.model_selection import TaskSplitter

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# The README shows the two ways to call fit before any data exists.
SHOWN_ONLY = "est.fit(X, Y)  "


def blocks(page):
    return [block for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.S) if SHOWN_ONLY not in block]


# Those of docs/recipes run in test_recipes.py.
RUN = [page for page in PAGES if blocks(page) and page.parent.name != "recipes"]


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.stem)
def test_blocks_run(page, capsys):
    space = {"__name__": "page"}
    for i, block in enumerate(blocks(page)):
        exec(compile(block, f"<{page.name} {i}>", "exec"), space)
    assert "Traceback" not in capsys.readouterr().out


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_run(path):
    """From top to bottom in a kernel of their own, without a warning, and kept without output."""
    import nbclient
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    nbclient.execute(notebook, kernel_name="python3", timeout=300)
    said = [output.text for cell in code for output in cell.outputs if output.get("name") == "stderr"]
    assert not said


def test_no_block_is_left_out():
    """However it is indented or ended; but for the one that is shown only."""
    opened = sum(len(re.findall(r"(```|~~~) *\{?(python|py)\b", page.read_text())) for page in PAGES)
    assert opened == sum(len(blocks(page)) for page in PAGES) + 1


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#:]+\.md)[^)]*\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_every_family_has_a_page():
    """With its formula, its picture, and what every such page owes."""
    families = {name.removesuffix("RegressorCV") for name in vars(convexmtl) if name.endswith("RegressorCV")}
    for family in families - {"MultiTask", "Pooled", "SingleTask"}:
        stem = re.sub(r"(?<!^)(?=[A-Z])", "_", family).lower()
        text = (ROOT / "docs" / "guide" / "families" / f"{stem}.md").read_text()
        for part in (
            r"\Omega(W) =",
            f"likes_{stem}.png",
            "## Useful range",
            "## Watch out",
            "## Example",
            f"`{family}...",
        ):
            assert part in text, f"{stem}: {part}"
        assert re.search(r"\n\*.* \((19|20)\d\d\)", text), f"{stem}: papers"
        assert f"families/{stem}.md" in (ROOT / "docs" / "guide" / "families.md").read_text()


def test_pictures_of_pages_are_there():
    for page in PAGES:
        for picture in re.findall(r"(?:!\[[^]]*\]\(|<img src=\")([^)#:\"]+)", page.read_text()):
            assert (page.parent / picture).exists(), f"{page.name}: {picture}"


def test_versions_agree():
    for name, line in {"CITATION.cff": r"^version: (.*)$", "conda/meta.yaml": r'set version = "(.*)"'}.items():
        assert re.search(line, (ROOT / name).read_text(), re.M)[1] == convexmtl.__version__, name


def test_conda_needs_what_pip_does():
    """But for cvxpy, which comes without solvers there."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    lines = [line.strip() for line in config["options"]["install_requires"].splitlines()]
    wanted = {line for line in lines if line and not line.startswith("#")} | {
        f"python{config['options']['python_requires']}"
    }
    run = re.search(r"^  run:\n((?:    - .*\n)+)", (ROOT / "conda" / "meta.yaml").read_text(), re.M)[1]
    found = {line.replace("    - ", "").replace(" ", "").replace("cvxpy-base", "cvxpy") for line in run.splitlines()}
    assert found == wanted | {"clarabel", "scs"}


# Whatever the page on the API names.
NAMED = re.findall(r"^   (convexmtl\.[\w.]+)$", (ROOT / "docs" / "api.md").read_text(), re.M)
CLASSES = [thing for thing in map(resolve_name, NAMED) if inspect.isclass(thing)]


@pytest.mark.parametrize("name", NAMED)
def test_examples_run(name, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    thing = resolve_name(name)
    (test,) = doctest.DocTestFinder(recurse=False, exclude_empty=False).find(thing, thing.__name__, globs={})
    found = []
    failed, _ = doctest.DocTestRunner(verbose=False).run(test, out=found.append)
    assert not failed, "".join(found)
    if "inspection" in name:
        plt = pytest.importorskip("matplotlib.pyplot")
        plt.close("all")


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_public_class_has_an_example(cls):
    assert re.search(r"^Examples\n-{8}\n>>> ", inspect.getdoc(cls), re.M)
    assert not re.search(r"\{(summary|search|searched|common|fitted|start|name)\}", inspect.getdoc(cls))


def test_every_public_class_is_on_the_page():
    modules = [convexmtl, *(resolve_name(f"convexmtl.{m}") for m in ("penalties", "inspection", "model_selection"))]
    public = {vars(m).get(name) for m in modules for name in getattr(m, "__all__", vars(m)) if name[0].isupper()}
    assert {c for c in public if getattr(c, "__module__", "").startswith("convexmtl")} <= {*CLASSES, TaskSplitter}
