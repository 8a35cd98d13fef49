"""Suite files and their datasets: read with positions, and checked as far as that needs no model.

`json_rows` and `csv_rows` know where on a line everything stands, `dataset` makes cases of them, `file` puts a suite
and its cases together. `checks`, `cases` and `schemas` find what no type can say: a threshold for nobody, two cases of
one id, a schema that is none. The codes AL7xx are theirs.
"""

from aldo.catalog.suites.file import LoadedSuite, SuiteFile, load_suite, read_suite, suite_of

__all__ = ["LoadedSuite", "SuiteFile", "load_suite", "read_suite", "suite_of"]
