"""Evaluators: what an answer is worth, from a case and the text of the answer to a grade.

`texts`, `json_schema`, `script` and `judge` hold the built-in ones, `registry` makes one of what a suite says, and
finds those of other packages. None of them learns which model answered.
"""

from aldo.eval.evaluators.grade import Evaluate, Grade
from aldo.eval.evaluators.registry import evaluate_with

__all__ = ["Evaluate", "Grade", "evaluate_with"]
