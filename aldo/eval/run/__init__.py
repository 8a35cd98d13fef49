"""Running a suite: `arms` binds models and judges, `asking` puts one case to one model, `runner` keeps the order,
and `log` remembers every answer the moment it is there."""

from aldo.eval.run.arms import Prepared, prepare
from aldo.eval.run.log import EvalLog, LogContents, read_log
from aldo.eval.run.runner import Progress, run
from aldo.eval.run.settings import Settings

__all__ = ["EvalLog", "LogContents", "Prepared", "Progress", "Settings", "prepare", "read_log", "run"]
