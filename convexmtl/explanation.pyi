"""Written by tests/stubs.py (make stubs); not to be changed by hand."""

from typing import Any

class Explanation:
    title: str
    rows: list[Any]
    notes: list[str]
    figures: dict[str, float]
    def __init__(self, estimator: Any) -> None: ...

def explain_fit(estimator: Any) -> Explanation: ...
