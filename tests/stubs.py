"""Writes the .pyi files of convexmtl, from which editors and type checkers know the estimators' parameters.

Their ``__init__``s are made when the classes are, so that whatever reads the source does not see them. Names and
defaults come from the classes, types from their docstrings.
"""

import inspect
import re
from pathlib import Path

from sklearn.base import BaseEstimator, is_classifier

import convexmtl.estimators as package
from convexmtl import auto, baselines

HEAD = '''"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from typing import Any, Literal, Self

from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin  # type: ignore[import-untyped]
'''
OWN = {"Loss": "losses", "Penalty": "penalties", "SufficientStatistics": "statistics"}

WORDS = {"float": "float", "int": "int", "bool": "bool", "str": "str", "Loss": "Loss", "Penalty": "Penalty"}
WORDS |= {"array-like": "ArrayLike", "list": "ArrayLike", "ndarray": "NDArray[Any]", "dict": "dict[Any, Any]"}
WORDS |= {"SufficientStatistics": "SufficientStatistics"}
ANYTHING = {"sequence", "splitter", "iterable", "matrix", "frame", "graph", "tree", "estimators", "pandas"}

ARGUMENTS = {"sample_weight": "ArrayLike | None", "task": "ArrayLike | None", "statistics": "SufficientStatistics"}
RETURNS = {"fit": "Self", "partial_fit": "Self", "fit_statistics": "Self", "score": "float"}


def documented(cls, section):
    """{name: type as a docstring has it} of one section of a class's docstring."""
    text = re.search(rf"^{section}\n-+\n(.*?)(?=^\w+\n-+\n|\Z)", inspect.getdoc(cls) + "\n", re.M | re.S).group(1)
    entries = re.findall(r"^(\w+(?:, \w+)*) :(.*)$", text, re.M)
    return {name: kind.strip() for names, kind in entries for name in names.split(", ")}


def annotation(kind, fitted=False):
    """The type that a docstring's words mean; Any where they are many."""
    described, _, default = re.sub(r" of (float|dict|them|str -> \w+)\b", "", kind).partition(", default=")
    words = set(re.findall(r"[A-Za-z][\w-]*", re.sub(r"\{.*?\}|\(.*?\)|\[.*?\]|of shape.*?(?= or |$)", "", described)))
    if words & ANYTHING:
        return "Any"
    known = {**WORDS, "list": "list[Any]"} if fitted else WORDS
    types = [known[word] for word in re.findall(r"[A-Za-z][\w-]*", described) if word in WORDS and word in words]
    choices = re.search(r"\{(.*?)\}", described)
    if choices:
        types.insert(0, f"Literal[{choices.group(1)}]" if '"' in choices.group(1) else "float")
    types += ["None"] if default == "None" else []
    return " | ".join(dict.fromkeys(types)) or "Any"


def parameter(item, kind):
    """One parameter of a signature."""
    star = {item.VAR_KEYWORD: "**", item.VAR_POSITIONAL: "*"}.get(item.kind, "")
    if item.default is item.empty:
        return f"{star}{item.name}: {kind}"
    plain = item.default is None or isinstance(item.default, str | bool | int | tuple)
    plain = plain or (isinstance(item.default, float) and abs(item.default) < float("inf"))
    return f"{item.name}: {kind} = {repr(item.default).replace(chr(39), chr(34)) if plain else '...'}"


def signature(function, kinds):
    """The parameters of a method, from the second on, as the stub has them."""
    out, named = ["self"], False
    for item in list(inspect.signature(function).parameters.values())[1:]:
        if item.kind is item.KEYWORD_ONLY and not named:
            out.append("*")
            named = True
        out.append(parameter(item, kinds.get(item.name, "Any")))
    return out


def method(name, parameters, returned):
    one = f"    def {name}({', '.join(parameters)}) -> {returned}: ..."
    if len(one) <= 120:
        return [one]
    return [f"    def {name}(", *(f"        {p}," for p in parameters), f"    ) -> {returned}: ..."]


def methods(cls):
    """Public methods of this package, and those by which scikit-learn routes metadata to them."""
    out = []
    for name in dir(cls):
        function = getattr(cls, name)
        asks = re.fullmatch(r"set_\w+_request", name)
        if name.startswith("_") or not callable(function):
            continue
        if asks:
            asked = [p for p in inspect.signature(function).parameters.values() if p.name != "self"]
            parameters = ["self", "*", *(f"{p.name}: bool | str | None = ..." for p in asked)]
            out += method(name, parameters, "Self")
        elif function.__module__.startswith("convexmtl") and not hasattr(BaseEstimator, name):
            out += method(name, signature(function, ARGUMENTS), RETURNS.get(name, "NDArray[Any]"))
    return out


def parameters(cls):
    """{name: type} of the parameters."""
    kinds = documented(cls, "Parameters")
    missing = set(inspect.signature(cls).parameters) - set(kinds)
    if missing:
        raise ValueError(f"the docstring of {cls.__name__} does not have {sorted(missing)}.")
    return {name: annotation(kinds[name]) for name in inspect.signature(cls).parameters}


def described(cls, bases, common=()):
    """The lines of a class."""
    fields = {**parameters(cls), **{n: annotation(k, True) for n, k in documented(cls, "Attributes").items()}}
    lines = [f"class {cls.__name__}({bases}):"]
    lines += [f"    {name}: {kind}" for name, kind in fields.items() if name not in common]
    return lines + method("__init__", signature(cls.__init__, parameters(cls)), "None")


def of_module(module):
    """The text of the stub of a module with estimators, and functions that take anything."""
    own = [v for name, v in vars(module).items() if name[0] != "_" and getattr(v, "__module__", "") == module.__name__]
    text = []
    for one in own:
        if inspect.isclass(one):
            mixin = "ClassifierMixin" if is_classifier(one()) else "RegressorMixin"
            text += [*described(one, f"{mixin}, BaseEstimator"), *methods(one), ""]
        else:
            taken = ", ".join(f"{name}: Any" for name in inspect.signature(one).parameters)
            text += [f"def {one.__name__}({taken}) -> Any: ...", ""]
    return headed(".", "\n".join(text))


def headed(above, text):
    """The text below what it imports of this package."""
    own = [f"from {above}{module} import {name}" for name, module in OWN.items() if re.search(rf"\b{name}\b", text)]
    return "\n".join([HEAD, *own, "", text])


def of_families():
    """The text of the stub of all families."""
    classes = [getattr(package, name) for name in package.__all__]
    fitted = {c: {n: annotation(k, True) for n, k in documented(c, "Attributes").items()} for c in classes}
    fields = {c: {**parameters(c), **fitted[c]} for c in classes}
    text = ["__all__: list[str]", ""]
    for ending, mixin in {"Regressor": "RegressorMixin", "Classifier": "ClassifierMixin"}.items():
        for twin in ("", "CV"):
            group = [c for c in classes if c.__name__.endswith(ending + twin)]
            common = {n: k for n, k in fields[group[0]].items() if all(fields[c].get(n) == k for c in group)}
            text += [f"class _{ending}{twin}({mixin}, BaseEstimator):"]
            text += [f"    {name}: {kind}" for name, kind in common.items()]
            text += [*methods(group[0]), ""]
            for c in group:
                text += described(c, f"_{ending}{twin}", common)
                if c.__name__.startswith("MultiTask"):
                    # What is fitted beside the coefficients depends on the penalty.
                    text += ["    def __getattr__(self, name: str) -> Any: ..."]
                text += [""]
    for c in classes:
        if not re.search("(Regressor|Classifier)(CV)?$", c.__name__):
            text += [
                *described(c, "BaseEstimator"),
                *methods(c),
                "    def __getattr__(self, name: str) -> Any: ...",
                "",
            ]
    return headed("..", "\n".join(text))


def stubs():
    """{path: text of the stub}."""
    texts = {package: of_families(), auto: of_module(auto), baselines: of_module(baselines)}
    return {Path(module.__file__).with_suffix(".pyi"): text for module, text in texts.items()}


if __name__ == "__main__":
    for path, text in stubs().items():
        path.write_text(text)
