"""How Sphinx builds the site: ``make docs``."""

import inspect
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from pkgutil import resolve_name

from sphinx.ext.autosummary import Autosummary

import convexmtl

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # for what the examples share

project = "convexmtl"
author = copyright = "The convexmtl developers"
release = version = convexmtl.__version__
extensions = [
    "myst_nb",  # myst_parser, and notebooks
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "examples", "gallery/*.ipynb", "**/README.md"]
templates_path = ["_templates"]

# Pages
myst_enable_extensions = ["dollarmath", "colon_fence", "attrs_inline"]
myst_heading_anchors = 3

# Notebooks are kept without output, and run anew
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_execution_show_tb = True
nb_merge_streams = True

# Formulas are drawn by a copy of MathJax that the site serves itself; the package `mathjax` is no more than that copy.
MATHJAX = Path(find_spec("mathjax").submodule_search_locations[0]) / "static" / "mathjax" / "es5" / "tex-svg-full.js"
mathjax_path = MATHJAX.name
mathjax3_config = {"options": {"enableMenu": False}}

# Reference: a page per class and function, as docs/api.md lists them
autosummary_generate = True
numpydoc_show_class_members = False
autodoc_typehints = "none"
LISTED = re.findall(r"^   (convexmtl\.\S+)$", (HERE / "api.md").read_text(), re.M)


def own_methods(cls):
    """Names of the public methods that are documented here; the others are scikit-learn's."""
    found = []
    for attribute in inspect.classify_class_attrs(cls):
        here = attribute.defining_class.__module__.startswith("convexmtl")
        routing = re.fullmatch(r"set_\w+_request", attribute.name)
        if here and "method" in attribute.kind and not attribute.name.startswith("_") and not routing:
            if getattr(cls, attribute.name).__doc__:
                found.append(attribute.name)
    return found


autosummary_context = {
    "own_methods": {name: own_methods(thing) for name in LISTED if inspect.isclass(thing := resolve_name(name))}
}


class InWords(Autosummary):
    """A table of names; of a docstring that begins with its objective, what comes after it."""

    def get_items(self, names):
        return [
            (name, signature, self.words(real) or summary, real)
            for name, signature, summary, real in super().get_items(names)
        ]

    @staticmethod
    def words(real):
        parts = re.split(r"\n\w+\n---", inspect.getdoc(resolve_name(real)) or "")[0].split("\n\n")
        formulas = [part.startswith(("minimise", "Known clusters:")) or "Omega(W) =" in part for part in parts]
        if formulas[0] and not all(formulas):
            return " ".join(parts[formulas.index(False)].split()).split(". ")[0].rstrip(".") + "."


def end_of_family(app, page, source):
    """The pages of families end with what is known without them: their estimators, and the examples that use these."""
    if not page.startswith("guide/families/"):
        return
    family = page.rpartition("/")[2].title().replace("_", "").replace("Generic", "MultiTask")
    names = [name for name in LISTED if re.fullmatch(rf"convexmtl\.{family}(Regressor|Classifier)(CV)?", name)]
    listed = "\n   ".join(f"~{name}" for name in names)
    source[0] += f"""
## Reference

```{{eval-rst}}
.. autosummary::
   :nosignatures:

   {listed}
```

## In the gallery

```{{eval-rst}}
.. minigallery:: {" ".join(names)}
```
"""


def setup(app):
    app.add_directive("autosummary", InWords, override=True)
    app.connect("source-read", end_of_family)


# Gallery: the examples are run, and what they warn of is an error
sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/[a-z]\w+\.py",
    "ignore_pattern": r"/_",
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    # Its pages ask other hosts for scripts.
    "write_computation_times": False,
    # Of what a cell ends with, what draws itself.
    "capture_repr": ("_repr_html_",),
    "min_reported_time": 1,
    "remove_config_comments": True,
    "image_srcset": ["2x"],
    "matplotlib_animations": False,
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("convexmtl",),
    "abort_on_example_error": False,
    "only_warn_on_example_error": False,
}

# Looks
html_theme = "pydata_sphinx_theme"
html_title = "convexmtl"
html_static_path = ["_static", str(MATHJAX)]
html_css_files = ["site.css"]
html_favicon = "_static/icon.svg"
html_logo = "_static/icon.svg"
html_context = {"default_mode": "auto"}
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {"index": [], "race": [], "changes": []}
html_theme_options = {
    "logo": {"text": "convexmtl"},
    "navigation_with_keys": False,
    "header_links_before_dropdown": 7,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
