"""Writes the .pyi files of convexmtl, from which editors and type checkers know all that is public.

Public is what docs/api.md names. Names and defaults come from the objects, types from their docstrings; the
``__init__``s of the estimators are made when the classes are, so that whatever reads the source does not see them.
"""

import inspect
import re
from functools import partial
from pathlib import Path
from pkgutil import resolve_name

from sklearn.base import BaseEstimator, is_classifier

import convexmtl
import convexmtl.estimators as package

PACKAGE = Path(convexmtl.__file__).parent
PAGE = PACKAGE.parent / "docs" / "api.md"
NAMED = dict.fromkeys(re.findall(r"(?:^   |auto(?:class|function):: )(convexmtl\.[\w.]+)$", PAGE.read_text(), re.M))

HEAD = '"""Written by tests/stubs.py (make stubs); not to be changed by hand."""'
# What the text of a stub may need, and where it is from.
FROM = {
    "collections.abc": ["Callable", "Iterator", "Sequence"],
    "typing": ["Any", "Literal", "NamedTuple", "Self"],
    "numpy.random": ["RandomState"],
    "numpy.typing": ["ArrayLike", "NDArray"],
    "sklearn.base": ["BaseEstimator", "ClassifierMixin", "MetaEstimatorMixin", "RegressorMixin"],
    "sklearn.model_selection": ["BaseCrossValidator"],
    "sklearn.utils": ["Bunch"],
}
MIXINS = FROM["sklearn.base"][1:] + FROM["sklearn.base"][:1] + FROM["sklearn.model_selection"]

WORDS = {word: word for word in ("float", "int", "bool", "str", "bytes", "None")}
WORDS |= {"self": "Self", "dict": "dict[Any, Any]"}
WORDS |= {"ndarray": "NDArray[Any]", "array": "NDArray[Any]", "array-like": "ArrayLike", "labels": "ArrayLike"}
WORDS |= {"callable": "Callable[..., Any]", "RandomState": "RandomState", ":class:`~sklearn.utils.Bunch`": "Bunch"}

BRACKETS = r"[\[(][^][()]*[\])]"

# Of methods that have no sections in their docstrings.
ARGUMENTS = {"sample_weight": "ArrayLike | None", "task": "ArrayLike | None", "offset": "ArrayLike | None"}
ARGUMENTS |= {"statistics": "SufficientStatistics"}
ARGUMENTS |= {"W": "NDArray[Any]", "V": "NDArray[Any]", "Z": "NDArray[Any]", "z": "NDArray[Any]", "v": "NDArray[Any]"}
ARGUMENTS |= {"n_tasks": "int", "n_features": "int", "factor": "float", "model": "str | None"}
RETURNS = {"fit": "Self", "partial_fit": "Self", "fit_statistics": "Self", "score": "float", "get_n_splits": "int"}
RETURNS |= {"formula": "str", "scaled": "Self", "replaced": "Self", "summary": "str", "rows": "list[dict[str, Any]]"}
RETURNS |= {"helped": "list[Any]", "unaffected": "list[Any]", "hurt": "list[Any]"}
RETURNS |= {"__add__": "Self", "__sub__": "Self"}
RETURNS |= {"split": "Iterator[tuple[NDArray[Any], NDArray[Any]]]", "parameters": "dict[str, Any]"}
ARRAYS = {"predict", "predict_proba", "decision_function", "prox", "derivative", "second", "feasible"}
OF_PENALTIES = {"value": "float", "dual_norm": "float", "conjugate": "float", "expression": "tuple[Any, list[Any]]"}
OF_PENALTIES |= {"__add__": "Penalty"}
OPERATORS = {"__add__", "__sub__", "__call__"}


# ------------------------------------------------------------------------------------------- what is public


def home(name):
    """The module in which a public thing has its stub: the one that the page names, else that of its definition."""
    module = name.rpartition(".")[0]
    return module if module != "convexmtl" else ".".join(resolve_name(name).__module__.split(".")[:2])


HOMES = {resolve_name(name): home(name) for name in NAMED}
CLASSES = {thing.__name__: thing for thing in HOMES if inspect.isclass(thing)}


# ------------------------------------------------------------------------------------------- words to types


def documented(thing, section):
    """{name: type as a docstring has it} of one section of a docstring; what has no name is "returned"."""
    text = re.search(rf"^{section}\n-+\n(.*?)(?=^\w+\n-+\n|\Z)", (inspect.getdoc(thing) or "") + "\n", re.M | re.S)
    entries = re.findall(r"^(\S.*?)(?: :(.*))?$", text.group(1), re.M) if text else []
    if section == "Returns":
        return {(name if kind else "returned"): (kind or name).strip() for name, kind in entries}
    return {name: kind.strip() for names, kind in entries for name in names.split(", ") if name.isidentifier()}


def annotation(kind, given=True):
    """The type that a docstring's words mean, of what is given or of what is made; Any where they say too little."""
    said, _, default = kind.partition(", default=")
    choices = re.findall(r"\{(.*?)\}", said)
    said = re.sub(r"\{.*?\}", "{}", said)
    while re.search(BRACKETS, said):
        said = re.sub(BRACKETS, "", said)
    types = []
    for one in re.split(r",? or |, ", said):
        if re.match(r"(of|in|for) |\s*$", one):
            continue
        if one.startswith("{}"):
            values = choices.pop(0)
            if '"' in values:
                types.append(f"Literal[{values}]")
            else:
                numbers = re.fullmatch(r"[\d., inf]+", values)
                types += ["float"] if numbers else [_one(word, given) for word in values.split(", ")]
        else:
            types.append(_one(one.strip(), given))
    types += ["None"] if default == "None" else []
    return "Any" if "Any" in types or not types else " | ".join(dict.fromkeys(types))


def _one(words, given):
    """One of several types."""
    first, _, rest = words.partition(" ")
    of = re.fullmatch(r"of (\w+) -> (.*)", rest)
    if first == "dict" and of:
        keys, values = (_one(word, given) for word in of.groups())
        return f"dict[{keys}, {values}]"
    if first == "tuple" and rest.startswith("of "):
        return f"tuple[{_one(rest[3:], given)}, ...]"
    if first == "list":
        return "Sequence[Any] | NDArray[Any]" if given else f"list[{_one(rest[3:], given)}]"
    if first == "array-like" and not given:
        return "Any"
    return first if first in CLASSES else WORDS.get(first, "Any")


def returned(function, otherwise="Any"):
    """The type of what a function returns."""
    kinds = [annotation(kind, given=False) for kind in documented(function, "Returns").values()]
    said = f"tuple[{', '.join(kinds)}]" if len(kinds) > 1 else "".join(kinds)
    if "layout" in inspect.signature(function).parameters and kinds:
        # How many there are depends on it.
        said = f"tuple[{kinds[0] if len(set(kinds)) == 1 else 'Any'}, ...]"
    return otherwise if said in ("", "Any") else said


# ------------------------------------------------------------------------------------------- signatures


def parameter(item, kind):
    """One parameter of a signature."""
    star = {item.VAR_KEYWORD: "**", item.VAR_POSITIONAL: "*"}.get(item.kind, "")
    if item.default is item.empty:
        return f"{star}{item.name}: {kind}"
    plain = item.default is None or isinstance(item.default, str | bool | int | tuple)
    plain = plain or (isinstance(item.default, float) and abs(item.default) < float("inf"))
    kind = kind if item.default is not None or re.search(r"\b(None|Any)$", kind) else f"{kind} | None"
    return f"{item.name}: {kind} = {repr(item.default).replace(chr(39), chr(34)) if plain else '...'}"


def signature(function, kinds, first=()):
    """The parameters of a function as the stub has them, those of a method from the second on."""
    out, named = list(first), False
    for item in list(inspect.signature(function).parameters.values())[len(first) :]:
        if item.kind is item.KEYWORD_ONLY and not named:
            out.append("*")
            named = True
        out.append(parameter(item, kinds.get(item.name, "Any")))
    return out


def function(name, parameters, result, indent="    ", above=()):
    one = f"{indent}def {name}({', '.join(parameters)}) -> {result}: ..."
    lines = [f"{indent}@{decorator}" for decorator in above]
    if len(one) <= 120:
        return [*lines, one]
    return [*lines, f"{indent}def {name}(", *(f"{indent}    {p}," for p in parameters), f"{indent}) -> {result}: ..."]


method = partial(function, indent="    ")


def kinds_of(thing):
    """{name: type} of the parameters of a function or class, as far as anything says so."""
    own = {name: annotation(kind) for name, kind in documented(thing, "Parameters").items() if kind}
    return ARGUMENTS | own


def parameters(cls):
    """{name: type} of the parameters of a class."""
    kinds, names = documented(cls, "Parameters"), list(inspect.signature(cls).parameters)
    if issubclass(cls, BaseEstimator) and set(names) - set(kinds):
        raise ValueError(f"the docstring of {cls.__name__} does not have {sorted(set(names) - set(kinds))}.")
    kinds = documented(cls, "Attributes") | kinds
    return {name: annotation(kinds.get(name, "")) for name in names}


def methods(cls):
    """Public methods and properties of this package, and the methods by which scikit-learn routes metadata to them;
    without those of a public base."""
    out = []
    bases = [base for base in cls.__mro__[1:] if base in HOMES]
    fields = documented(cls, "Attributes")
    for name in dir(cls):
        found, item = inspect.getattr_static(cls, name), getattr(cls, name)
        asks = re.fullmatch(r"set_\w+_request", name)
        hidden = name.startswith("_") and name not in OPERATORS
        if hidden or name in fields or any(_same(item, getattr(base, name, None)) for base in bases):
            continue
        if asks:
            asked = [p for p in inspect.signature(item).parameters.values() if p.name != "self"]
            named = ["*", *(f"{p.name}: bool | str | None = ..." for p in asked if p.kind is p.KEYWORD_ONLY)]
            open_ended = ["**kwargs: bool | str | None"] if len(named) == 1 else []
            out += method(name, ["self", *(open_ended or named)], "Self")
        elif isinstance(found, property):
            own = (found.fget.__module__ or "").startswith("convexmtl") and name not in dir(BaseEstimator)
            out += method(name, ["self"], _result(cls, name), above=["property"]) if own else []
        elif callable(item) and _own(item) and not (name in dir(BaseEstimator) and issubclass(cls, BaseEstimator)):
            kind = {classmethod: "classmethod", staticmethod: "staticmethod"}.get(type(found))
            first = {"classmethod": ["cls"], "staticmethod": []}.get(kind, ["self"])
            whole = found.__func__ if kind else item
            result = returned(whole, _result(cls, name))
            kinds = kinds_of(whole) | {"other": "Penalty" if "Penalty" in result else "Self"}
            out += method(name, signature(whole, kinds, first), result, above=[kind] if kind else [])
    return out


def _same(item, inherited):
    """Whether a stub of the base says all that there is to say."""
    both = callable(item) and callable(inherited)
    return inspect.signature(item) == inspect.signature(inherited) if both else inherited is not None


def _own(item):
    return getattr(item, "__module__", "").startswith("convexmtl")


def _result(cls, name):
    own = OF_PENALTIES if issubclass(cls, CLASSES["Penalty"]) else {}
    return own.get(name) or RETURNS.get(name) or ("NDArray[Any]" if name in ARRAYS else "Any")


# ------------------------------------------------------------------------------------------- classes and modules


def fields_of(cls):
    """{name: type} of what a class declares: the parameters that an estimator keeps, and its attributes."""
    kept = parameters(cls) if issubclass(cls, BaseEstimator) else {}
    if issubclass(cls, tuple):
        kinds = {name: getattr(kind, "__name__", "") for name, kind in inspect.get_annotations(cls).items()}
        return {name: annotation(kind, given=False) for name, kind in kinds.items()}
    return kept | {name: annotation(kind, given=False) for name, kind in documented(cls, "Attributes").items()}


def field(cls, name, kind):
    """The lines of a field, which may be read only."""
    if isinstance(inspect.getattr_static(cls, name, None), property):
        return method(name, ["self"], kind, above=["property"])
    return [f"    {name}: {kind}"]


def described(cls, bases, common=()):
    """The lines of a class."""
    lines = [f"class {cls.__name__}({bases}):" if bases else f"class {cls.__name__}:"]
    for name, kind in fields_of(cls).items():
        lines += field(cls, name, kind) if name not in common else []
    if "__init__" in vars(cls) and not issubclass(cls, tuple):
        lines += method("__init__", signature(cls.__init__, parameters(cls), ["self"]), "None")
    return lines


def bases_of(cls):
    """Its nearest public base, else those of scikit-learn."""
    public = [base.__name__ for base in cls.__mro__[1:] if base in HOMES]
    if public:
        return public[0]
    if issubclass(cls, tuple):
        return "NamedTuple"
    if cls.__name__.endswith(("Regressor", "RegressorCV", "Classifier", "ClassifierCV")):
        return f"{'ClassifierMixin' if is_classifier(cls()) else 'RegressorMixin'}, BaseEstimator"
    names = [base.__name__ for base in cls.__mro__]
    return ", ".join(name for name in MIXINS if name in names)


def whole(cls):
    """A class with its methods."""
    lines = [*described(cls, bases_of(cls)), *methods(cls)]
    if "__getattr__" in dir(cls):
        lines += ["    def __getattr__(self, name: str) -> Any: ..."]
    return lines if len(lines) > 1 else [f"{lines[0]} ..."]


def after_bases(things):
    """Classes after their bases, functions last; else as the page has them."""
    return sorted(things, key=lambda thing: len(thing.__mro__) if inspect.isclass(thing) else 99)


def of_module(name):
    """The text of the stub of a module."""
    text = []
    for thing in after_bases([thing for thing, place in HOMES.items() if place == name]):
        if inspect.isclass(thing):
            text += [*whole(thing), ""]
        else:
            text += [*function(thing.__name__, signature(thing, kinds_of(thing)), returned(thing), indent=""), ""]
    return headed(name, "\n".join(text))


def headed(module, text):
    """The text below what it imports."""
    sources = {place: list(names) for place, names in FROM.items()}
    for name, cls in CLASSES.items():
        if HOMES[cls] != module:
            sources.setdefault(HOMES[cls], []).append(name)
    blocks = {"": [], "numpy sklearn": [], "convexmtl": []}
    for place, names in sorted(sources.items()):
        used = sorted(name for name in names if re.search(rf"\b{name}\b", text))
        ignored = "  # type: ignore[import-untyped]" if place.startswith("sklearn") else ""
        block = next((block for block in blocks if place.partition(".")[0] in block.split()), "")
        blocks[block] += [f"from {place} import {', '.join(used)}{ignored}"] if used else []
    return "\n\n".join([HEAD, *("\n".join(lines) for lines in blocks.values() if lines), text])


def of_families():
    """The text of the stub of all families."""
    classes = [getattr(package, name) for name in package.__all__]
    fields = {c: fields_of(c) for c in classes}
    text = ["__all__: list[str]", ""]
    for ending, mixin in {"Regressor": "RegressorMixin", "Classifier": "ClassifierMixin"}.items():
        for twin in ("", "CV"):
            group = [c for c in classes if c.__name__.endswith(ending + twin)]
            common = {n: k for n, k in fields[group[0]].items() if all(fields[c].get(n) == k for c in group)}
            text += [f"class _{ending}{twin}({mixin}, BaseEstimator):"]
            for name, kind in common.items():
                text += field(group[0], name, kind)
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
    return headed("convexmtl.estimators", "\n".join(text))


def stubs():
    """{path: text of the stub}."""
    out = {}
    for name in dict.fromkeys(HOMES.values()):
        text = of_families() if name == package.__name__ else of_module(name)
        out[Path(resolve_name(name).__file__).with_suffix(".pyi")] = text
    return out


if __name__ == "__main__":
    for path, text in stubs().items():
        path.write_text(text)
