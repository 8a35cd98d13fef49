"""Suite files and their datasets: read with positions, and checked as far as that needs no model.

`dataset` reads JSONL and CSV, `file` puts a suite and its cases together, `checks` finds what no type can say: a
threshold for nobody, a pattern that is none. The codes AL7xx are theirs.
"""

from aldo.catalog.suites.file import LoadedSuite, SuiteFile, load_suite, read_suite, suite_of

__all__ = ["LoadedSuite", "SuiteFile", "load_suite", "read_suite", "suite_of"]
