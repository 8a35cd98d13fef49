"""One file a rule: code, severity, documentation, and a good and a bad example that are its tests.

Families: 1xx structure (found while a file is read, by `aldo.catalog`).
"""
