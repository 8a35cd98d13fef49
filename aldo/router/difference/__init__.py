"""Two catalogs compared over all requests: `compare` is the door, `comparison` the work, `changes` what is told.

The method is written down in `docs/explanation/proofs.md`, with why it is complete.
"""
