"""One file a rule: code, severity, documentation, a good and a bad example that are its tests, and its check.

Families: 1xx structure (found while a file is read, by `aldo.catalog`), 2xx names and references, 3xx privacy
and security, 4xx cost and limits, 5xx routing, 9xx comments that ignore findings.
"""
