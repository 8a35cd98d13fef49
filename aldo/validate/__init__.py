"""The toolchain that keeps a catalog true: rules, findings, reports.

What may enter: catalogs and routing tables. Rules are one file each under `rules/`.
"""

from aldo.validate.lint import lint
from aldo.validate.outcome import LintReport
from aldo.validate.registry import all_rules, rule
from aldo.validate.reports import FORMATS, render
from aldo.validate.rule import Rule

__all__ = ["FORMATS", "LintReport", "Rule", "all_rules", "lint", "render", "rule"]
