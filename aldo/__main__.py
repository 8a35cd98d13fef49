"""`python -m aldo`: the command line."""

from __future__ import annotations

from aldo.cli.start import script

if __name__ == "__main__":
    script()
