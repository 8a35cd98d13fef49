"""Sets of requests, exactly: bands and sectors of sizes, whole points in them, and a bound on the work.

What `prove` and `diff` have in common; `docs/explanation/proofs.md` says why it is complete.
"""
