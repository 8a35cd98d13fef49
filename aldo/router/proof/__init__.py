"""Statements about all requests, decided: `check` is the door, `never` and `always` the two kinds of statement.

The method is written down in `docs/explanation/proofs.md`, with why it is complete.
"""
