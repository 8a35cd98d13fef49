"""Running a suite.

`arms` binds models and judges, `servers` looks who is there, `asking` puts one case to one model, `grading` has the
answer graded, `runner` keeps the order, and `log` remembers everything the moment it is there.
"""

from aldo.eval.run.arms import Prepared, prepare
from aldo.eval.run.log import EvalLog, LogContents, read_log
from aldo.eval.run.progress import Progress
from aldo.eval.run.runner import run
from aldo.eval.run.settings import Settings

__all__ = ["EvalLog", "LogContents", "Prepared", "Progress", "Settings", "prepare", "read_log", "run"]
