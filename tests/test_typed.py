"""What the sample of typed code does when it runs; `make types` checks its types."""

import numpy as np
import pytest
from typed import user

from convexmtl import datasets


def test_it_runs(capsys):
    user.fits()
    assert user.searches() > 0
    X, y, task, _ = datasets.make_dirty(n_tasks=3, n_features=8, random_state=0)
    assert user.checks(X, y, task).tasks.tolist() == [0, 1, 2]
    assert user.Scaled(0.5).prox(np.ones((2, 2)), 1.0).tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert "Traceback" not in capsys.readouterr().out


def test_its_mistakes_are_mistakes():
    X, Y, _ = datasets.make_low_rank(layout="shared", random_state=0)
    with pytest.raises(TypeError):
        user.mistakes(X, Y)
